"""Many testers, one verdict: which runs may be judged together, and which are refused and why.

The result does not depend on the order in which runs are named, nor on how often.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release import loading
from pytest_ovirt_release.verdict import context
from pytest_ovirt_release.verdict.bundle import SUFFIX, read_bundle
from pytest_ovirt_release.verdict.contents import CANDIDATE, OVERLAY, PAGE, WAIVERS, read_folder
from pytest_ovirt_release.verdict.decide import Inputs, decide
from pytest_ovirt_release.verdict.journals import Run, parse_run
from pytest_ovirt_release.verdict.model import RefusedRun
from pytest_ovirt_release.verdict.recompute import load_inputs, moment_of, recompute
from pytest_ovirt_release.verdict.rules import ALTERED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from pytest_ovirt_release.verdict.contents import Contents
    from pytest_ovirt_release.verdict.model import Verdict

SHOWN = 3
"""How many of a run's damages are told."""

BUNDLES = "bundles"
"""Folder of a merge that holds a bundle of every run that counted."""


@dataclass(frozen=True)
class Given:
    """One run that was named: its contents, and the run that they hold."""

    path: Path
    contents: Contents
    run: Run

    @property
    def name(self) -> str:
        """Return how messages call it."""
        return self.contents.name


@dataclass(frozen=True)
class Chosen:
    """What is judged by: digests of candidate and page, where somebody said which (else all runs must agree)."""

    candidate: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class Merged:
    """The runs that count, the waiver file's bytes, and the verdict that they give."""

    counted: tuple[Given, ...]
    waivers: bytes | None
    verdict: Verdict


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the garbage collector: it would go through all the records again and again, and find nothing.

    They are needed until the process ends, so it leaves them alone afterwards too.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@_without_collector()
def merge(
    paths: Iterable[Path], chosen: Chosen, waivers: Path | None = None, as_of: datetime | None = None
) -> Merged:
    """Judge the runs at some paths (run folders, bundles, folders of an earlier merge) together.

    Raises:
        ReleaseError: a path is not there, the runs are of several candidates or pages and nobody said which, or the waiver file
            cannot be read.
    """
    data = loading.read_bounded(waivers) if waivers else None
    found, refused = read_all(paths)
    counted, others = select(found, chosen)
    listed = _listed([*refused, *others])
    if counted:
        inputs = load_inputs(counted[0].contents, data, listed)
    else:
        inputs = Inputs(page=None, mistakes=("there is no run that counts",), refused=listed)
    runs = [given.run for given in counted]
    return Merged(counted, data, decide(inputs, runs, as_of or moment_of(runs)))


@_without_collector()
def again(folder: Path, verdict: Verdict, as_of: datetime) -> Verdict:
    """Return the verdict of a folder (of a run, or of a merge) judged anew, with what it was given then.

    Raises:
        ReleaseError: the folder does not hold the runs.
    """
    if not (folder / BUNDLES).is_dir():
        return recompute(folder, as_of)
    found, refused = read_all([folder])
    if refused or not found:
        raise ReleaseError(
            f"{folder}: {refused[0].name if refused else BUNDLES}: cannot be judged by any more"
        )
    waivers = folder / WAIVERS
    data = loading.read_bounded(waivers) if waivers.exists() else None
    inputs = load_inputs(found[0].contents, data, verdict.refused)
    return decide(inputs, [given.run for given in found], as_of)


def read_all(paths: Iterable[Path]) -> tuple[list[Given], list[RefusedRun]]:
    """Read every run that is named, each content once; what is damaged or was altered is refused."""
    found: dict[tuple[str, str], Given] = {}
    refused: list[RefusedRun] = []
    for path in _expanded(paths):
        try:
            contents = read_folder(path) if path.is_dir() else read_bundle(path)
        except (ReleaseError, OSError) as error:
            text = str(error).removeprefix(f"{path}: ")
            refused.append(RefusedRun(name=str(path), digest="", code=ALTERED, detail=text))
            continue
        given = Given(path, contents, parse_run(contents))
        if given.run.damaged:
            refused.append(_refused(given, ALTERED, "; ".join(given.run.damaged[:SHOWN])))
        else:
            found.setdefault(given.run.key, given)
    return [found[key] for key in sorted(found)], refused


def _expanded(paths: Iterable[Path]) -> Iterable[Path]:
    """Yield the bundles of an earlier merge in place of its folder."""
    for path in paths:
        if not path.exists():
            raise ReleaseError(
                f"{path}: there is no such run; runs are folders like reports/latest, or bundles"
            )
        inner = path / BUNDLES
        yield from sorted(inner.glob(f"*{SUFFIX}")) if inner.is_dir() else (path,)


def select(found: Sequence[Given], chosen: Chosen) -> tuple[tuple[Given, ...], list[RefusedRun]]:
    """Return the runs that count, and the others with the reason; see `merge` for what it raises."""
    rehearsals = {given.run.key for given in found if context.run_facts(given.run).rehearsal}
    live = [g for g in found if g.run.key not in rehearsals]
    refused = [
        _refused(g, "rehearsal", "it is a rehearsal, and live runs are judged")
        for g in found
        if live and g.run.key in rehearsals
    ]
    counted = list(live or found)
    for file, named, option in ((CANDIDATE, chosen.candidate, "--candidate"), (PAGE, chosen.page, "--page")):
        what = file.removesuffix(".toml")
        wanted = named or _agreed(counted, file, f"name the one to judge by {option} FILE")
        refused += [
            _refused(
                g, f"other-{what}", f"it is of another {what}: SHA-256 {g.contents.sha256(file) or 'none'}"
            )
            for g in counted
            if g.contents.sha256(file) != wanted
        ]
        counted = [g for g in counted if g.contents.sha256(file) == wanted]
    _agreed(counted, OVERLAY, "rehearsals on different labs cannot be joined")
    return tuple(counted), refused


def _agreed(found: Sequence[Given], file: str, what_to_do: str) -> str:
    """Return the digest of an input that all runs have in common."""
    having: dict[str, list[str]] = {}
    for given in found:
        having.setdefault(given.contents.sha256(file), []).append(given.name)
    if len(having) > 1:
        listed = [
            f"  {sha or 'none':64}  {', '.join(sorted(names)[:3])}" for sha, names in sorted(having.items())
        ]
        raise ReleaseError(
            "\n".join([f"these runs have {len(having)} different {file}; {what_to_do}:", *listed])
        )
    return next(iter(having), "")


def _refused(given: Given, code: str, detail: str) -> RefusedRun:
    return RefusedRun(name=given.name, run=given.run.id, digest=given.run.digest, code=code, detail=detail)


def _listed(refused: Iterable[RefusedRun]) -> tuple[RefusedRun, ...]:
    """Return each refusal once, in an order of their own."""
    return tuple(sorted(dict.fromkeys(refused), key=lambda r: (r.name, r.code, r.detail)))
