"""A message as its author pastes it, with {named} holes: matched as whole words."""

import re
from dataclasses import dataclass, field
from functools import cache

from paramedic.diagnosis.anchor import COMMON, WORD

HOLE = re.compile(r"\.\.\.|\{(?P<name>[a-z][a-z0-9_]*)(?::(?P<kind>\w+))?\}")
KINDS = {
    "int": r"\d[\d,]*",
    "num": r"-?\d[\d,]*(?:\.\d+)?",
    "word": r"[^\s,;)\]}'\"`]+",
    "text": r".+?",
}


@dataclass(frozen=True, slots=True)
class Template:
    """`{name}` catches text up to what follows, `{name:int|num|word}` something narrower, `...` skips anything.

    A leading `^` means: the message begins with it.
    """

    text: str
    pattern: str = field(repr=False, compare=False)
    names: frozenset[str] = frozenset()  # of its holes
    numeric: frozenset[str] = frozenset()  # the holes that catch numbers; their thousands commas are taken out
    pieces: tuple[str, ...] = field(default=(), repr=False, compare=False)  # of fixed text, between the holes

    @property
    def word(self) -> str:
        """The rarest word of its fixed text."""
        words: list[str] = WORD.findall(" ".join(self.pieces))
        return max(words, key=lambda word: (word not in COMMON, len(word)))

    @property
    def regex(self) -> re.Pattern[str]:
        """Compiled when it is first needed: of hundreds of messages a log holds a few."""
        return _compiled(self.pattern)

    def match(self, line: str) -> dict[str, str] | None:
        """The named parts of a line that contains this message, or None."""
        found = self.regex.search(line)
        if found is None:
            return None
        caught = {key: value for key, value in found.groupdict().items() if value is not None}
        return {key: value.replace(",", "") if key in self.numeric else value for key, value in caught.items()}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def compile_template(text: str) -> Template:
    """Make a template; a text that cannot work raises ValueError with the reason."""
    parts: list[str] = ["^"] if text.startswith("^") else []
    fixed = text.removeprefix("^")
    names: set[str] = set()
    pieces = tuple(piece for piece in HOLE.sub("\0", fixed).split("\0") if piece.strip())
    at = 0
    for hole in HOLE.finditer(fixed):
        _literal(fixed[at : hole.start()], parts, open_start=at > 0, open_end=True)
        at = hole.end()
        parts.append(_hole(hole, names, is_last=at == len(fixed)))
    _literal(fixed[at:], parts, open_start=at > 0, open_end=False)
    if not any(WORD.search(piece) for piece in pieces):
        raise ValueError("a message needs at least one fixed word")
    pattern = "".join(parts).replace(r"\s+.*?\s+", r"\s+(?:.*?\s+)?")  # ` ... ` may stand for nothing
    numeric = frozenset(hole["name"] for hole in HOLE.finditer(text) if hole["kind"] in {"int", "num"})
    return Template(text, pattern, frozenset(names), numeric, pieces)


def _hole(hole: re.Match[str], names: set[str], is_last: bool) -> str:
    name, kind = hole["name"], hole["kind"] or "text"
    if name is None:
        return r".*?"
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r} in {hole[0]} (one of {', '.join(KINDS)})")
    if name in names:
        raise ValueError(f"{{{name}}} stands twice in one message")
    names.add(name)
    pattern = r"\S.*" if kind == "text" and is_last else KINDS[kind]
    return f"(?P<{name}>{pattern})"


def _literal(text: str, parts: list[str], *, open_start: bool, open_end: bool) -> None:
    """Fixed text: whole words at its ends, except where a hole touches them and may hold the rest of the word."""
    if not text:
        return
    starts, ends = bool(WORD.match(text)), bool(WORD.match(text[-1]))
    start = r"\b" if starts and not open_start else ""
    end = r"\b" if ends and not open_end else ""
    parts.append(start + re.escape(text).replace(r"\ ", r"\s+") + end)
