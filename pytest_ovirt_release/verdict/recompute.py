"""From what a run left to its verdict: read its inputs and journals, then decide. No word of pytest's is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release import loading
from pytest_ovirt_release.release.page import PageOverlay
from pytest_ovirt_release.verdict.contents import CANDIDATE, OVERLAY, PAGE, WAIVERS, fact_of, read_folder
from pytest_ovirt_release.verdict.decide import Inputs, decide
from pytest_ovirt_release.verdict.journals import parse_run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.waivers import Waivers
    from pytest_ovirt_release.verdict.contents import Contents
    from pytest_ovirt_release.verdict.journals import Run
    from pytest_ovirt_release.verdict.model import RefusedRun, Verdict

AHEAD = timedelta(minutes=5)
"""How far a tester's clock may be ahead of ours."""


def recompute(folder: Path, as_of: datetime | None = None, waivers: Path | None = None) -> Verdict:
    """Return the verdict of a run's folder from what it holds, as of a moment (default: now).

    Waivers come from the file `waivers`, else from the copy in the folder.

    Raises:
        ReleaseError: the folder is no run, or the waiver file cannot be read.
    """
    contents = read_folder(folder)
    given = loading.read_bounded(waivers) if waivers else contents.files.get(WAIVERS)
    run = parse_run(contents)
    return decide(load_inputs(contents, given), [run], as_of or moment_of([run]))


def load_inputs(
    contents: Contents, waivers: bytes | None = None, refused: tuple[RefusedRun, ...] = ()
) -> Inputs:
    """Read page, overlay and candidate of a run, and the waivers; mistakes become reasons, never exceptions."""
    mistakes: list[str] = []
    return Inputs(
        page=_page(contents, mistakes),
        page_sha256=contents.sha256(PAGE),
        candidate=_candidate(contents, mistakes),
        candidate_sha256=contents.sha256(CANDIDATE),
        overlay_sha256=contents.sha256(OVERLAY),
        waivers=_waivers(waivers, mistakes),
        waivers_sha256=fact_of(waivers).sha256 if waivers is not None else "",
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


def moment_of(runs: Iterable[Run]) -> datetime:
    """Return the moment to judge as of: now, in whole seconds, with some patience for a clock that is ahead."""
    now = datetime.now(UTC)
    lasts = [datetime.fromisoformat(max(r["at"] for r in run.records)) for run in runs if run.records]
    latest = max([now, *(last for last in lasts if last - now < AHEAD)])
    return latest.replace(microsecond=0) + timedelta(seconds=bool(latest.microsecond))
