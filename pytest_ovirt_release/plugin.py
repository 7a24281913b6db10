"""pytest hooks: glue only, no decisions.

Outside release mode (no page configured, or nothing collected from the suite) this plugin adds its options
and marks, and changes nothing else.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pytest_ovirt_release import options

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from pytest_ovirt_release.controller import Controller
    from pytest_ovirt_release.live import Live
    from pytest_ovirt_release.record.context import Context

LISTING = (
    *("collectonly", "showfixtures", "show_fixtures_per_test", "cacheshow"),
    *("help", "version", "markers"),
)
"""pytest's options that only show something."""

PARTS = tuple(f"ovirt-release-{name}" for name in ("controller", "worker", "recorder", "fixtures", "plain"))
"""Names that the parts below are registered by; `-p no:NAME` would leave a run that nothing judges."""

OWN_CODES = range(7)
"""pytest's own exit codes; any other, such as of `pytest.exit(returncode=11)`, would read as a verdict's."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options and ini keys."""
    options.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register marks, and in release mode the part that this process plays."""
    config.addinivalue_line("markers", "must(id): a MUST of the release page, by its permanent id")
    config.addinivalue_line("markers", "should(id): a SHOULD of the release page, by its permanent id")
    if hasattr(config, "workerinput"):
        if "ovirt_release" in config.workerinput:
            config.pluginmanager.register(WorkerPart(config), "ovirt-release-worker")
        return
    settings = options.read_settings(config)
    if settings.suite is None:
        if wrong := options.options_without_a_suite(config):
            raise pytest.UsageError(wrong)
        return
    if not settings.suite.is_dir() or not settings.suite.is_relative_to(settings.root):
        raise pytest.UsageError(f"release_suite: {settings.suite} is no folder under rootdir {settings.root}")
    if blocked := [name for name in PARTS if config.pluginmanager.is_blocked(name)]:
        raise pytest.UsageError(f"-p no:{blocked[0]}: nothing would judge the release suite; leave it out")
    if not options.is_release_mode(settings, config.args, config.invocation_params.dir):
        config.pluginmanager.register(PlainPart(settings.suite, settings.root), "ovirt-release-plain")
    elif _only_lists(config):
        config.pluginmanager.register(ListPart(config, settings), "ovirt-release-controller")
    else:
        # Kept beside the plugin manager too: a test may unregister whatever it likes, and is judged all the same.
        config.stash[PART] = part = ControllerPart(config, settings)
        config.pluginmanager.register(part, "ovirt-release-controller")
        config.add_cleanup(_guard_exit())


def _only_lists(config: pytest.Config) -> bool:
    return any(config.getoption(name, None) for name in LISTING)


def _unfit(config: pytest.Config) -> tuple[str, ...]:
    """Return one sentence for each way in which this pytest would let a failure pass."""
    found = []
    if sys.flags.optimize:
        found.append("Python runs with -O (or PYTHONOPTIMIZE), which drops `assert`; run it without")
    if config.getoption("runxfail", None):
        found.append("--runxfail lets tests with known failures pass; leave it out")
    if not config.pluginmanager.hasplugin("skipping"):
        found.append("-p no:skipping lets tests with known failures pass; leave it out")
    return tuple(found)


def _guard_exit() -> Callable[[], None]:
    """Let `os._exit` end this process with no code that reads as a verdict's, and return how to undo that.

    It ends pytest before any hook could give a verdict, and 0 means GO. Children that fork keep the real one.
    """
    real, pid = os._exit, os.getpid()

    def end(status: int) -> NoReturn:
        real(_without_verdict(status) if os.getpid() == pid else status)

    def undo() -> None:
        os._exit = real

    os._exit = end
    return undo


def _play(config: pytest.Config, context: Context) -> None:
    """Record what this process collects and runs, and offer the fixtures."""
    from pytest_ovirt_release import after_failure, fixtures  # noqa: PLC0415 - release mode only
    from pytest_ovirt_release.record.recorder import Recorder  # noqa: PLC0415 - release mode only
    from pytest_ovirt_release.record.redacted_logs import redact_logs  # noqa: PLC0415 - release mode only
    from pytest_ovirt_release.record.suite import scan  # noqa: PLC0415 - release mode only

    config.stash[fixtures.CONTEXT] = context
    config.add_cleanup(redact_logs(context.redact))
    if context.sources.run_folder:
        from pytest_ovirt_release.checks import progress  # noqa: PLC0415 - release mode only

        progress.publish_to(context.folder / "progress" / f"{context.journal.path.stem}.json")
        config.add_cleanup(lambda: progress.publish_to(None))
    if not config.pluginmanager.has_plugin("dsession"):
        settings = options.read_settings(config)
        expected = scan(settings.suite, settings.root) if settings.suite else ()
        config.pluginmanager.register(Recorder(context, expected), "ovirt-release-recorder")
        config.pluginmanager.register(fixtures, "ovirt-release-fixtures")
        config.pluginmanager.register(after_failure, "ovirt-release-after-failure")


def _arm_signals() -> None:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does; re-arm Ctrl-C where a script had it ignored."""

    def interrupt(number: int, _frame: object) -> None:
        waiting = sys.modules.get("pytest_ovirt_release.checks.waiting")
        if waiting is not None:
            waiting.stop.set()
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupt)


