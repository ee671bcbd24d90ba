"""What is wrong in a configuration, in a person's words, with file and line; never a value that may be a secret."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from paramedic.app import config
from paramedic.knowledge.yaml_file import Where, YamlFile, did_you_mean
from paramedic.model.errors import Problem

_NOTIFIERS: dict[str, type[config.Section]] = {
    "webhook": config.WebhookConfig,
    "email": config.EmailConfig,
    "terminal": config.TerminalConfig,
}
_SECTIONS: dict[tuple[str, ...], tuple[type[config.Section], ...]] = {
    (): (config.Config,),
    ("targets",): (config.TargetConfig,),
    ("targets", "api_key"): (config.Secret,),
    ("modes",): (config.Modes,),
    ("recovery",): (config.Recovery,),
    ("notifiers",): tuple(_NOTIFIERS.values()),
    ("notifiers", "secret"): (config.Secret,),
    ("notifiers", "password"): (config.Secret,),
    ("server",): (config.Server,),
}

_WORDS = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "finite_number": "must be a finite number",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
    "dict_type": "must hold keys and values",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "string_pattern_mismatch": "must not contain blanks",
    "union_tag_not_found": f"key 'type' is missing (one of {', '.join(map(repr, _NOTIFIERS))})",
}


def problems(error: ValidationError, file: YamlFile, origins: Mapping[str, str]) -> list[Problem]:
    """Every mistake that pydantic found. `origins` names the options and variables that override a top-level key."""
    found = []
    for detail in error.errors(include_url=False):
        where = _place(detail["loc"], file.data)
        text, hint = _sentence(detail, where)
        if origin := origins.get(dotted(where)):
            found.append(Problem(origin, 0, text, hint))
        else:
            found.append(Problem(file.name, file.line(*where), text, hint))
    return found


def duplicates(file: YamlFile) -> Iterator[Problem]:
    """Names and URLs that stand for two things."""
    for key, field in (("targets", "name"), ("targets", "url"), ("notifiers", "name")):
        items = file.data.get(key) if isinstance(file.data, dict) else None
        values = [_value(item, field) for item in items] if isinstance(items, list) else []
        counts = Counter(value for value in values if value)
        for index, value in enumerate(values):
            if counts[value] > 1 and value in values[:index]:
                where: Where = (key, index, field)
                first = file.line(key, values.index(value), field)
                yield Problem(file.name, file.line(*where), f"{dotted(where)}: is already used in line {first}")


def _value(item: Any, field: str) -> str:
    value = item.get(field) if isinstance(item, dict) else None
    if not isinstance(value, str):
        return ""
    try:
        return config.parse_url(value) if field == "url" else value
    except ValueError:
        return ""  # a mistake of its own, told elsewhere


def dotted(where: Where) -> str:
    """`targets[0].url`."""
    text = ""
    for step in where:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".")


def _place(loc: tuple[int | str, ...], data: Any) -> Where:
    """`loc` without the tags that pydantic puts in for the kinds of a notifier."""
    where: list[int | str] = []
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(step, int):
            where.append(step)
            data = data[step] if isinstance(data, list) and step < len(data) else None
        elif step in _NOTIFIERS and not (isinstance(data, dict) and step in data):
            continue  # the tag
        elif isinstance(data, dict) and (step in data or last):
            where.append(step)
            data = data.get(step)
        elif last:
            where.append(step)
    return tuple(where)


def _sentence(detail: Any, where: Where) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    name = dotted(where)
    if kind == "extra_forbidden":
        known = _known_keys(where, detail["loc"])
        return f"unknown key {name!r}", did_you_mean(str(where[-1]), known) or f"known are {', '.join(known)}"
    if kind == "invalid_key":
        return f"the key {str(where[-1]).lower()!r} is not a word", "write key: value, such as interval: 5s"
    if kind == "missing":
        return f"{dotted(where[:-1])}: key {where[-1]!r} is missing", ""
    if kind in ("enum", "literal_error", "union_tag_invalid"):
        return _not_one_of(name, kind, detail["input"], context)
    if kind == "value_error":
        return f"{name}: {context['error']}", ""
    words = _WORDS.get(kind, detail["msg"])
    return f"{name}: {words.format(**context)}" if name else words.format(**context), ""


def _known_keys(where: Where, loc: tuple[int | str, ...]) -> list[str]:
    sections = _SECTIONS.get(tuple(step for step in where[:-1] if isinstance(step, str)), ())
    if len(sections) > 1:  # pydantic puts the kind of a notifier into the place
        sections = tuple(section for kind, section in _NOTIFIERS.items() if kind in loc) or sections
    return sorted(field for section in sections for field in section.model_fields)


def _not_one_of(name: str, kind: str, given: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    expected = str(context.get("expected") or context.get("expected_tags", ""))
    if kind == "union_tag_invalid":
        name, given = f"{name}.type", context.get("tag", "")
    known = [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
    shown = repr(given) if isinstance(given, str) and len(given) <= 40 else "this"
    return f"{name}: {shown} is not one of {', '.join(known)}", did_you_mean(str(given), known)
