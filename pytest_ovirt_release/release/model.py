"""Base of all data files: frozen, unknown keys are mistakes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """A frozen record in which an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=60)]
"""Permanent lower-case id: `source-tag`, `ovirt-engine`, `fedora-16`."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 digest in lower-case hex."""

Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
"""A git commit id in lower-case hex, SHA-1 or SHA-256."""

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{40}([0-9A-F]{24})?$")]
"""Full OpenPGP primary key fingerprint in upper-case hex, without blanks (never a key id)."""

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
"""A text that says something."""


def _a_date_not_a_number(value: object) -> object:
    # A bare number would be read as seconds since 1970, which nobody who edits a data file means.
    if isinstance(value, int | float):
        raise PydanticCustomError(
            "date_expected", "must be a date, such as 2012-01-10 or 2012-01-12T12:00:00Z"
        )
    return value


def _in_utc(moment: datetime) -> datetime:
    # Without a zone two moments of one file could not be compared with each other.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, BeforeValidator(_a_date_not_a_number), AfterValidator(_in_utc)]
"""A point in time; without a zone it is UTC."""

Day = Annotated[date, BeforeValidator(_a_date_not_a_number)]
"""A calendar day."""

MomentOrDay = Annotated[
    Annotated[datetime, AfterValidator(_in_utc)] | date, BeforeValidator(_a_date_not_a_number)
]
"""A point in time, or a day, which then means its end in UTC."""

Seconds = Annotated[float, Field(gt=0, le=86_400)]
"""A duration in seconds, a day at most."""
