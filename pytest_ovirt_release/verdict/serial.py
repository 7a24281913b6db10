"""A verdict as the bytes of verdict.json: the same verdict always gives the same."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.loading import read_bounded
from pytest_ovirt_release.verdict.model import VERDICT_SCHEMA, Verdict

if TYPE_CHECKING:
    from pathlib import Path

VERDICT_FILE = "verdict.json"
LARGEST_VERDICT = 128 * 1024 * 1024
"""Bytes of a verdict.json at most; one of 1,000 runs, 50 cells and two values of evidence each is about 55 MiB."""


def verdict_json(verdict: Verdict) -> str:
    """Return a verdict as JSON in the model's order: stable, ASCII only, ending with a newline."""
    data = verdict.model_dump(by_alias=True)
    try:
        return _json(data)
    except ValueError:  # some number is not finite; looking for it first would copy all of a merge's 50 MiB
        return _json(_finite(data))


def read_verdict(path: Path) -> tuple[bytes, Verdict]:
    """Return the bytes of a verdict.json (or of the one in a folder), and the verdict.

    Raises:
        ReleaseError: it is not there, cannot be read, is of a newer version, or contradicts itself.
    """
    file = path / VERDICT_FILE if path.is_dir() else path
    data = read_bounded(file, LARGEST_VERDICT)
    try:
        given = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReleaseError(f"{file}: is no JSON: {error}") from None
    schema = given.get("schema") if isinstance(given, dict) else None
    if schema != VERDICT_SCHEMA:
        raise ReleaseError(
            f"{file}: schema is {schema!r}; this version reads {VERDICT_SCHEMA!r} and no other"
        )
    try:
        return data, Verdict.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReleaseError(
            f"{file}: is no verdict that this program wrote: {where}: {first['msg']} ({error.error_count()} mistake(s))"
        ) from None


def _json(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def _finite(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value
