"""pytest's own account of a run, written to the journal of the process that it happens in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.errors import Blocked, CheckFailed, ReleaseError, Unproven
from pytest_ovirt_release.record import suite

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pytest_ovirt_release.record.journal import Journal
    from pytest_ovirt_release.record.redact import Redactor
    from pytest_ovirt_release.release.page import Page

CELLS = pytest.StashKey[tuple[tuple[str, str, str], ...]]()
"""What a test stands for: (requirement, level, cell) of each of its marks."""


class Recorder:
    """Hooks of every process that collects and runs tests: the workers, or the only process."""

    def __init__(
        self, journal: Journal, redact: Redactor, page: Page, axes: dict[str, tuple[str, ...]]
    ) -> None:
        """Record into `journal`; `axes` holds the values of every axis in this run."""
        self._journal = journal
        self._redact = redact
        self._page = page
        self._axes = axes
        self._broken = False

    def write(self, kind: str, /, *, sync: bool = False, **fields: object) -> None:
        """Append one record; a full disk ends the run with one sentence."""
        try:
            self._journal.write(kind, sync=sync, **fields)
        except OSError as error:
            if self._broken:
                return
            self._broken = True
            pytest.exit(
                f"cannot record to {self._journal.path}: {error}; nothing after this counts", returncode=3
            )

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Let a test that takes an axis run once for each of its values."""
        for axis, values in self._axes.items():
            if axis in metafunc.fixturenames and any(True for _ in _marks(metafunc.definition)):
                metafunc.parametrize(axis, values, ids=values, indirect=True, scope="session")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Give every test its cells, record all of them, and refuse marks that do not fit the page."""
        marked = []
        for item in items:
            cells = self._cells_of(item)
            item.stash[CELLS] = cells
            marked += [self._marked(item, level, requirement) for requirement, level, _ in cells]
            sentence = (
                (getattr(getattr(item, "obj", None), "__doc__", "") or "").strip().splitlines() or [""]
            )[0]
            for requirement, level, cell in cells:
                item.user_properties += [("release.requirement", requirement), ("release.level", level)]
                self.write(
                    "collected",
                    nodeid=item.nodeid,
                    requirement=requirement,
                    level=level,
                    cell=cell,
                    sentence=sentence,
                )
            if not cells:
                self.write("collected", nodeid=item.nodeid)
        found = suite.mistakes(self._page, list(dict.fromkeys(marked)))
        for text in found:
            self.write("mistake", text=text, sync=True)
        if found:
            raise pytest.UsageError("\n".join(["the suite's marks do not fit the release page:", *found]))

    def _cells_of(self, item: pytest.Item) -> tuple[tuple[str, str, str], ...]:
        found = []
        for mark in _marks(item):
            for argument in mark.args:
                requirement = str(argument)
                value = next(
                    (self._value(item, axis) for axis in self._axes if self._value(item, axis)), None
                )
                found.append((requirement, mark.name, suite.cell_id(requirement, value)))
        return tuple(found)

    def _value(self, item: pytest.Item, axis: str) -> str | None:
        callspec = getattr(item, "callspec", None)
        value = callspec.params.get(axis) if callspec is not None else None
        return value if isinstance(value, str) else None

    def _marked(self, item: pytest.Item, level: str, requirement: str) -> suite.MarkedTest:
        taken = set(getattr(item, "fixturenames", ()))
        axes = tuple(a for a in suite.AXES if a in taken)
        return suite.MarkedTest(item.nodeid.split("[")[0], requirement, level, axes)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Record what a selection left out."""
        for item in items:
            self.write("deselected", nodeid=item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say on the report which of our errors it was, and keep secrets out of what everybody prints."""
        report = yield
        if call.excinfo is not None:
            report.release_error = _error_facts(call.excinfo.value)  # type: ignore[attr-defined]  # rides along
            text = str(report.longrepr or "")
            clean = self._redact(text)
            if clean != text:
                report.longrepr = clean
        report.sections = [(name, self._redact(text)) for name, text in report.sections]
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record one phase of one test as it happened here."""
        error = getattr(report, "release_error", None) or {}
        rerun = str(report.outcome) == "rerun"
        self.write(
            "report",
            sync=report.when == "teardown"
            and any(n == "release.requirement" for n, _ in report.user_properties),
            nodeid=report.nodeid,
            when=report.when,
            outcome=report.outcome,
            rerun=rerun,
            subtest=isinstance(report, pytest.SubtestReport),
            wasxfail=getattr(report, "wasxfail", None),
            duration=report.duration,
            message=error.get("message") or _message(report),
            error=error.get("error"),
            code=error.get("code"),
            on=error.get("on"),
        )

    def pytest_internalerror(self, excrepr: object) -> None:
        """Record that pytest or a plugin broke: such a run proves nothing more."""
        self.write("internalerror", text=str(excrepr).strip().splitlines()[-1:], sync=True)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Record that somebody, or pytest.exit, ended the run early."""
        self.write("interrupted", text=f"{excinfo.typename}: {excinfo.value}".rstrip(": "), sync=True)


def _marks(node: Any) -> Any:  # noqa: ANN401 - items and function definitions share only this
    for level in suite.LEVELS:
        yield from node.iter_markers(level)


def _error_facts(error: BaseException) -> dict[str, str | None]:
    """Return plain facts of an exception, fit to cross to the controller."""
    # A mistake somebody can mend (ReleaseError) says nothing about the requirement.
    kind = "Blocked" if isinstance(error, Blocked) else None
    if kind is None and isinstance(error, Unproven | ReleaseError):
        kind = "Unproven"
    if kind is None and not isinstance(error, CheckFailed):
        return {}
    return {
        "error": kind or "CheckFailed",
        "message": str(error),
        "code": str(getattr(error, "code", "") or "") or None,
        "on": error.on if isinstance(error, Blocked) else None,
    }


def _message(report: pytest.TestReport) -> str:
    """Return the one line of a report that says what happened."""
    if report.passed or report.longrepr is None:
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message)
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    return str(report.longrepr)[-2000:]
