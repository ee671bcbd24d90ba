"""Lines of styled text in columns, measured in terminal cells, so that Chinese lines up too."""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

Line = Text
Span = tuple[str, str]  # text, style


_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233, *range(8234, 8239)), "·") | {9: " "}


def clean(text: str) -> str:
    """`text` without control characters: a server's log must not steer the reader's terminal."""
    return text.translate(_CONTROLS)


def line(*spans: Span | str) -> Line:
    """One line of spans; it is cut, never wrapped."""
    parts = ((clean(part), "") if isinstance(part, str) else (clean(part[0]), part[1]) for part in spans)
    return Line.assemble(*parts, no_wrap=True, overflow="ellipsis")


def line_and_rest(width: int, indent: str, head: Iterable[Span | str], rest: Iterable[Span | str]) -> Iterator[Line]:
    """`head` and `rest` in one line of at most `width` cells, or the rest in a line of its own."""
    first, second = line(*head), line(*rest)
    if not second.plain.strip():
        yield first
    elif first.cell_len + 2 + second.cell_len <= width:
        yield line(*head, "  ", *rest)
    else:
        yield first
        yield line(indent, *rest)


def padded(text: str, width: int, right: bool = False) -> str:
    """`text` in exactly `width` cells or more; never cut."""
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` cells, cut in the middle: the end of a server's name is its address."""
    if cell_len(text) <= width:
        return text
    tail = max(1, (width - 1) * 3 // 5)
    end = text[-tail:]
    while cell_len(end) > tail:
        end = end[1:]
    return set_cell_size(text, max(0, width - 1 - cell_len(end))).rstrip() + "…" + end


def columns(rows: Iterable[Sequence[str]]) -> list[int]:
    """The width of each column."""
    return [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """`text` in lines of at most `width` cells, each behind `indent`; words stay whole, Chinese breaks anywhere."""
    lines, current = [], ""
    for piece in _pieces(text):
        if current and cell_len(indent + current + piece.rstrip()) > width:
            lines.append(indent + current.rstrip())
            current = ""
        current += piece if current else piece.lstrip()
    return [*lines, indent + current.rstrip()]


def _pieces(text: str) -> Iterable[str]:
    word = ""
    for character in text:
        wide = cell_len(character) > 1
        # A closing mark never begins a line.
        if wide and character in "，。；：、！？）》」”":
            yield word + character
            word = ""
        elif wide:
            if word:
                yield word
            word = character
        elif word and cell_len(word[-1]) > 1:
            yield word
            word = character
        else:
            word += character
            if character.isspace():
                yield word
                word = ""
    if word:
        yield word
