"""What the YAML parser says of a mistake, in a person's words; never a part of the text, which may be a secret."""

import re

_QUOTES = "a text that holds ': ' or begins with one of * & ! @ % ` needs quotes"

_WORDS = tuple(
    (re.compile(pattern), text, hint)
    for pattern, text, hint in (
        (r"found character '\\t'", "a tab cannot indent YAML", "use blanks"),
        (r"found character '.*' that cannot start", "a value begins with a character that has a meaning", _QUOTES),
        (r"but found another document", "a second document begins here", "a file holds one: leave out the ---"),
        (r"found unexpected end of stream", "a quote begins here and does not end", "close it"),
        (r"expected the node content", "the file ends too early", "is a bracket or a brace not closed?"),
        (r"expected ',' or", "a list or mapping in brackets goes wrong here", "is a comma or the bracket missing?"),
        (r"could not find expected ':'", "a key without its ':'", "write key: value"),
        (r"mapping values are not allowed", "a ':' that is not expected here", f"check the indentation; {_QUOTES}"),
        (r"expected <block end>", "this line fits to nothing above it", "check the indentation"),
        (r"found undefined alias", "a * that refers to nothing", _QUOTES),
        (r"could not determine a constructor", "a ! with a meaning that is not known here", _QUOTES),
        (r"found duplicate anchor", "an & that is there twice", _QUOTES),
        (r"found unhashable key", "a key that is not a word", "write key: value"),
        (r"(special|control) characters are not allowed", "holds bytes that no text has", "is it the right file?"),
    )
)


def in_words(problem: str) -> tuple[str, str]:
    """(what is wrong, what to do) for a sentence of the parser; the sentence itself where it is not known."""
    for pattern, text, hint in _WORDS:
        if pattern.search(problem):
            return text, hint
    return problem, ""
