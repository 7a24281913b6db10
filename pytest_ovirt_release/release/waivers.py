"""Waivers: a named approver accepts that named cells of one candidate are not proven, until a date."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from pytest_ovirt_release.release.crosscheck import duplicates, items, texts
from pytest_ovirt_release.release.mistakes import shown
from pytest_ovirt_release.release.model import MomentOrDay, Sha256, Slug, Strict, Text
from pytest_ovirt_release.release.page import end_of, start_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def _no_text(value: object) -> object:
    # A text would be read as a date too, even "1763800000"; TOML has dates of its own.
    if isinstance(value, str):
        raise PydanticCustomError("date_expected", "must be a date without quotes, such as 2026-11-20")
    return value


WrittenDate = Annotated[MomentOrDay, BeforeValidator(_no_text)]


class Waiver(Strict):
    """One waiver.

    `candidate` is the SHA-256 of the candidate's file: it ends with that candidate. `cells` are named one by one,
    as the reports show them. `accepts`: that they are *unproven*, or even *disproven* (which includes unproven).
    `approver` must be listed on the page. It holds from `approved` (a day: from its beginning) until `expires` (a day: to its end), in UTC.
    """

    id: Slug
    candidate: Sha256
    cells: tuple[Text, ...] = Field(min_length=1)
    accepts: Literal["unproven", "disproven"]
    reason: Text
    approver: Text
    approved: WrittenDate
    expires: WrittenDate


class Waivers(Strict):
    """A waiver file."""

    schema_name: Literal["ovirt-release-waivers/1"] = Field(alias="schema")
    page: Slug
    waivers: tuple[Waiver, ...] = ()


def _twice(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def waiver_mistakes(data: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each contradiction inside a waiver file's raw data."""
    found = list(duplicates(data, "waivers", "id"))
    for where, item in items(data, "waivers"):
        found += [
            f"{where}.cells: {shown(cell)} is not allowed; name each cell, as the report shows it"
            for cell in texts(item.get("cells"))
            if "*" in cell
        ]
        found += [
            f"{where}.cells: {shown(cell)} stands there twice" for cell in _twice(texts(item.get("cells")))
        ]
        approved, expires = item.get("approved"), item.get("expires")
        try:
            if end_of(expires) <= start_of(approved):  # type: ignore[arg-type]  # raw data
                found.append(f"{where}.expires: {expires} is not after approved = {approved}")
        except (TypeError, AttributeError, OverflowError):
            continue  # no date is the model's business
    return found
