"""How a figure, a time and a duration are written. What is not known is a dash, never a zero."""

from datetime import datetime, timedelta

ABSENT = "–"
_NS = 1_000_000_000


def rate(value: float | None) -> str:
    """A rate a second: `1,842`, `7.3`."""
    if value is None:
        return ABSENT
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.1f}"


def count(value: float | None) -> str:
    return ABSENT if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """0..1 as a percentage."""
    return ABSENT if value is None else f"{value * 100:.0f}%"


def latency(seconds: float | None) -> str:
    """`18ms`, `0.92s`, `12.4s`, `184s`."""
    if seconds is None:
        return ABSENT
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f}ms" if seconds >= 0.00995 or seconds == 0 else f"{seconds * 1000:.1f}ms"
    if seconds < 9.995:
        return f"{seconds:.2f}s"
    return f"{seconds:.1f}s" if seconds < 99.95 else f"{seconds:.0f}s"


def duration(seconds: float) -> str:
    """The two largest units: `8s`, `4m12s`, `2h05m`, `3d04h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def between(start_ns: int, end_ns: int) -> str:
    """The time from one moment to another; a dash where the first is not known."""
    return duration((end_ns - start_ns) / _NS) if start_ns else ABSENT


def after(first_ns: int, at_ns: int) -> str:
    """The time since the first event of a story: `+0.3s`, `+41s`, `+16m26s`."""
    seconds = (at_ns - first_ns) / _NS
    return f"+{seconds:.1f}s" if seconds < 9.95 else f"+{duration(seconds)}"


def local(at_ns: int) -> datetime:
    """A moment in the reader's zone."""
    return datetime.fromtimestamp(at_ns // _NS).astimezone() + timedelta(microseconds=at_ns % _NS // 1000)


def clock(at_ns: int) -> str:
    """HH:MM:SS in the reader's zone."""
    return local(at_ns).strftime("%H:%M:%S")


def day_and_time(at_ns: int) -> str:
    """`2026-11-24 03:12:07` in the reader's zone."""
    return local(at_ns).strftime("%Y-%m-%d %H:%M:%S")


def size(in_bytes: int) -> str:
    """`812 B`, `41 kB`, `2.4 MB`, `31 MB`, `4.1 GB`."""
    value = float(in_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or unit == "GB":
            break
        value /= 1000
    return f"{value:.1f} {unit}" if value < 9.95 and unit in ("MB", "GB") else f"{value:.0f} {unit}"
