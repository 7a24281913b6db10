"""A run from its first second to its last: prepare it, end it, and let the verdict speak.

Lives in the controlling process only. Every early end leaves a verdict.json that is not GO: the first one is
written before anything else, and only the last step of `finish` replaces it.
"""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.record import run_folder, suite
from pytest_ovirt_release.record.context import Context, Sources, open_context
from pytest_ovirt_release.record.journal import Journal
from pytest_ovirt_release.record.redact import Redactor
from pytest_ovirt_release.release import loading
from pytest_ovirt_release.report import files
from pytest_ovirt_release.target.lab_process import LabProcess, start_lab
from pytest_ovirt_release.target.loading import load_target
from pytest_ovirt_release.target.ready import make_ready
from pytest_ovirt_release.target.writing import write_target
from pytest_ovirt_release.verdict import contents, controls, recompute
from pytest_ovirt_release.verdict.contents import read_folder
from pytest_ovirt_release.verdict.decide import Inputs, decide, process_exit
from pytest_ovirt_release.verdict.fold import left_behind
from pytest_ovirt_release.verdict.journals import read_run
from pytest_ovirt_release.verdict.rules import JUDGED, MIRRORED
from pytest_ovirt_release.verdict.waiving import unknown_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filelock import BaseFileLock

    from pytest_ovirt_release.options import Settings
    from pytest_ovirt_release.verdict.model import Verdict

LAB_PAGE, LIVE_PAGE = "ovirt-3.0", "ovirt-4.5"
CHOICES = (
    "name one: --release-target lab (the embedded lab), or --release-target FILE, which `ovirt-release target new` "
    "writes (docs/target-file.md)"
)


