"""What every process of a run shares: inputs, run folder, redaction, its own journal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.record.journal import Journal
from pytest_ovirt_release.record.redact import Redactor
from pytest_ovirt_release.release import loading
from pytest_ovirt_release.release.page import PageOverlay
from pytest_ovirt_release.target.credentials import read_secret, watch
from pytest_ovirt_release.target.loading import load_target

if TYPE_CHECKING:
    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.target.model import Target

NO_TARGET = "(no target)"
"""Stands for the node axis where tests are only listed."""


@dataclass(frozen=True)
class Sources:
    """Where a run's inputs are; plain texts, so that they can cross to the workers."""

    run_id: str
    run_folder: str
    page: str
    candidate: str | None = None
    target: str | None = None
    database: str | None = None

    def plain(self) -> dict[str, str | None]:
        """Return a dict that any process can turn back by `Sources(**…)`."""
        return asdict(self)


@dataclass
class Context:
    """One process's view of the run."""

    sources: Sources
    page: Page
    candidate: Candidate | None
    target: Target | None
    overlay: Path | None
    redact: Redactor
    journal: Journal

    @property
    def folder(self) -> Path:
        """Return the run folder."""
        return Path(self.sources.run_folder)

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """Return the values of every axis."""
        return {
            "component": tuple(c.name for c in self.page.components),
            "distribution": tuple(d.name for d in self.page.distributions),
            "node": tuple(n.name for n in self.target.nodes) if self.target else (NO_TARGET,),
        }


def open_context(sources: Sources, process: str) -> Context:
    """Read the inputs and open this process's journal; ReleaseError says which input is wrong."""
    page = loading.load_page(Path(sources.page))
    target = load_target(Path(sources.target)) if sources.target else None
    overlay = target.page_overlay if target else None
    if overlay is not None:
        page = loading.apply_overlay(page, loading.load(overlay, PageOverlay), overlay)
    if target is not None:
        page = loading.with_mirrors(page, target.mirrors, Path(sources.target or ""))
    candidate = loading.load_candidate(Path(sources.candidate)) if sources.candidate else None
    redact = Redactor()
    watch(redact)
    if target is not None:
        engine = target.engine
        read_secret(engine.password_file, engine.password_env, "the engine's password")
    journal = Journal(Path(sources.run_folder) / "journal" / f"{process}.jsonl", redact, sources.run_id)
    return Context(sources, page, candidate, target, overlay, redact, journal)
