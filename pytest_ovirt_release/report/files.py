"""Writes the reports of a run, each one whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.writing import write_atomically
from pytest_ovirt_release.verdict.serial import VERDICT_FILE, verdict_json

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.report.before import Before
    from pytest_ovirt_release.verdict.model import Verdict


def write_verdict_json(verdict: Verdict, folder: Path) -> Path:
    """Write verdict.json alone, as a run does in its first second; ReleaseError says what the disk refused."""
    return write_text(folder / VERDICT_FILE, verdict_json(verdict))


def write_all(verdict: Verdict, folder: Path, before: Before | None = None) -> tuple[Path, ...]:
    """Write every report; verdict.json comes first, so that the record outlives a disk that fills up meanwhile.

    `before` is what changed since an earlier verdict, for the page.

    Raises:
        ReleaseError: a file could not be written; its older version, if any, is still there.
    """
    # Imported here: the first verdict.json of a run needs no template engine.
    from pytest_ovirt_release.report import html, junit, markdown  # noqa: PLC0415 - said above

    written = [write_verdict_json(verdict, folder)]
    for name, render in (
        ("acceptance.html", lambda shown: html.render(shown, before)),
        ("announcement.md", markdown.render),
        ("junit.xml", junit.render),
    ):
        written.append(write_text(folder / name, render(verdict)))
    return tuple(written)


def write_text(path: Path, content: str) -> Path:
    """Replace a report, making its folder if need be.

    Raises:
        ReleaseError: the disk refused; says which file, why, and what to do. Nothing is left beside it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, replace=True)
    except (OSError, ReleaseError) as error:
        said = f"{path}: cannot be written: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise ReleaseError(
            f"{said}. Make room or choose another folder with the ini key release_reports, then run again."
        ) from error
    return path
