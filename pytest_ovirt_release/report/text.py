"""Texts as people read them: times in UTC, durations, sizes, and characters that could deceive made visible."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DECEIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_DATE_ONLY = 10
_MINUTE = 60
_HOUR = 3600
_KIB = 1024
_INLINE = 90
_NO_DATE = 20


def visible(text: object) -> str:
    """Write control, direction and zero-width characters and lone surrogates as escapes.

    They could hide or reorder what a reader sees, break XML, or not be writable as UTF-8 at all.
    """
    return _DECEIVING.sub(lambda m: f"\\u{ord(m.group()):04x}", str(text).replace("\r\n", "\n"))


def one_line(text: object) -> str:
    """Return a visible text with every run of white space as one blank."""
    return " ".join(visible(text).split())


def shorten(text: str, limit: int) -> str:
    """Keep head and tail of a text longer than `limit` characters, saying how much was left out."""
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    tail = limit - head
    return f"{text[:head]} [… {len(text) - limit} characters in verdict.json …] {text[-tail:]}"


def utc(moment: str | None) -> str:
    """Show an ISO 8601 moment in UTC; a bare date stays one, what is no date is shown as it is, cut if it is long."""
    if not moment:
        return "not known"
    if len(moment) == _DATE_ONLY:
        return visible(moment)
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        return shorten(visible(moment), _NO_DATE)
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.strftime("%Y-%m-%d %H:%M:%S UTC" if when.second else "%Y-%m-%d %H:%M UTC")


def duration(seconds: float) -> str:
    """Show seconds as a person would say them."""
    if seconds < 0.05:  # noqa: PLR2004 - below what one digit after the point can show
        return "0 s"
    if seconds < 10:  # noqa: PLR2004 - one digit after the point only where it matters
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"


def size(octets: int | None) -> str:
    """Show a number of bytes in a unit that fits."""
    if octets is None:
        return ""
    number = float(octets)
    for unit in ("bytes", "KiB", "MiB"):
        if number < _KIB:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= _KIB
    return f"{number:.1f} GiB"


def value_text(value: object) -> str:
    """Show a value of evidence as an outline: one line for each key or entry, indented below what holds it."""
    return visible("\n".join(_outline(value)))


def _outline(value: object) -> list[str]:
    if isinstance(value, dict):
        return [line for key, held in value.items() for line in _held(f"{key}:", held)]
    if isinstance(value, list | tuple):
        if all(isinstance(v, str | int | float) and "\n" not in str(v) for v in value):
            inline = ", ".join(_plain(v) for v in value) or "none"
            if len(inline) <= _INLINE:
                return [inline]
        return [line for held in value for line in _held("-", held)]
    return _plain(value).rstrip("\n").split("\n")


def _held(label: str, value: object) -> list[str]:
    lines = _outline(value)
    if len(lines) == 1 and not isinstance(value, dict):
        return [f"{label} {lines[0]}".rstrip()]
    return [label, *(f"  {line}" for line in lines)]


def _plain(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{round(value, 3)}" if isinstance(value, float) else str(value)
