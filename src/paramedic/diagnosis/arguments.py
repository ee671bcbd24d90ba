"""How an engine was started: its arguments, from its command line or from what it logged of them."""

import re
from collections.abc import Iterable, Mapping, Sequence

from paramedic.diagnosis.conditions import Value, read_value

LOGGED = re.compile(r"'(?P<key>[a-z_0-9]+)': (?P<value>'[^']*'|\"[^\"]*\"|[\w.+-]+)")
NAMESPACE = re.compile(r"\b(?P<key>[a-z_0-9]+)=(?P<value>'[^']*'|\"[^\"]*\"|[\w.+-]+)")
RESOLVED = {
    "dtype",
    "quantization",
    "enforce_eager",
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "kv_cache_dtype",
}
RENAMED = {"max_seq_len": "max_model_len"}
ASSUMED: Mapping[str, Value] = {  # vLLM's usual defaults
    "max_num_seqs": 256.0,
    "max_num_batched_tokens": 8192.0,
    "tensor_parallel_size": 1.0,
}
NAMES = {"tp": "tensor_parallel_size", "pp": "pipeline_parallel_size", "dp": "data_parallel_size"}


def logged_arguments(text: str) -> dict[str, Value]:
    """The arguments in a `non-default args: {...}` or `args: Namespace(...)` line, {} where there are none."""
    if "non-default args:" in text:
        return _pairs(LOGGED.finditer(text.split("non-default args:", 1)[1]))
    if "args: Namespace(" in text:
        return _pairs(NAMESPACE.finditer(text.split("args: Namespace(", 1)[1]))
    return {}


def resolved_arguments(text: str) -> dict[str, Value]:
    """What an engine says of the configuration it ended up with (`Initializing ... with config: ...`)."""
    pairs = _pairs(NAMESPACE.finditer(text.replace("torch.", "")))
    named = {RENAMED.get(key, key): value for key, value in pairs.items()}
    return {key: value for key, value in named.items() if key in RESOLVED or key in RENAMED.values()}


def command_arguments(words: Sequence[str]) -> dict[str, Value]:
    """The flags of a command line: --name value, --name=value, --switch, --no-switch."""
    found: dict[str, Value] = {}
    for position, word in enumerate(words):
        if not word.startswith("-") or word in {"-", "--"}:
            continue
        name, given, value = word.lstrip("-").partition("=")
        key = NAMES.get(name, name.replace("-", "_"))
        following = words[position + 1] if position + 1 < len(words) else "--"
        if given:
            found[key] = read_value(value)
        elif not following.startswith("-"):
            found[key] = read_value(following)
        elif key.startswith("no_"):
            found[key.removeprefix("no_")] = False
        else:
            found[key] = True
    return found


def as_fields(arguments: Mapping[str, Value]) -> dict[str, str]:
    """Arguments as the numbers that texts and flags may name, with a half, a double and a step either way."""
    fields: dict[str, str] = {}
    for key, value in arguments.items():
        fields[key] = f"{value:g}" if isinstance(value, float) and abs(value) < 1e5 else _whole(value)
        if isinstance(value, float) and value >= 1 and value.is_integer():
            fields[f"{key}_half"] = str(max(1, int(value) // 2))
            fields[f"{key}_double"] = str(int(value) * 2)
    return fields | _utilisation(arguments)


def _utilisation(arguments: Mapping[str, Value]) -> dict[str, str]:
    """One step down and up; the engine's default where none was given."""
    now = arguments.get("gpu_memory_utilization", 0.9)
    if not isinstance(now, float):
        return {}
    fields = {"utilization": f"{now:g}", "utilization_lower": f"{max(0.05, now - 0.05):.2f}"}
    return fields | ({"utilization_higher": f"{min(0.95, now + 0.05):.2f}"} if now < 0.95 else {})


def _whole(value: Value) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _pairs(found: Iterable[re.Match[str]]) -> dict[str, Value]:
    return {match["key"]: read_value(match["value"]) for match in found if match["value"] != "None"}
