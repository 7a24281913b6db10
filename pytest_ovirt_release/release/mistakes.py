"""pydantic's findings about a data file, as sentences for the person who wrote the file."""

from __future__ import annotations

import difflib
import re
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

LONGEST_SHOWN = 70
_SECRET_KEY = re.compile(r"pass(word|phrase|wd)?$|secret|token|credential", re.IGNORECASE)
_USER_INFO = re.compile(r"://[^/@\s]*@")
_NAMES = ("id", "name", "role", "kind")
_DATE = "a date such as 2012-01-10, or a moment such as 2012-01-12T12:00:00Z"

_PATTERNS = {
    r"^[a-z0-9][a-z0-9.-]*$": "lower-case letters, digits, dots and dashes, beginning with a letter or digit",
    r"^[0-9a-f]{64}$": "a SHA-256 digest, 64 lower-case hex digits",
    r"^[0-9a-f]{40}([0-9a-f]{24})?$": "a full commit id, 40 or 64 lower-case hex digits",
    r"^[0-9A-F]{40}([0-9A-F]{24})?$": "a full fingerprint, 40 or 64 upper-case hex digits without blanks",
}
_EXPECTED = {
    "string_type": "a text in quotes",
    "string_too_short": "a text that is not empty",
    "string_too_long": "at most {max_length} characters",
    "literal_error": "{expected}",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number from {ge:g} on",
    "less_than_equal": "a number up to {le:g}",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "too_short": "a list of at least {min_length}",
    "dict_type": "a table",
    "model_type": "a table",
    "path_type": "a path in quotes",
    "date_expected": _DATE,
}
_EXPECTED_BY_TYPE = {
    str(str): "a text in quotes",
    str(int): "a whole number",
    str(date): _DATE,
    str(datetime): _DATE,
    str(datetime | date): _DATE,
    str(Path): "a path in quotes",
}


def sentences(error: ValidationError, data: Mapping[str, Any], model: type[BaseModel]) -> list[str]:
    """Return one sentence for each mistake: dotted key, bad value, what is allowed."""
    details = [d for d in error.errors(include_url=False) if not _is_echo(d)]
    found = [_sentence(detail, data, model) for detail in details]
    return list(dict.fromkeys(found))  # a union reports the same mistake once for each of its sides


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known word, or nothing."""
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def shown(value: object, key: str = "") -> str:
    """Return a value as it may stand in a message: short, on one line, without secrets."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if _SECRET_KEY.search(key.rpartition(".")[2]):
        return "***"
    text = _USER_INFO.sub("://***@", repr(value) if isinstance(value, str) else str(value))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def plain(name: str) -> str:
    """Return a name as it may stand in a message: short, on one line, without quotes around it."""
    return shown(name).strip("'")


def item_key(list_name: str, index: int, item: object) -> str:
    """Return `requirements[2 ssl-setup]`: place in the list, counted from 0, and the item's own name."""
    name = ""
    if isinstance(item, dict):
        name = next((item[k] for k in _NAMES if isinstance(item.get(k), str)), "")
    return f"{list_name}[{index} {plain(name)}]" if name else f"{list_name}[{index}]"


def _is_echo(detail: ErrorDetails) -> bool:
    """Return whether a list is called too short only because of mistakes inside its items."""
    given = detail["input"]
    least = detail.get("ctx", {}).get("min_length", 0)
    return detail["type"] == "too_short" and isinstance(given, list | tuple) and len(given) >= least


def _sentence(detail: ErrorDetails, data: Mapping[str, Any], model: type[BaseModel]) -> str:
    missing = detail["type"] == "missing"
    key, path = _key(data, detail["loc"], missing=missing)
    parent = _model_at(model, path[:-1])
    if missing:
        field = _fields(parent).get(str(path[-1])) if parent else None
        return f"{key}: missing; allowed: {_expected_by(field)}"
    if detail["type"] == "extra_forbidden":
        known = sorted(_fields(parent)) if parent else []
        return f"{key}: unknown key{nearest(str(path[-1]), known)}; allowed here: {', '.join(known)}"
    return f"{key}: {shown(detail['input'], key)} is not allowed; allowed: {_expected(detail)}"


def _key(data: object, loc: tuple[int | str, ...], *, missing: bool) -> tuple[str, tuple[int | str, ...]]:
    """Return the dotted key and the part of `loc` that stands in the file (a union adds its own names)."""
    text, path, here = "", [], data
    for position, part in enumerate(loc):
        if isinstance(part, int) and isinstance(here, list) and part < len(here):
            here = here[part]
            text = item_key(text, part, here)
        elif isinstance(here, dict) and (part in here or (missing and position == len(loc) - 1)):
            here = here.get(str(part))
            text = f"{text}.{plain(str(part))}" if text else plain(str(part))
        else:
            break
        path.append(part)
    return text or "the file", tuple(path)


def _model_at(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel] | None:
    here: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str) and here is not None:
            field = _fields(here).get(part)
            here = _model_in(field.annotation) if field else None
    return here


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model_in(a))), None)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _expected(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"a text of the form {context['pattern']}")
    if kind.startswith(("date", "time")):
        return _DATE
    return _EXPECTED[kind].format(**context) if kind in _EXPECTED else detail["msg"]


def _expected_by(field: FieldInfo | None) -> str:
    if field is None:
        return "a value"
    if get_origin(field.annotation) is Literal:
        return " or ".join(repr(a) for a in get_args(field.annotation))
    pattern = next((p for m in field.metadata if (p := getattr(m, "pattern", None))), None)
    if pattern in _PATTERNS:
        return _PATTERNS[pattern]
    if get_origin(field.annotation) is tuple:
        return "a list"
    if _model_in(field.annotation):
        return "a table"
    return _EXPECTED_BY_TYPE.get(str(field.annotation), "a value")
