"""What the options of `ovirt-release` may be given as."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.cli_paths import hint
from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.verdict.decision import Vote


def versions_given(given: Iterable[str], option: str) -> dict[str, str]:
    """Return NAME=VERSION texts as a mapping; ReleaseError for another form, or a name given twice."""
    versions: dict[str, str] = {}
    for text in given:
        name, _, version = text.partition("=")
        if not name or not version:
            raise ReleaseError(
                f"{option} {text!r} is not allowed; allowed: NAME=VERSION, such as vdsm=4.50.7"
            )
        if name in versions:
            raise ReleaseError(f"{option} {name} is given twice; keep one")
        versions[name] = version
    return versions


def plain_text(text: str, option: str) -> str:
    """Return a text that a file can hold; ReleaseError when it came in bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ReleaseError(f"{option}: the text is not UTF-8") from None
    return text.strip()


def moment(text: str | None) -> datetime | None:
    """Return an ISO 8601 moment, in UTC unless it says otherwise; ReleaseError for another form."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise ReleaseError(
            f"--as-of {text!r} is not allowed; allowed: a moment such as 2012-02-07T15:00:00Z"
        ) from None
    try:
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ReleaseError(f"--as-of {text!r} is too far away") from None


def vote(text: str) -> Vote:
    """Return a vote given as NAME:ROLE:VOTE; ReleaseError for another form. A name may hold colons."""
    from pytest_ovirt_release.verdict.decision import Vote  # noqa: PLC0415 - as in page_named

    name, role, said = ([""] * 3 + [part.strip() for part in text.rsplit(":", 2)])[-3:]
    try:
        return Vote.model_validate({"name": name, "role": role, "vote": said})
    except ValueError:
        raise ReleaseError(
            f"--vote {text!r} is not allowed; allowed: NAME:ROLE:VOTE with a vote of go, no-go or abstain, "
            "such as 'Ann Example:development:go'"
        ) from None


def page_named(name: str, folder: Path) -> Page:
    """Return the page that an id (looked up in `folder`) or a file's path names; ReleaseError if there is none."""
    from pytest_ovirt_release.release import loading  # noqa: PLC0415 - `version` must not wait for pydantic

    is_file = name.endswith(".toml") or "/" in name
    if is_file and not Path(name).exists():
        raise ReleaseError(f"{name}: there is no such file{hint(Path(name))}")
    return loading.load_page(Path(name) if is_file else loading.find_page(folder, name))
