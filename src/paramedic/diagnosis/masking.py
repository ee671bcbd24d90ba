"""A line as it may leave the machine: no key, no password, no prompt and no answer is left in it."""

import re
from collections.abc import Iterable, Mapping, Sequence

from paramedic.diagnosis.record import NAMED_SECRET, SECRETS

MASK = "***"
LONGEST = 16_000  # characters of a line; nothing that is recognised stands behind
SHORTEST = 6  # characters of a known secret: a shorter one would blot out ordinary words

_TOKENS = re.compile(  # what looks like a key whatever stands before it
    r"\b(?:gh[opsu]_|github_pat_|glpat-|xox[abprs]-|nvapi-|AIza|AKIA|ASIA|LTAI|dapi|r8_|pplx-|gsk_)[\w-]{8,}"
    r"|(?<=\bBasic )[A-Za-z0-9+/=]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
)
_USER_IN_URL = re.compile(r"(?<=://)[^\s/@'\"]+(?=@)")
_QUERY = re.compile(r"(?P<path>\"?\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) [^\s?]+\?)[^\s\"]+")
_STRING = r"b?'(?:[^'\\]|\\.)*'?|b?\"(?:[^\"\\]|\\.)*\"?"  # a log cuts long ones: the closing quote may be missing
_NAMED = re.compile(
    r"(?i)(?<![a-z])(?P<key>['\"]?(?:[a-z0-9]+[_-])*(?:(?:api|access|private)[_-]?key(?:[_-]?id)?|password|passwd|passphrase"
    r"|credentials?|authorization|cookie|access[_-]?code|signature|sas)['\"]?\s*[=:]\s*)"
    rf"(?P<value>(?!None\b|null\b|True\b|False\b)(?:{_STRING}|\[[^\]]*\]?|(?:Bearer |Basic )?[^\s,;)}}\]]+))"
)
_SETTING = re.compile(r"|None|null|True|False|[\d.,]+")  # where a key's name stands for something else: max_token=128
_SAID = re.compile(  # by a client or by the model
    r"(?i)(?<![\w.])(?P<key>['\"]?(?:prompts?|text|content|reasoning(?:_content)?|query|documents?|system"
    r"|suffix|inputs?|arguments|instruction|user_prompt|completion|generated_text|text_1|text_2|delta)"
    rf"['\"]?\s*[:=]\s*)(?P<value>{_STRING})"
)
_ANSWERED = re.compile(rf"(?P<key>\boutput: )(?P<value>{_STRING})")  # JSON's "Output" is a program's, not a model's
_SAID_LIST = re.compile(
    r"(?i)(?<![\w.])(?P<key>['\"]?(?:messages|prompts?|inputs?|documents?|content|contents|text|texts|multi_modal_data"
    r"|(?:prompt_|output_|input_|prefill_|new_|all_)?(?:token_ids|tokens|ids))['\"]?\s*[:=]\s*)(?P<value>[\[{].*)"
)
_RECEIVED = re.compile(r"(?P<key>Receive[d]?(?: request)? [^:]*: prompt: )(?!['\"]|None\b)(?P<value>.*?)(?=, params|$)")
_DATA_URL = re.compile(r"(data:[\w/+.-]+;base64,)[A-Za-z0-9+/=]+")
_QUOTED = re.compile(r"[:=]\s*b?['\"\[{]")  # nothing is said where nothing is quoted
_KEY_WORDS = (  # cheap to look for; most lines hold none of them, and are not looked at more closely
    *("key", "token", "secret", "passw", "passp", "credential", "authori", "cookie", "signature", "access", "sas"),
    *("bearer ", "basic ", "://", "?", "private", "hf_", "sk-", "eyj", "ghp_", "gho_", "ghs_", "ghu_", "github_pat_"),
    *("glpat-", "xox", "nvapi-", "aiza", "akia", "asia", "ltai", "dapi", "r8_", "pplx-", "gsk_"),
)
_OF_A_LOGGER = '{"text": '  # a whole log line as JSON: what stands in it is looked at, not taken out
_BRACKETS = {"[": "]", "{": "}", "(": ")"}


class Mask:
    """Takes out what is secret by its name, by its look, and what is `known` to be: the values themselves."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        words = {word for word in known if len(word) >= SHORTEST}
        longest_first = sorted(words, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if words else None

    def line(self, text: str) -> str:
        """One line without its end; what is longer than 16,000 characters is cut."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        text = text[: 4 * LONGEST]
        lower = text.lower().replace("tokens/s", "")
        if any(word in lower for word in _KEY_WORDS):
            text = _without_keys(text)
        if _QUOTED.search(text) or "base64" in lower or "prompt: " in lower:
            text = _without_words(text)
        return text if len(text) <= LONGEST else text[:LONGEST] + " …"

    def lines(self, texts: Iterable[str]) -> list[str]:
        return [self.line(text) for text in texts]


def _without_keys(text: str) -> str:
    for pattern in (*SECRETS, _TOKENS):
        text = pattern.sub(MASK, text)
    text = _USER_IN_URL.sub(MASK, text)
    text = _QUERY.sub(lambda found: found["path"] + MASK, text)
    text = _NAMED.sub(lambda found: found["key"] + _masked(found["value"]), text)
    return NAMED_SECRET.sub(_without_named, text)