class PlainPart:
    """Outside release mode: changes nothing, but lets no test of the suite run unjudged."""

    def __init__(self, suite: Path, root: Path) -> None:
        """Remember where the suite is, and what node ids begin at."""
        self._suite = suite.resolve()
        self._root = root

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse tests of the suite that no path named, such as those of `--pyargs`."""
        self._refuse({item.path.parent for item in items})

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Refuse the same of a worker, whose own errors the controller would not print."""
        self._refuse({(self._root / nodeid.split("::")[0]).parent for nodeid in ids})

    def _refuse(self, folders: set[Path]) -> None:
        for folder in folders:
            if folder.resolve().is_relative_to(self._suite):
                raise pytest.UsageError(
                    f"{folder}: tests of the release suite are named by path: pytest {self._suite}"
                )


class WorkerPart:
    """What an xdist worker does: record in its own journal."""

    def __init__(self, config: Any) -> None:  # noqa: ANN401 - xdist adds workerinput to the config
        """Read the inputs that the controller names."""
        from pytest_ovirt_release.record.context import Sources, open_context  # noqa: PLC0415 - release mode only

        self._config = config
        self.context = open_context(
            Sources(**config.workerinput["ovirt_release"]), config.workerinput["workerid"]
        )

    def pytest_sessionstart(self) -> None:
        """Start recording, and show whoever reaps this run that it still lives."""
        from pytest_ovirt_release.record import orphans  # noqa: PLC0415 - release mode only

        self._lock = orphans.worker_lock(self.context.folder, self.context.journal.path.stem)
        self._lock.acquire(timeout=5)
        _arm_signals()
        orphans.end_with_parent()
        _play(self._config, self.context)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let two nodes be at work at once, where there are workers for it."""
        workers = int(self._config.workerinput["workercount"])
        if self.context.target is None or workers == 1:
            return
        from pytest_ovirt_release.ordering import node_used, ordered  # noqa: PLC0415 - release mode only
        from pytest_ovirt_release.record.recorder import CELLS  # noqa: PLC0415 - release mode only

        nodes = self.context.target.nodes
        items[:] = ordered(
            items, lambda item: node_used((cell for *_, cell in item.stash.get(CELLS, ())), nodes), workers
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Record a hook that breaks after the last test: the controller does not hear of it."""
        try:
            return (yield)
        except (
            Exception,
            SystemExit,
        ) as error:  # not KeyboardInterrupt: xdist is impatient with a slow machine
            text = f"worker {self.context.journal.path.stem} broke off: {type(error).__name__}: {error}"
            self.context.journal.write("trouble", text=text, sync=True)
            raise


class ListPart:
    """`--collect-only`: lists the tests, computes no verdict, starts no lab."""

    def __init__(self, config: pytest.Config, settings: options.Settings) -> None:
        """Remember the settings."""
        self._config = config
        self._settings = settings

    def pytest_sessionstart(self) -> None:
        """Offer the axes of the page."""
        from pytest_ovirt_release.controller import list_only  # noqa: PLC0415 - release mode only
        from pytest_ovirt_release.errors import ReleaseError  # noqa: PLC0415 - release mode only

        try:
            _play(self._config, list_only(self._settings))
        except ReleaseError as error:
            raise pytest.UsageError(str(error)) from error

    def pytest_report_collectionfinish(self) -> str:
        """Say that listing is not judging."""
        return "ovirt-release: tests were only listed; no verdict was computed"


