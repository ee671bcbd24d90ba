"""The words of an alert: Prometheus's annotation templates, the few forms that a sentence needs."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from paramedic.model.errors import ParamedicError

Form = Literal["plain", "humanize", "humanize1024", "humanizePercentage", "humanizeDuration", "printf"]

_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_LABEL = re.compile(r"\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)")
_VALUE = re.compile(r"\$value(?:\s*\|\s*(humanize|humanize1024|humanizePercentage|humanizeDuration))?")
_PRINTF = re.compile(r'(?:printf\s+"(%\.?\d*[fgde]%?%?)"\s+\$value|\$value\s*\|\s*printf\s+"(%\.?\d*[fgde]%?%?)")')
_FORMS = (
    "{{ $labels.NAME }}, {{ $value }}, {{ $value | humanize }} (or humanize1024, humanizePercentage, "
    'humanizeDuration), {{ printf "%.1f" $value }}'
)


class TemplateError(ParamedicError):
    """A template that Paramedic cannot fill in."""


@dataclass(frozen=True, slots=True)
class _Label:
    name: str


@dataclass(frozen=True, slots=True)
class _Value:
    form: Form
    format: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places for labels and the value."""

    text: str
    parts: tuple[str | _Label | _Value, ...]

    def labels(self) -> tuple[str, ...]:
        """The labels that it names."""
        return tuple(part.name for part in self.parts if isinstance(part, _Label))

    def render(self, labels: Mapping[str, str], value: float) -> str:
        """The sentence; a label that is absent is empty, as in Prometheus."""
        return "".join(_fill(part, labels, value) for part in self.parts)


def parse_template(text: str) -> Template:
    """Read a template. Raises TemplateError for every form that is not implemented."""
    parts: list[str | _Label | _Value] = []
    end = 0
    for action in _ACTION.finditer(text):
        parts.extend([text[end : action.start()], _action(action[1].strip("- \t\n"))])
        end = action.end()
    rest = text[end:]
    if "{{" in rest or "}}" in rest:
        raise TemplateError(f"the template {text!r} has an unclosed brace")
    return Template(text, tuple(part for part in (*parts, rest) if part != ""))


def _action(inside: str) -> _Label | _Value:
    if match := _LABEL.fullmatch(inside):
        return _Label(match[1])
    if match := _VALUE.fullmatch(inside):
        form: Form = match[1] or "plain"  # type: ignore[assignment]  # the pattern allows only forms
        return _Value(form)
    if match := _PRINTF.fullmatch(inside):
        return _Value("printf", match[1] or match[2])
    raise TemplateError(f"the template {{{{ {inside} }}}} is not implemented (implemented: {_FORMS})")


def _fill(part: str | _Label | _Value, labels: Mapping[str, str], value: float) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, _Label):
        return labels.get(part.name, "")
    if part.form == "printf":
        return part.format % value
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    match part.form:
        case "humanize":
            return _scaled(value, 1000.0, ("", "k", "M", "G", "T", "P", "E", "Z", "Y"))
        case "humanize1024":
            return _scaled(value, 1024.0, ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"))
        case "humanizePercentage":
            return f"{value * 100:.4g}%"
        case "humanizeDuration":
            return duration(value)
    return f"{value:g}" if value != int(value) or abs(value) >= 1e21 else str(int(value))


def _scaled(value: float, base: float, prefixes: tuple[str, ...]) -> str:
    if value == 0:
        return "0"
    if abs(value) < 1 and base == 1000.0:
        for prefix in ("", "m", "u", "n", "p", "f", "a", "z", "y"):
            if abs(value) >= 1:
                return f"{value:.4g}{prefix}"
            value *= 1000
        return f"{value / 1000:.4g}y"
    for prefix in prefixes[:-1]:
        if abs(value) < base:
            return f"{value:.4g}{prefix}"
        value /= base
    return f"{value:.4g}{prefixes[-1]}"


def duration(seconds: float) -> str:
    """`1h 2m 3s`; below a minute with four digits, below a second in ms and smaller."""
    if seconds == 0:
        return "0s"
    if abs(seconds) < 1:
        return _scaled(seconds, 1000.0, ("",)) + "s"
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    if rest < 60:
        return f"{sign}{rest:.4g}s"
    whole = int(rest)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    text = f"{minutes}m {whole % 60}s"
    if days or hours:
        text = f"{hours}h {text}"
    return f"{sign}{days}d {text}" if days else sign + text
