"""Writes the reports of a run, each one whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.verdict.serial import VERDICT_FILE, verdict_json

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict


def write_verdict_json(verdict: Verdict, folder: Path) -> Path:
    """Write verdict.json alone, as a run does in its first second; ReleaseError says what the disk refused."""
    return write_text(folder / VERDICT_FILE, verdict_json(verdict))


def write_all(verdict: Verdict, folder: Path) -> tuple[Path, ...]:
    """Write every report; verdict.json comes first, so that the record outlives a disk that fills up meanwhile.

    Raises:
        ReleaseError: a file could not be written; its older version, if any, is still there.
    """
    # Imported here: the first verdict.json of a run needs no template engine.
    from pytest_ovirt_release.report import html, junit, markdown  # noqa: PLC0415 - said above

    written = [write_verdict_json(verdict, folder)]
    for name, render in (
        ("acceptance.html", html.render),
        ("announcement.md", markdown.render),
        ("junit.xml", junit.render),
    ):
        written.append(write_text(folder / name, render(verdict)))
    return tuple(written)


def write_text(path: Path, content: str) -> Path:
    """Replace a file atomically: written beside it, synced, renamed over it.

    Raises:
        ReleaseError: the disk refused; says which file, why, and what to do. Nothing is left beside it.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        # mkstemp is private to its owner; a report is meant to be read, as far as the umask allows.
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        raise ReleaseError(
            f"{path}: cannot be written: {error.strerror or error}. "
            "Make room or choose another folder with the ini key release_reports, then run again."
        ) from error
    return path


def _umask() -> int:
    """Return the process's umask; there is no way to ask for it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