class ControllerPart:
    """The process that prepares the run and gives the verdict."""

    def __init__(self, config: pytest.Config, settings: options.Settings) -> None:
        """Prepare nothing yet: configuration must stay cheap."""
        from pytest_ovirt_release.controller import Controller  # noqa: PLC0415 - release mode only

        self._config = config
        self._exit: int | None = None
        self._live: Live | None = None
        self.controller: Controller = Controller(settings, _unfit(config))
        if config.pluginmanager.hasplugin("html"):
            from pytest_ovirt_release.report.pytest_html import PytestHtmlView  # noqa: PLC0415 - where it is used

            config.pluginmanager.register(
                PytestHtmlView(
                    lambda: self.controller.verdict,
                    get_folder=lambda: self.controller.run.path if self.controller.run else None,
                    page=config.getoption("htmlpath", None),
                ),
                "ovirt-release-html",
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Prepare the run before workers start and tests are collected."""
        _arm_signals()
        _play(self._config, self.controller.start())
        from pytest_ovirt_release import live  # noqa: PLC0415 - release mode only

        assert self.controller.context is not None  # noqa: S101 - start gave it
        self._live = live.show(self._config.pluginmanager, self.controller.context)

    def pytest_report_header(self) -> list[str]:
        """Say what is judged and where it is recorded."""
        from pytest_ovirt_release.controller import announce  # noqa: PLC0415 - release mode only

        return list(announce(self.controller.context)) if self.controller.context else []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - xdist has no public type for it
        """Tell a new worker where the inputs are."""
        if self.controller.context is not None:
            node.workerinput["ovirt_release"] = self.controller.context.sources.plain()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ANN401 - xdist has no public type
        """Record a worker that did not end by itself."""
        if error and self.controller.context is not None:
            self.controller.context.journal.write(
                "trouble", text=f"worker {node.gateway.id} died: {error}", sync=True
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the test in which a worker died: only the controller hears of it."""
        if str(report.when) == "???" and self.controller.context is not None:
            self.controller.context.journal.write("crash", nodeid=report.nodeid, sync=True)

    def pytest_internalerror(self, excrepr: object) -> None:
        """Record that pytest or a plugin broke, in whichever process."""
        if self.controller.context is not None:
            last = (str(excrepr).strip().splitlines() or ["unknown"])[-1]
            self.controller.context.journal.write("internalerror", text=last, sync=True)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Give the verdict once every fixture is torn down and every worker has ended."""
        session.exitstatus = self._finish(int(exitstatus))

    def _finish(self, pytest_exit: int) -> int:
        try:
            self._exit = self.controller.finish(_own_code(pytest_exit))
        except Exception as error:  # noqa: BLE001 - a verdict that cannot be given is never GO
            self.controller.trouble.append(str(error))
            self._exit = int(pytest.ExitCode.INTERNAL_ERROR)
        return self._exit

    def exit_code(self, given: int) -> int:
        """Return the process's exit code: what the verdict said, and never 0 where none was given."""
        return self._exit if self._exit is not None else _without_verdict(given)

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Say the verdict last, when pytest has said everything else."""
        if self._exit is None and self.controller.context is not None:
            self.controller.trouble.append("a hook ended the session before its verdict")
            self._finish(pytest.ExitCode.INTERRUPTED)
        if self._live is not None:
            self._live.stop()
        self.controller.abandon()
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and self.controller.run is not None:
            _say(terminal, self.controller, self._exit)


PART = pytest.StashKey[ControllerPart]()


def _own_code(given: int) -> int:
    return given if given in OWN_CODES else int(pytest.ExitCode.INTERRUPTED)


def _without_verdict(given: int) -> int:
    """Return the exit code of a run that no verdict was given in: never 0."""
    return _own_code(given) or int(pytest.ExitCode.INTERRUPTED)


def _say(terminal: Any, controller: Controller, process_exit: int | None) -> None:  # noqa: ANN401 - pytest's reporter has no public type
    """Print the verdict's table and last line, coloured by pytest's own means."""
    from pytest_ovirt_release.report import console  # noqa: PLC0415 - release mode only

    for text in controller.trouble:
        terminal.write_line(f"ovirt-release: {text}", red=True)
    if controller.verdict is None or controller.run is None:
        return
    styles = {
        "good": {"green": True},
        "bad": {"red": True},
        "warn": {"yellow": True},
        "title": {"bold": True},
    }
    width = terminal._tw.fullwidth  # noqa: SLF001 - pytest has no public width
    encoding = getattr(terminal._tw._file, "encoding", None) or "utf-8"  # noqa: SLF001 - same; StringIO has none
    plain = not encoding.lower().startswith("utf")
    folder = str(controller.run.path)
    said = console.lines(
        controller.verdict, width, folder=folder, ascii_only=plain, process_exit=process_exit
    )
    said = console.quieter(said, terminal.verbosity)
    from pytest_ovirt_release.report import github_job  # noqa: PLC0415 - release mode only

    # Before the table: the verdict's line stays the last one.
    github_job.tell(controller.verdict, os.environ, terminal.write_line)
    for line in said:
        terminal.write_line(line.text, **styles.get(line.style, {}))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Let the verdict's exit code stand; let go of lab and lock even when pytest never came to a session."""
    try:
        given = yield
    except (SystemExit, KeyboardInterrupt):  # of a hook, or of somebody who does not want to wait
        if PART not in config.stash:
            raise
        given = pytest.ExitCode.INTERRUPTED
    finally:
        part = config.stash.get(PART, None)
        if part is not None:
            part.controller.abandon()
    if part is None:
        return _without_verdict(int(given or 0)) if not given and _ought_to_judge(config) else given
    return part.exit_code(int(given or 0))


def _ought_to_judge(config: pytest.Config) -> bool:
    """Return whether a pytest that ended before it was configured had a release suite to run."""
    if hasattr(config, "workerinput") or _only_lists(config):
        return False
    return options.is_release_mode(options.read_settings(config), config.args, config.invocation_params.dir)
