"""The fixed piece of a message by which its lines are found in a log: hardly ever in a healthy one."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

WORD = re.compile(r"\w+")
COMMON = frozenset(  # in every other line of a healthy log
    """EngineCore APIServer Worker INFO ERROR WARNING HTTP POST GET Engine v1 chat completions OK Application startup
    tokens prompt generation throughput Running Waiting reqs cache usage hit rate models embeddings health metrics
    engine request requests server pid args model""".split()
)
# A log in JSON writes the first of these in another way, and a table fills up before the others with blanks.
UNSTEADY = re.compile(r'["\\<>&\x00-\x1f\x7f-\U0010ffff]+| [:|=+-]+(?= )')
ANSWER = re.compile(r'HTTP/1\.1" (?P<code>[1-5]\d\d)$')
NAME = re.compile(r"[_=/.:\d-]\w|[a-z][A-Z]|^[A-Z]{4}")  # a piece of code rather than an English word
ENOUGH = 12  # characters of code; shorter pieces are found where they mean something else
ENOUGH_ENGLISH = 18  # characters of words that anybody may write
ENOUGH_WHOLE = 8  # characters of all that stands between two holes


@lru_cache(maxsize=8)  # a catalogue's messages are the same in every diagnosis, and a thousand take a tenth of a second
def choose_anchors(messages: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """For each message, given as its fixed pieces: literals of which every line that holds them all holds at least one.

    Nearly always it is one literal, and one that other messages share: the fewer there are, the faster they are found.
    """
    each = [_candidates(pieces) for pieces in messages]
    shared = Counter(window for windows in each for window in windows)
    return tuple(
        (max(windows, key=lambda window: (shared[window], len(window))),) if windows else _spelled_out(pieces)
        for windows, pieces in zip(each, messages, strict=True)
    )


def _candidates(pieces: Sequence[str]) -> frozenset[str]:
    fragments = [part.strip() for piece in pieces for part in UNSTEADY.split(piece)]
    windows = frozenset(window for fragment in fragments for window in _windows(fragment))
    wholes = (part for part in fragments if len(part) >= ENOUGH_WHOLE and _rarity(part)[0])
    return windows or frozenset(sorted(wholes, key=len)[-1:])


def _spelled_out(pieces: Sequence[str]) -> tuple[str, ...]:
    """The best piece of a message that has no telling one, in every way in which a log may write it."""
    whole = max((piece.strip() for piece in pieces), key=_rarity)
    if answer := ANSWER.search(whole):  # an access line, plain, in JSON, or with its status in colour
        return (answer[0], answer[0].replace('"', '\\"'), f"m{answer['code']} ")
    return tuple(dict.fromkeys((whole, _in_json(whole), _in_ascii_json(whole), _in_go_json(whole))))


def _windows(fragment: str) -> Iterator[str]:
    """Neighbouring words that are telling enough, as few as can be: a line may space them out in other ways."""
    words = fragment.split(" ")
    for count in range(1, len(words) + 1):
        windows = (" ".join(words[first : first + count]).strip() for first in range(len(words) - count + 1))
        telling = [window for window in windows if _is_telling(window, count)]
        if telling:
            yield from telling
            return


def _is_telling(window: str, words: int) -> bool:
    enough = ENOUGH if NAME.search(window) else ENOUGH_ENGLISH
    return len(window) >= enough and _rarity(window)[0] and (words > 1 or NAME.search(window) is not None)


def _rarity(text: str) -> tuple[bool, int]:
    words = [word for word in WORD.findall(text) if not word.isdigit()]
    return (not COMMON.issuperset(words), len(text))


def _in_json(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")


def _in_ascii_json(text: str) -> str:
    return "".join(letter if letter < "\x7f" else f"\\u{ord(letter):04x}" for letter in _in_json(text))


def _in_go_json(text: str) -> str:
    """As docker writes it."""
    return _in_json(text).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
