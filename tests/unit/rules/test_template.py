"""Annotation templates: the forms that we fill in equal Prometheus's, the others are refused."""

import math

import pytest

from paramedic.rules.template import TemplateError, parse_template


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        ("{{ $labels.target }} is down", 1, "qwen is down"),
        ("{{$labels.missing}}!", 1, "!"),
        ("{{ $value }}", 3.0, "3"),
        ("{{ $value }}", 0.25, "0.25"),
        ("{{ $value }}", math.inf, "+Inf"),
        ("{{ $value | humanize }}", 1234567, "1.235M"),
        ("{{ $value | humanize }}", 0.00123, "1.23m"),
        ("{{ $value | humanize }}", 0, "0"),
        ("{{ $value | humanize1024 }}", 2048, "2ki"),
        ("{{ $value | humanizePercentage }}", 0.0525, "5.25%"),
        ("{{ $value | humanizeDuration }}", 12.5, "12.5s"),
        ("{{ $value | humanizeDuration }}", 3725, "1h 2m 5s"),
        ("{{ $value | humanizeDuration }}", 90000, "1d 1h 0m 0s"),
        ("{{ $value | humanizeDuration }}", 0.0123, "12.3ms"),
        ("{{ $value | humanizeDuration }}", -75, "-1m 15s"),
        ('{{ printf "%.1f" $value }} s', 1.25, "1.2 s"),
        ('{{ $value | printf "%.2f%%" }}', 3.14159, "3.14%"),
    ],
)
def test_filled_in(template: str, value: float, expected: str) -> None:
    assert parse_template(template).render({"target": "qwen"}, value) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ $labels.x | title }}",
        "{{ if $value }}a{{ end }}",
        "{{ query `up` }}",
        "{{ $value",
        "a }}",
        "{{ . }}",
        '{{ printf "%s" $value }}',
    ],
)
def test_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        parse_template(template)
