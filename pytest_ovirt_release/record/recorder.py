"""pytest's own account of a run, written to the journal of the process that it happens in."""

from __future__ import annotations

import os
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.errors import Blocked, CheckFailed, ReleaseError, Unproven
from pytest_ovirt_release.record import suite
from pytest_ovirt_release.record.journal import plain, sound

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from pytest_ovirt_release.record.context import Context
    from pytest_ovirt_release.record.redact import Redactor

CELLS = pytest.StashKey[tuple[tuple[str, str, str], ...]]()
"""What a test stands for: (requirement, level, cell) of each of its marks."""


class Recorder:
    """Hooks of every process that collects and runs tests: the workers, or the only process."""

    def __init__(self, context: Context, expected: Sequence[suite.MarkedTest]) -> None:
        """Record into the context's journal; `expected` are the marked tests that the suite's source holds."""
        self._journal = context.journal
        self._redact = context.redact
        self._page = context.page
        self._axes = context.axes
        self._expected = {(t.test, t.requirement) for t in expected}
        self._broken = False
        self._pid = os.getpid()

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
            if axis in metafunc.fixturenames and _marks(metafunc.definition):
                metafunc.parametrize(axis, values, ids=values, indirect=True, scope="session")

    @pytest.hookimpl(wrapper=True)
    def pytest_pycollect_makeitem(self) -> Generator[None, Any, Any]:
        """Record every variant of a marked test: naming one by its id leaves the others out without a trace."""
        made = yield
        for item in made if isinstance(made, list) else ():
            cells = self._cells_of(item, _marks(item)) if isinstance(item, pytest.Item) else ()
            for requirement, level, cell in cells:
                self.write("collected", nodeid=item.nodeid, requirement=requirement, level=level, cell=cell)
        return made

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record a file that could not be collected: with workers pytest runs the others as if it was not there."""
        _clean(report, self._redact)
        if report.failed:
            said = (_message(report) or "no reason given").strip().splitlines()[-1].removeprefix("E ").strip()
            self.write(
                "trouble", text=f"{report.nodeid or 'the suite'} could not be collected: {said}", sync=True
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Give every test its cells, record all of them, and refuse marks that do not fit the page."""
        marked, unread = [], []
        for item in items:
            marks = _marks(item)
            unread += list(self._unread(item, marks))
            cells = self._cells_of(item, marks)
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
        found = (*suite.mistakes(self._page, list(dict.fromkeys(marked))), *dict.fromkeys(unread))
        for text in found:
            self.write("mistake", text=text, sync=True)
        if found:
            items.clear()  # xdist hands out even what a failed collection found
            raise pytest.UsageError("\n".join(["the suite's marks do not fit the release page:", *found]))

    def _cells_of(self, item: pytest.Item, marks: Sequence[pytest.Mark]) -> tuple[tuple[str, str, str], ...]:
        found = []
        for mark in marks:
            for argument in mark.args:
                requirement = str(argument)
                value = next(
                    (self._value(item, axis) for axis in self._axes if self._value(item, axis)), None
                )
                found.append((requirement, mark.name, suite.cell_id(requirement, value)))
        return tuple(found)

    def _unread(self, item: pytest.Item, marks: Sequence[pytest.Mark]) -> Iterator[str]:
        """Yield the marks of a test that are not in the suite's source: alias, base class, hook, no id."""
        test = item.nodeid.split("[")[0]
        for mark in marks:
            if mark.kwargs or (test, *map(str, mark.args)) not in self._expected:
                how = suite.HOW.format(level=mark.name)
                yield f"{test}: its mark {mark.name} cannot be read from its source: {how}"

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
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let a marked test break where pytest only warns: it returns something, or a thread of it has failed."""
        if not item.stash.get(CELLS, ()):
            return (yield)
        with warnings.catch_warnings():
            # `return False` was meant to be an assertion; the second line is unittest's word for the same.
            warnings.simplefilter("error", pytest.PytestReturnNotNoneWarning)
            warnings.filterwarnings("error", "It is deprecated to return a value", DeprecationWarning)
            warnings.simplefilter("error", pytest.PytestUnhandledThreadExceptionWarning)
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say on the report which of our errors it was, and what came of it before any hook could change that."""
        before = call.excinfo
        report = yield
        self._end_forked_child()
        raised = call.excinfo or before  # pytest's unittest support puts its own there
        facts: dict[str, str | None] = {}
        if raised is not None:
            facts = _error_facts(raised.value, item)
        elif str(report.longrepr).startswith("[XPASS(strict)]"):
            facts = {"error": "Xpass"}
        if facts:
            skipped = raised is not None and isinstance(raised.value, pytest.skip.Exception)
            outcome = report.outcome if not report.passed else "skipped" if skipped else "failed"
            report.release_error = facts | {"outcome": outcome}  # type: ignore[attr-defined]  # rides along
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record one phase of one test as it happened here, and keep secrets out of what everybody prints.

        What passes without a mark says nothing about the release, and there may be 10,000 of it: that is left out.
        """
        _clean(report, self._redact)
        error = getattr(report, "release_error", None) or {}
        rerun = str(report.outcome) == "rerun"
        if report.passed and "outcome" in error:
            # A hook, of a conftest perhaps, made a pass of it.
            report.outcome = error["outcome"]
            report.longrepr = report.longrepr or f"a hook let this pass, but it {report.outcome}"
        is_marked = any(name == "release.requirement" for name, _ in report.user_properties)
        if report.passed and not is_marked:
            return
        unusual = {
            "rerun": rerun or None,
            "subtest": isinstance(report, pytest.SubtestReport) or None,
            "wasxfail": None if (reason := getattr(report, "wasxfail", None)) is None else str(reason),
            "message": error.get("message") or _message(report) or None,
            "error": error.get("error"),
            "code": error.get("code"),
            "on": error.get("on"),
        }
        self.write(
            "report",
            sync=is_marked and report.when == "teardown",
            nodeid=report.nodeid,
            when=report.when,
            outcome=report.outcome,
            duration=report.duration,
            **{name: value for name, value in unusual.items() if value is not None},
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Keep secrets out of the warnings that pytest prints."""
        text = str(warning_message.message)
        if (clean := sound(self._redact(text))) != text:
            warning_message.message = clean

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        """Record that pytest or a plugin broke: such a run proves nothing more."""
        self._end_forked_child()
        last = (str(excrepr).strip().splitlines() or ["unknown"])[-1]
        self.write("internalerror", text=last, sync=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Record that somebody, or pytest.exit, ended the run early."""
        self._end_forked_child()
        self.write("interrupted", text=f"{excinfo.typename}: {excinfo.value}".rstrip(": "), sync=True)

    def _end_forked_child(self) -> None:
        """End a child that a test forked and that came back through pytest: it must not run or record the rest."""
        if os.getpid() != self._pid:
            os._exit(3)


def _clean(report: pytest.TestReport | pytest.CollectReport, redact: Redactor) -> None:
    """Keep secrets out of a report, and whatever cannot cross from a worker: a Path there ends the worker."""
    longrepr = report.longrepr
    if isinstance(longrepr, tuple):
        path, line, reason = longrepr
        report.longrepr = (path, line, sound(redact(reason)))
    elif longrepr is not None and (text := str(longrepr)) != (clean := sound(redact(text))):
        report.longrepr = clean
    report.sections = [(name, sound(redact(text))) for name, text in report.sections]
    if isinstance(report, pytest.TestReport):
        report.user_properties = [(str(name), plain(value, redact)) for name, value in report.user_properties]
        error = getattr(report, "release_error", None)
        if error:
            report.release_error = plain(error, redact)  # type: ignore[attr-defined]  # rides along
        if isinstance(getattr(report, "wasxfail", None), str):
            report.wasxfail = sound(redact(report.wasxfail))


def _marks(node: Any) -> list[pytest.Mark]:  # noqa: ANN401 - items and function definitions share only this
    """Return the marks of ours in the order of the levels; of thousands of tests most have none."""
    found = [mark for mark in node.iter_markers() if mark.name in suite.LEVELS]
    return sorted(found, key=lambda mark: suite.LEVELS.index(mark.name)) if found else found


def _error_facts(error: BaseException, item: pytest.Item) -> dict[str, str | None]:
    """Return plain facts of an exception, fit to cross to the controller."""
    # A mistake somebody can mend (ReleaseError) and a bug of the test say nothing about the requirement.
    kinds: tuple[tuple[str, type[BaseException] | tuple[type[BaseException], ...]], ...] = (
        ("Blocked", Blocked),
        ("Unproven", (Unproven, ReleaseError)),
        ("CheckFailed", CheckFailed),
        ("Assertion", (AssertionError, pytest.fail.Exception)),
    )
    kind = next((name for name, types in kinds if isinstance(error, types)), "Error")
    if isinstance(error, pytest.fail.Exception) and not _is_from_body(error, item):
        kind = "Xpass" if str(error) == "Unexpected success" else "Error"
    return {
        "error": kind,
        "message": str(error) if isinstance(error, Unproven | ReleaseError | CheckFailed) else None,
        "code": str(getattr(error, "code", "") or "") or None,
        "on": error.on if isinstance(error, Blocked) else None,
    }


def _is_from_body(error: BaseException, item: pytest.Item) -> bool:
    """Return whether it was the test that failed itself, and not pytest that refused it (`async`, unittest)."""
    code = getattr(getattr(item, "function", None), "__code__", None)
    return code is None or any(frame.f_code is code for frame, _ in traceback.walk_tb(error.__traceback__))


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the one line of a report that says what happened."""
    if report.passed or report.longrepr is None:
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message)
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    return str(report.longrepr)[-2000:]