class Controller:
    """Prepares a run before collection and ends it after the last teardown."""

    def __init__(self, settings: Settings, unfit: Sequence[str] = ()) -> None:
        """Take the settings, and why this pytest is not fit to judge; nothing is started yet."""
        self.settings = settings
        self._unfit = unfit
        self.verdict: Verdict | None = None
        self.run: run_folder.RunFolder | None = None
        self.context: Context | None = None
        self.trouble: list[str] = []
        self._pid = os.getpid()
        self._lab: LabProcess | None = None
        self._lock: BaseFileLock | None = None

    def start(self) -> Context:
        """Make the run folder, find the inputs, start the lab if asked; UsageError says what is wrong."""
        try:
            self.run = run_folder.create(self.settings.reports, datetime.now(UTC))
            self._lock = self.run.lock()
            self._lock.acquire(timeout=5)
            self._give(
                decide(Inputs(page=None, mistakes=("the run has not come past its preparation",)), (), _now())
            )
            self.context = self._prepare(self.run)
            self._give(decide(recompute.load_inputs(read_folder(self.run.path)), (), _now()))
        except ReleaseError as error:
            self._refuse(str(error))
            raise pytest.UsageError(str(error)) from error
        return self.context

    def _prepare(self, run: run_folder.RunFolder) -> Context:
        settings = self.settings
        if self._unfit:
            raise ReleaseError("\n".join(["nothing could be judged by this run:", *self._unfit]))
        if settings.target is None:
            raise ReleaseError(f"no target: {CHOICES}")
        is_lab = settings.target == "lab"
        if settings.faults and not is_lab:
            raise ReleaseError(f"--release-fault breaks the lab, but the target is {settings.target}")
        if is_lab:
            page = loading.find_page(settings.pages, LAB_PAGE)
            self._lab = start_lab(page, settings.lab_speed, settings.faults)
        target_file = self._lab.target if self._lab else settings.root / settings.target
        target = load_target(target_file)
        if not is_lab:
            self._guard_live()
            make_ready(target)
        candidate_file = self.candidate_file(target.candidate)
        candidate = loading.load_candidate(candidate_file)
        page_file = loading.find_page(settings.pages, candidate.page)
        waivers = self._waivers(page_file)
        sources = Sources(
            run.id,
            str(run.path),
            str(page_file),
            str(candidate_file),
            str(target_file),
            settings.database or target.database,
        )
        run_folder.copy_in(run.path, contents.PAGE, page_file.read_bytes())
        run_folder.copy_in(run.path, contents.CANDIDATE, candidate_file.read_bytes())
        if target.page_overlay is not None:
            run_folder.copy_in(run.path, contents.OVERLAY, target.page_overlay.read_bytes())
        if waivers is not None:
            run_folder.copy_in(run.path, contents.WAIVERS, waivers)
        write_target(target, run.path / "target.toml")
        context = open_context(sources, "controller")
        loading.check_candidate(context.page, candidate)
        self._record_start(context)
        for name, url in target.mirrors.items():
            value = f"place {name} at {url}"
            context.journal.write("fact", key=MIRRORED, value=value, source="the target file")
        return context

    def _guard_live(self) -> None:
        """Refuse a live run that does not say who runs it and that it may change things."""
        missing = []
        if not self.settings.tester:
            missing.append("--release-tester NAME (or RELEASE_TESTER): who runs this")
        if not self.settings.allow_changes:
            missing.append(
                "--release-allow-changes: this run registers, approves and removes hosts, storage domains and VMs "
                "on the engine that the target names"
            )
        if missing:
            raise ReleaseError("\n".join(["a run on a target file needs:", *(f"  {m}" for m in missing)]))

    def candidate_file(self, named: Path | None) -> Path:
        """Return the candidate file: option, else the target's, else the one beside the project file."""
        beside = self.settings.root / "candidate.toml"
        chosen = self.settings.candidate or named or (beside if beside.is_file() else None)
        if chosen is None:
            raise ReleaseError(
                "no candidate: name one by --release-candidate FILE, `candidate` in the target file, or "
                f"{beside}; `ovirt-release candidate` writes one"
            )
        return chosen

    def _waivers(self, page_file: Path) -> bytes | None:
        """Return the waiver file's bytes: the one that the option names, else the one beside the project file."""
        beside = self.settings.root / contents.WAIVERS
        chosen = self.settings.waivers or (beside if beside.is_file() else None)
        if chosen is None:
            return None
        data = loading.read_bounded(chosen)
        given = loading.parse_waivers(data, chosen)
        page = loading.load_page(page_file)
        if given.page != page.id and self.settings.waivers is None:
            return None  # it lies there for live runs, and this is a rehearsal on another page
        if wrong := tuple(unknown_cells(page, given)):
            raise ReleaseError("\n".join([f"{chosen}: {len(wrong)} mistake(s)", *(f"  {w}" for w in wrong)]))
        return data

    def _record_start(self, context: Context) -> None:
        settings, package = self.settings, Path(__file__).parent
        assert settings.suite is not None  # noqa: S101 - release mode has a suite
        tests: dict[str, tuple[str, ...]] = {}
        scanned = suite.scan(settings.suite, settings.root)
        if found := suite.mistakes(context.page, scanned):
            raise ReleaseError("\n".join(["the suite's marks do not fit the release page:", *found]))
        for test in scanned:
            tests[test.requirement] = (*tests.get(test.requirement, ()), test.test)
        copies = read_folder(context.folder)
        known = controls.read_controls(settings.suite / "controls.json")
        context.journal.write(
            "run",
            sync=True,
            run=context.sources.run_id,
            page=context.page.id,
            page_sha256=copies.sha256(contents.PAGE),
            candidate_sha256=copies.sha256(contents.CANDIDATE),
            overlay_sha256=copies.sha256(contents.OVERLAY),
            lab=self._lab is not None,
            target=context.target.name if context.target else None,
            tester=settings.tester or "rehearsal",
            axes=context.axes,
            suite=tests,
            controls=controls.judge_controls(known, tests, settings.root, package),
            argv=settings.arguments,
            finish=settings.again(),
            versions={
                "pytest-ovirt-release": version("pytest-ovirt-release"),
                "pytest": pytest.__version__,
                "python": platform.python_version(),
            },
        )

    def finish(self, pytest_exit: int) -> int:
        """Remove what is left, end the lab, decide, write every report; return the process's exit code."""
        if self.context is None or self.run is None or os.getpid() != self._pid:
            return pytest_exit  # a child that a test forked must not end its parent's run
        try:
            self._remove_what_is_left()
        except KeyboardInterrupt:
            self.trouble.append(
                f"interrupted while cleaning up; finish it with: ovirt-release reap {self.run.path}"
            )
        self._end_lab()
        for text in self.trouble:
            self.context.journal.write("trouble", text=text, sync=True)
        complete = pytest_exit in JUDGED and not self.trouble
        sealed = self._journal_digests() if complete else {}
        self.context.journal.write("end", exit=pytest_exit, complete=complete, files=sealed, sync=True)
        self.context.journal.close()
        self.verdict = recompute.recompute(self.run.path)
        files.write_all(self.verdict, self.run.path)
        return process_exit(self.verdict, pytest_exit)

    def _journal_digests(self) -> dict[str, dict[str, object]]:
        """Return size and digest of every journal until now: what is changed later can be told."""
        assert self.context is not None  # noqa: S101 - checked by finish
        folder = self.context.folder
        return {
            path.relative_to(folder).as_posix(): contents.fact_of(path.read_bytes()).model_dump()
            for path in sorted((folder / "journal").glob("*.jsonl"))
        }

    def _remove_what_is_left(self) -> None:
        """Remove every object that the journals of this run still hold as made and not removed."""
        assert self.context is not None  # noqa: S101 - checked by finish
        if not left_behind(read_run(self.context.folder)):
            return
        from pytest_ovirt_release.checks import reaper  # noqa: PLC0415 - pays for the SDK only where it was used

        try:
            said: list[str] = []
            if reaper.reap_unlocked(self.context.folder, dry_run=False, say=said.append):
                self.trouble += [text for text in said if text.startswith("left: ")]
        except Exception as error:  # noqa: BLE001 - whatever it is, the verdict must say it
            self.trouble.append(
                f"cleaning up failed: {self.context.redact(f'{type(error).__name__}: {error}')}"
            )

    def _end_lab(self) -> None:
        if self._lab is None or self.run is None:
            return
        if died := self._lab.died():
            self.trouble.append(f"{died}; its last words are in {self.run.path / 'lab.log'}")
        self._lab.stop(self.run.path / "lab.log")
        self._lab = None

    def abandon(self) -> None:
        """Let go of lab and lock, however the run ended; harmless when `finish` was reached."""
        if os.getpid() != self._pid:
            return
        with suppress(OSError):
            self._end_lab()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _refuse(self, mistake: str) -> None:
        """Leave a verdict.json that says INVALID and why."""
        if self.run is not None:
            self._give(decide(Inputs(page=None, mistakes=(mistake,)), (), _now()))
        self.abandon()

    def _give(self, verdict: Verdict) -> None:
        if self.run is not None:
            files.write_verdict_json(verdict, self.run.path)


def _now() -> datetime:
    return datetime.now(UTC)


def list_only(settings: Settings) -> Context:
    """Return what is needed to list tests without a target: no lab, no journal, no verdict."""
    page_id = LAB_PAGE if settings.target == "lab" else LIVE_PAGE
    with suppress(ReleaseError):
        page_id = loading.load_candidate(Controller(settings).candidate_file(None)).page
    page = loading.load_page(loading.find_page(settings.pages, page_id))
    return Context(
        Sources("", "", ""), page, None, None, None, Redactor(), Journal(Path(os.devnull), Redactor(), "")
    )


def announce(context: Context) -> Sequence[str]:
    """Return the header's lines: what is judged, where it is recorded."""
    candidate = context.candidate
    name = f"{context.page.title} {candidate.rc or ''}".strip() if candidate else context.page.title
    where = context.target.name if context.target else "nothing"
    return [
        f"ovirt-release: {name} on target {where}",
        f"ovirt-release: recorded in {context.folder}",
    ]
