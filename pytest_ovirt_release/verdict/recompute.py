"""From run folders to a verdict: read the inputs' copies and the journals, then decide."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release import loading
from pytest_ovirt_release.release.page import PageOverlay
from pytest_ovirt_release.verdict.decide import Inputs, decide
from pytest_ovirt_release.verdict.journals import read_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_ovirt_release.verdict.journals import Run
    from pytest_ovirt_release.verdict.model import Verdict

PAGE, OVERLAY, CANDIDATE, TARGET = "page.toml", "page-overlay.toml", "candidate.toml", "target.toml"
"""Names of the inputs' copies in a run folder."""


def recompute(folders: Sequence[Path], as_of: datetime | None = None) -> Verdict:
    """Return the verdict of some run folders from what they hold, as of a moment (default: their last record).

    Raises ReleaseError when a folder is no run.
    """
    runs = [read_run(folder) for folder in folders]
    if not runs:
        raise ReleaseError("no run was named; runs are folders like reports/latest")
    return decide(load_inputs(folders[0]), runs, as_of or _last_moment(runs))


def load_inputs(folder: Path) -> Inputs:
    """Read page, overlay and candidate of a run; mistakes become reasons, never exceptions."""
    mistakes: list[str] = []
    page = candidate = None
    try:
        page = loading.load_page(folder / PAGE)
        if (folder / OVERLAY).is_file():
            overlay = loading.load(folder / OVERLAY, PageOverlay)
            page = loading.apply_overlay(page, overlay, folder / OVERLAY)
    except ReleaseError as error:
        mistakes.append(str(error))
    try:
        candidate = loading.load_candidate(folder / CANDIDATE)
    except ReleaseError as error:
        mistakes.append(str(error))
    return Inputs(
        page=page,
        page_sha256=digest(folder / PAGE),
        candidate=candidate,
        candidate_sha256=digest(folder / CANDIDATE),
        mistakes=tuple(mistakes),
        overlay_sha256=digest(folder / OVERLAY),
    )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, or nothing when it is not there."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _last_moment(runs: Sequence[Run]) -> datetime:
    moments = [str(r["at"]) for run in runs for r in run.records if isinstance(r.get("at"), str)]
    return datetime.fromisoformat(max(moments)) if moments else datetime.fromtimestamp(0, UTC)