def _without_named(found: re.Match[str]) -> str:
    """But a setting stays (max_token=128), and so does the word after a flag that is quoted: '--max-token' found."""
    key, value = found["key"], found["value"]
    is_prose = key[-1].isspace() and key.rstrip()[-1:] in {"'", '"'} and value[0] not in "'\"["
    if is_prose or _SETTING.fullmatch(value.strip("[]'\"")):
        return found[0]
    return key + _masked(value)


def _masked(value: str) -> str:
    """In the quotes that it had: whoever reads arguments finds one that was given."""
    quote = value[0] if value[0] in "'\"" else ""
    return f"{quote}{MASK}{quote}"


def _without_words(text: str) -> str:
    """Without what clients asked and the model answered."""
    text = _DATA_URL.sub(r"\1***", text)
    text = _RECEIVED.sub(lambda found: found["key"] + MASK, text)
    text = _ANSWERED.sub(lambda found: found["key"] + MASK, text)
    begin = len(_OF_A_LOGGER) if text.startswith(_OF_A_LOGGER) and '"record": ' in text else 0
    text = text[:begin] + _SAID.sub(lambda found: found["key"] + MASK, text[begin:])
    parts: list[str] = []
    while found := _SAID_LIST.search(text):
        value = found["value"]
        end = _end_of(value)
        parts += [text[: found.start()], found["key"], _emptied(value[:end])]
        text = value[end:]
    return "".join(parts) + text


def _end_of(value: str) -> int:
    """Where the bracket that opens `value` is closed; its length where it never is."""
    open_: list[str] = []
    quote = ""
    skip = False
    for position, char in enumerate(value):
        if skip:
            skip = False
        elif quote:
            skip = char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in _BRACKETS:
            open_.append(_BRACKETS[char])
        elif open_ and char == open_[-1]:
            open_.pop()
            if not open_:
                return position + 1
    return len(value)


def _emptied(value: str) -> str:
    """`[]` is no secret, and that something was there is worth to be seen."""
    closing = _BRACKETS[value[0]]
    return value if not value[1:].strip(closing + " ") else value[0] + MASK + closing


# Arguments and environment

_SECRET_NAME = re.compile(
    r"(?i)key(?!word|file)|token(?!iz|s?[_-]?(?:len|num|per|budget|limit)|s\b)|secret|passw|passphrase|credential|auth(?!or)|cookie"
)
_KEPT_FAMILIES = re.compile(
    r"(?:VLLM|SGLANG|NCCL|GLOO|UCX|CUDA|CUBLAS|CUDNN|NVIDIA|NVSHMEM|TORCH|PYTORCH|TORCHINDUCTOR|TRITON|OMP|MKL|KMP|GOMP"
    r"|OPENBLAS|RAY|HF|TRANSFORMERS|TOKENIZERS|SAFETENSORS|FLASHINFER|LMCACHE|MASTER|RANK|WORLD|LOCAL|HIP|ROCR"
    r"|ROCM|HSA|MALLOC|PYTHON|OTEL|PROMETHEUS)(?:_[A-Z0-9_]*)?\Z"
)
_KEPT_NAMES = frozenset(
    "LD_LIBRARY_PATH LD_PRELOAD LANG LC_ALL TZ TMPDIR XDG_CACHE_HOME NODE_RANK http_proxy https_proxy no_proxy"
    " HTTP_PROXY HTTPS_PROXY NO_PROXY CUDA_VISIBLE_DEVICES DO_NOT_TRACK PYTHONPATH VIRTUAL_ENV CONDA_PREFIX".split()
)


def is_secret_name(name: str) -> bool:
    """Whether a flag or a variable of that name holds something that nobody else may know."""
    return _SECRET_NAME.search(name) is not None


def masked_arguments(argv: Sequence[str]) -> list[str]:
    """A command line without the values of its secret flags, also where one flag takes several."""
    mask = Mask()
    kept: list[str] = []
    hiding = False
    for word in argv:
        if word.startswith("-"):
            name, given, _ = word.partition("=")
            hiding = is_secret_name(name)
            kept.append(f"{name}={MASK}" if hiding and given else mask.line(word))
        else:
            kept.append(MASK if hiding else mask.line(word))
    return kept


def masked_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that change how an engine works, each by its name on a list; none that is secret."""
    mask = Mask(known_secrets((), environment))
    return {
        name: MASK if is_secret_name(name) else mask.line(value)
        for name, value in sorted(environment.items())
        if name in _KEPT_NAMES or _KEPT_FAMILIES.match(name)
    }


def known_secrets(argv: Sequence[str], environment: Mapping[str, str]) -> set[str]:
    """The secrets themselves that a process was started with, to be looked for wherever it may have written them."""
    found = {value.strip() for name, value in environment.items() if is_secret_name(name)}
    hiding = False
    for word in argv:
        if word.startswith("-"):
            name, given, value = word.partition("=")
            hiding = is_secret_name(name)
            found |= {value} if hiding and given else set()
        elif hiding:
            found.add(word)
    return {word for word in found if len(word) >= SHORTEST and not _is_harmless(word)}


def _is_harmless(word: str) -> bool:
    """A path, a number or a plain word: blotting these out would hide what a diagnosis needs."""
    return word.startswith(("/", "./")) or re.fullmatch(r"[\d.,]+|[a-z]{1,8}|[A-Z]{1,8}|true|false", word) is not None
