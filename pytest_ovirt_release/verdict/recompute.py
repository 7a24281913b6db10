"""From what runs left to a verdict: read their inputs and journals, then decide. No word of pytest's is needed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release import loading
from pytest_ovirt_release.release.page import PageOverlay
from pytest_ovirt_release.verdict.contents import CANDIDATE, OVERLAY, PAGE, WAIVERS, read_folder
from pytest_ovirt_release.verdict.decide import Inputs, decide
from pytest_ovirt_release.verdict.journals import parse_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.waivers import Waivers
    from pytest_ovirt_release.verdict.contents import Contents
    from pytest_ovirt_release.verdict.journals import Run
    from pytest_ovirt_release.verdict.model import RefusedRun, Verdict

AHEAD = timedelta(minutes=5)
"""How far a tester's clock may be ahead of ours."""


def recompute(folders: Sequence[Path], as_of: datetime | None = None, waivers: Path | None = None) -> Verdict:
    """Return the verdict of some run folders from what they hold, as of a moment (default: now).

    Waivers come from the file `waivers`; without it from the copy in the run's folder, where just one is named.

    Raises:
        ReleaseError: a folder is no run, or the waiver file cannot be read.
    """
    if not folders:
        raise ReleaseError("no run was named; runs are folders like reports/latest")
    contents = [read_folder(folder) for folder in folders]
    given = loading.read_bounded(waivers) if waivers else None
    if given is None and len(contents) == 1:
        given = contents[0].files.get(WAIVERS)
    return of_contents(contents, as_of, given)


def of_contents(
    contents: Sequence[Contents],
    as_of: datetime | None,
    waivers: bytes | None,
    refused: tuple[RefusedRun, ...] = (),
) -> Verdict:
    """Return the verdict of what some runs left. Their inputs are those of any of them: `decide` wants one set."""
    runs = [parse_run(c) for c in contents]
    first = min(zip(runs, contents, strict=True), key=lambda pair: (pair[0].id, pair[0].digest))[1]
    return decide(load_inputs(first, waivers, refused), runs, as_of or moment_of(runs))


def load_inputs(
    contents: Contents, waivers: bytes | None = None, refused: tuple[RefusedRun, ...] = ()
) -> Inputs:
    """Read page, overlay and candidate of a run, and the waivers; mistakes become reasons, never exceptions."""
    mistakes: list[str] = []
    return Inputs(
        page=_page(contents, mistakes),
        page_sha256=digest(contents.files.get(PAGE)),
        candidate=_candidate(contents, mistakes),
        candidate_sha256=digest(contents.files.get(CANDIDATE)),
        overlay_sha256=digest(contents.files.get(OVERLAY)),
        waivers=_waivers(waivers, mistakes),
        waivers_sha256=digest(waivers),
        mistakes=tuple(mistakes),
        refused=refused,
    )


def _page(contents: Contents, mistakes: list[str]) -> Page | None:
    try:
        page = loading.parse_page(_needed(contents, PAGE), Path(PAGE))
        overlay = contents.files.get(OVERLAY)
        if overlay is not None:
            placed = loading.parse(overlay, Path(OVERLAY), PageOverlay)
            page = loading.apply_overlay(page, placed, Path(OVERLAY))
    except ReleaseError as error:
        mistakes.append(str(error))
        return None
    return page


def _candidate(contents: Contents, mistakes: list[str]) -> Candidate | None:
    try:
        return loading.parse_candidate(_needed(contents, CANDIDATE), Path(CANDIDATE))
    except ReleaseError as error:
        mistakes.append(str(error))
        return None


def _waivers(data: bytes | None, mistakes: list[str]) -> Waivers | None:
    if data is None:
        return None
    try:
        return loading.parse_waivers(data, Path(WAIVERS))
    except ReleaseError as error:
        mistakes.append(str(error))
        return None


def _needed(contents: Contents, name: str) -> bytes:
    if name not in contents.files:
        raise ReleaseError(f"{contents.name}: there is no {name} in it")
    return contents.files[name]


def digest(data: bytes | None) -> str:
    """Return the SHA-256 of a file's bytes, or nothing when it is not there."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def moment_of(runs: Iterable[Run]) -> datetime:
    """Return the moment to judge as of: now, in whole seconds, with some patience for a clock that is ahead."""
    now = datetime.now(UTC)
    lasts = [datetime.fromisoformat(max(r["at"] for r in run.records)) for run in runs if run.records]
    latest = max([now, *(last for last in lasts if last - now < AHEAD)])
    return latest.replace(microsecond=0) + timedelta(seconds=bool(latest.microsecond))
