"""The ways to go wrong that take a whole run each: its options, its hooks, its own records.

Each runs in a project whose suite is `test_beta` and the must of the case, `test_alpha`, in this order.
"""

from __future__ import annotations

from tests.plugin.hostile import NO_RUN, Case

N0, N2 = ("-n0",), ("-n2",)
PASSES = "MUST\ndef test_NAME():\n    pass"
FAILS = "MUST\ndef test_NAME():\n    assert 0"
SHOULD_FAILS = "@pytest.mark.should('gamma')\ndef test_gamma():\n    assert 0\n\n"
ALPHA, BETA = "acceptance/test_all.py::test_alpha", "acceptance/test_all.py::test_beta"


def does(code: str) -> str:
    """Return a must that does something and then passes."""
    return f"MUST\ndef test_NAME(request):\n    {code}"


def hook(text: str, imports: str = "pytest") -> str:
    """Return a conftest."""
    return f"import {imports}\n\n{text}\n"


SELECTED = (
    Case("k", "`-k` leaves the test out", "missing", PASSES, args=("-k", "beta")),
    Case("m", "`-m` leaves the test out", "missing", PASSES, args=("-m", "should"), modes=N0),
    Case("deselect", "`--deselect` leaves the test out", "missing", PASSES, args=("--deselect", ALPHA), modes=N0),
    Case("ignore", "`--ignore` leaves the file out", "missing", PASSES, args=("--ignore", "acceptance/test_all.py"), modes=N0),
    Case("node-id", "only another test is named by its id", "missing", PASSES, args=(BETA,), modes=N0),
    Case("path", "only one of the two files is named that hold tests of the must", "missing", PASSES, more=PASSES.replace("NAME", "more"), args=("acceptance/test_all.py",), modes=N0),
    Case("duplicates", "`--keep-duplicates`, and the file is named twice", "flaky", PASSES, args=("--keep-duplicates", "acceptance/test_all.py", "acceptance/test_all.py"), modes=N0),
    Case("pdb", "`--pdb`, and the test fails where nobody sits", "failed", FAILS, "NO-GO", 2, args=("--pdb",), modes=N0),
    Case("other-pattern", "an option says that test files are called otherwise", "missing", PASSES, args=("-o", "python_files=check_*.py"), modes=N0),
    Case("x", "`-x`, and a should fails before the test", "missing", SHOULD_FAILS + PASSES, args=("-x", "-k", "gamma or alpha"), with_workers=("missing", 2), modes=N0),
    Case("maxfail", "`--maxfail=1 --dist loadfile`, and a should fails before the test", "missing", SHOULD_FAILS + PASSES, args=("--maxfail=1", "--dist", "loadfile"), with_workers=("missing", 2)),
    Case("setup-plan", "`--setup-plan` runs no test's body", "errored", PASSES, args=("--setup-plan",), modes=N0),
    Case("dist-each", "`--dist each` runs every test in every worker", "flaky", PASSES, args=("--dist", "each", "--tx", "2*popen"), modes=N2),
    Case("dist-no", "`--dist no`, and the test fails", "failed", FAILS, "NO-GO", 1, args=("--dist", "no"), modes=N2),
    Case("reruns", "`--reruns 2`, and the test passes the second time", "flaky", "TRIED = []\n\nMUST\ndef test_NAME():\n    TRIED.append(1)\n    assert len(TRIED) == 2", args=("--reruns", "2")),
    Case("mistyped", "the mark is mistyped, and marks are not strict", "missing", "@pytest.mark.mustt('alpha')\ndef test_NAME():\n    pass", args=("-o", "strict=false", "-o", "strict_markers=false"), modes=N0),
    Case("mistyped-strict", "the mark is mistyped: the file cannot be collected", "missing", "@pytest.mark.mustt('alpha')\ndef test_NAME():\n    pass", code=2, with_workers=("missing", 10)),
    Case("generator", "the test is a generator: the file cannot be collected", "missing", "MUST\ndef test_NAME():\n    yield", code=2, modes=N0),
    Case("optimize", "Python drops assertions (`-O`, PYTHONOPTIMIZE)", NO_RUN, FAILS, "INVALID", 4, args=("--assert=plain",), env={"PYTHONOPTIMIZE": "1"}, modes=N0),
    Case("runxfail", "`--runxfail`, which makes `pytest.xfail()` do nothing", NO_RUN, does("pytest.xfail('known')"), "INVALID", 4, args=("--runxfail",), modes=N0),
    Case("no-skipping", "`-p no:skipping`, which makes xfail marks do nothing", NO_RUN, FAILS, "INVALID", 4, args=("-p", "no:skipping"), modes=N0),
    Case("no-part", "`-p no:` takes out a part of this plugin", NO_RUN, FAILS, NO_RUN, 4, args=("-p", "no:ovirt-release-controller"), modes=N0),
    Case("no-plugin", "`-p no:ovirt_release` takes out this plugin, where ini keys are strict", NO_RUN, FAILS, NO_RUN, 4, args=("-p", "no:ovirt_release"), modes=N0),
    Case("no-terminal", "`-p no:terminal`, and the test fails", "failed", FAILS, "NO-GO", 1, args=("-p", "no:terminal")),
    Case("quiet", "`-q --no-header --no-summary -W error`, and the test fails", "failed", FAILS, "NO-GO", 1, args=("-q", "--no-header", "--no-summary", "-W", "error"), modes=N0),
)  # fmt: skip
"""pytest is told to run less than everything, or to run it otherwise."""

ENDED = (
    Case("exit-in-test", "the test calls `pytest.exit(returncode=0)`", "errored", does("pytest.exit('bye', returncode=0)"), with_workers=("errored", 3)),
    Case("exit-as-conditional", "the test calls `pytest.exit(returncode=11)`, the code of GO-CONDITIONAL", "errored", does("pytest.exit('bye', returncode=11)"), code=2, modes=N0),
    Case("exit-in-fixture", "a fixture calls `pytest.exit(returncode=0)`", "missing", "@pytest.fixture\ndef leaves():\n    pytest.exit('bye', returncode=0)\n\nMUST\ndef test_NAME(leaves):\n    pass", with_workers=("missing", 3)),
    Case("exit-in-teardown", "a session fixture calls `pytest.exit(returncode=0)` in its teardown", "errored", "@pytest.fixture(scope='session')\ndef leaves():\n    yield\n    pytest.exit('bye', returncode=0)\n\nMUST\ndef test_NAME(leaves):\n    pass", modes=N0),
    Case("exit-in-import", "the module calls `pytest.exit(returncode=0)`", "missing", "pytest.exit('bye', returncode=0)\n" + PASSES, code=2, modes=N0),
    Case("exit-in-collection", "a collection hook calls `pytest.exit(returncode=0)`", "missing", PASSES, conftest=hook("def pytest_collection_modifyitems():\n    pytest.exit('bye', returncode=0)"), with_workers=("missing", 3)),
    Case("exit-in-run", "a hook around a test calls `pytest.exit(returncode=0)`", "missing", PASSES, conftest=hook("def pytest_runtest_setup(item):\n    if item.name == 'test_alpha':\n        pytest.exit('bye', returncode=0)"), modes=N0),
    Case("exit-at-start", "`pytest_sessionstart` calls `pytest.exit(returncode=0)`", "missing", PASSES, code=2, conftest=hook("def pytest_sessionstart():\n    pytest.exit('bye', returncode=0)"), modes=N0),
    Case("exit-at-configure", "`pytest_configure` calls `pytest.exit(returncode=0)`", NO_RUN, PASSES, NO_RUN, 2, conftest=hook("def pytest_configure():\n    pytest.exit('bye', returncode=0)"), modes=N0),
    Case("exit-at-finish", "`pytest_sessionfinish` calls `pytest.exit(returncode=0)` after every test has passed", "passed", PASSES, code=2, conftest=hook("def pytest_sessionfinish():\n    pytest.exit('bye', returncode=0)"), modes=N0),
    Case("sys-exit-in-import", "the module calls `sys.exit(0)`", "missing", "sys.exit(0)\n" + PASSES, code=3),
    Case("sys-exit-at-finish", "`pytest_sessionfinish` calls `sys.exit(0)` after every test has passed", "passed", PASSES, code=2, conftest=hook("def pytest_sessionfinish():\n    sys.exit(0)", "sys"), modes=N0),
    Case("os-exit-at-finish", "`pytest_sessionfinish` calls `os._exit(0)` after every test has passed", "passed", PASSES, code=2, conftest=hook("def pytest_sessionfinish():\n    os._exit(0)", "os"), modes=N0),
    Case("os-exit-in-import", "the module calls `os._exit(0)`", "missing", "os._exit(0)\n" + PASSES, code=2, modes=N0),
    Case("keyboard-interrupt", "the test raises KeyboardInterrupt", "errored", does("raise KeyboardInterrupt"), code=2),
    Case("should-stop", "a test tells the session to stop", "missing", "def test_first(request):\n    request.session.shouldstop = 'enough'\n\n" + PASSES, code=2, modes=N0),
    Case("no-items", "a test empties the session's list of tests", "missing", "def test_first(request):\n    request.session.items.clear()\n\n" + PASSES, modes=N0),
    Case("session-teardown", "a session fixture fails in its teardown", "errored", "@pytest.fixture(scope='session')\ndef breaks():\n    yield\n    raise OSError('no')\n\nMUST\ndef test_NAME(breaks):\n    pass"),
    Case("session-teardown-dies", "the process dies in the teardown of a session fixture", "errored", "@pytest.fixture(scope='session')\ndef dies():\n    yield\n    os._exit(0)\n\nMUST\ndef test_NAME(dies):\n    pass", code=2, with_workers=("errored", 10)),
    Case("no-restart", "a worker dies, and `--max-worker-restart=0`", "errored", does("os._exit(0)"), args=("--max-worker-restart=0",), modes=N2),
    Case("worker-dies-at-finish", "a worker dies after its last test", "passed", PASSES, args=("--max-worker-restart=0",), conftest=hook("def pytest_sessionfinish(session):\n    if hasattr(session.config, 'workerinput'):\n        os._exit(0)", "os"), modes=N2),
    Case("worker-breaks-at-finish", "a hook of a worker fails after its last test", "passed", PASSES, conftest=hook("def pytest_sessionfinish(session):\n    if hasattr(session.config, 'workerinput'):\n        raise OSError('no')", "os"), modes=N2),
    Case("worker-cannot-start", "a hook fails where a worker starts", "missing", PASSES, code=3, conftest=hook("def pytest_configure(config):\n    if hasattr(config, 'workerinput'):\n        raise OSError('no')", "os"), modes=N2),
)  # fmt: skip
"""Something ends the run, or a process of it, before the last test has passed and everything is put away."""

WRAPPER = "@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_makereport(item):\n    report = yield\n"
HOOKED = (
    Case("outcome-changed", "the test fails, and a hook makes a pass of its report", "failed", FAILS, "NO-GO", 1, conftest=hook(WRAPPER + "    report.outcome, report.longrepr = 'passed', None\n    return report")),
    Case("report-replaced", "the test fails, and a hook makes a report of its own, which passed", "failed", FAILS, "NO-GO", 1, conftest=hook("def pytest_runtest_makereport(item, call):\n    call.excinfo = None\n    return pytest.TestReport.from_item_and_call(item, call)"), modes=N0),
    Case("all-shown-as-passed", "the test fails, and hooks show every test as passed and set pytest's exit code to 0", "failed", FAILS, "NO-GO", 1, conftest=hook("def pytest_report_teststatus():\n    return 'passed', '.', 'PASSED'\n\n@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session):\n    session.exitstatus = 0"), modes=N0),
    Case("main-replaced", "a hook takes over the whole of pytest, and runs nothing", NO_RUN, FAILS, NO_RUN, 2, conftest=hook("def pytest_cmdline_main():\n    return 0"), modes=N0),
    Case("items-emptied", "a hook empties the list of tests", "missing", PASSES, conftest=hook("def pytest_collection_modifyitems(items):\n    items.clear()")),
    Case("unregistered", "the test takes this plugin's parts out of pytest, and calls `pytest.exit(returncode=11)`", "errored", does("for name in 'recorder', 'controller':\n        request.config.pluginmanager.unregister(name=f'ovirt-release-{name}')\n    pytest.exit('bye', returncode=11)"), code=2, modes=N0),
    Case("internal-error", "the hook that makes reports fails for this test", "missing", FAILS, code=3, or_code=10, conftest=hook("def pytest_runtest_makereport(item):\n    if item.name == 'test_alpha':\n        raise OSError('no')")),
    Case("unfit-report", "a hook puts something on a report that cannot cross from a worker", "errored", PASSES, code=3, or_code=10, conftest=hook(WRAPPER + "    report.more = datetime.datetime.now()\n    return report", "pytest, datetime"), modes=N2),
    Case("unfit-output", "a hook puts something into a worker's output that cannot cross", "passed", PASSES, args=("--max-worker-restart=0",), conftest=hook("def pytest_sessionfinish(session):\n    getattr(session.config, 'workeroutput', {})['more'] = object()"), modes=N2),
    Case("log-error", "a hook that hears of reports fails", "errored", PASSES, code=3, conftest=hook("def pytest_runtest_logreport(report):\n    if 'alpha' in report.nodeid:\n        raise OSError('no')"), modes=N0),
)  # fmt: skip
"""Hooks of the suite or of another plugin change what pytest does or says."""

FOLDER = "folder = request.getfixturevalue('run_folder')\n    "
JOURNALS = FOLDER + "for path in (folder / 'journal').iterdir():\n        "
TAMPERED = (
    Case("journal-truncated", "the test empties the journals", NO_RUN, does(JOURNALS + "os.truncate(path, 0)"), "INVALID", 12),
    Case("journal-scribbled", "the test writes something else into the journals", "passed", does(JOURNALS + "path.open('a').write('scribble\\n')"), "INVALID", 12, modes=N0),
    Case("journal-deleted", "the test deletes the journals", NO_RUN, does(JOURNALS + "path.unlink()"), code=3),
    Case("folder-removed", "the test removes the run's folder", NO_RUN, does(FOLDER + "__import__('shutil').rmtree(folder)"), NO_RUN, 3),
    Case("page-changed", "the test changes the run's copy of the page", "passed", does(FOLDER + "path = folder / 'page.toml'\n    path.write_text(path.read_text().replace('2026-12-01', '2027-12-01'))"), "INVALID", 12, modes=N0),
    Case("verdict-forged", "the test fails, and writes a verdict.json that says GO", "failed", does(FOLDER + "path = folder / 'verdict.json'\n    path.write_text(path.read_text().replace('INCOMPLETE', 'GO'))\n    assert 0"), "NO-GO", 1),
    Case("write-replaced", "the test replaces `os.write` for good: nothing more is recorded", "errored", does("os.write = lambda fd, data: len(data)\n    assert 0"), modes=N0),
    Case("journal-redirected", "the test puts another file in the journal's place", "errored", does("fd = next(n for n in os.listdir('/proc/self/fd') if os.readlink(f'/proc/self/fd/{n}').endswith('.jsonl'))\n    os.dup2(os.open('elsewhere', os.O_WRONLY | os.O_CREAT), int(fd))\n    assert 0"), modes=N0),
)  # fmt: skip
"""The test lays hands on what the run records."""

STOPPED = (
    Case("sigkill-controller", "somebody kills pytest itself (kill -9)", "errored", code=-9),
    Case("sigterm", "somebody asks pytest to end (SIGTERM)", "errored", code=2),
    Case("ctrl-c", "Ctrl-C", "errored", code=2),
    Case("ctrl-c-twice", "Ctrl-C, and once more while a fixture is torn down", "errored", code=2),
    Case("sigint-ignored", "Ctrl-C, where pytest was started by a script that ignores it", "errored", code=2),
    Case("disk-full", "the disk is full", NO_RUN, code=3),
)  # fmt: skip
"""Somebody or something from outside; each has a test of its own."""

SEQUENCES = (
    Case("lf", "`--lf` after another test had failed: this one is left out", "missing", args=("--lf",), modes=N0),
    Case("sw", "`--sw` after a run that stopped at another test: this one is left out", "missing", args=("--sw",), modes=N0),
)  # fmt: skip
"""What pytest remembers of the run before."""

SHOWS = (
    Case("co", "`--co`, `--fixtures`, `--help` and their like only show something: no verdict, no run folder", NO_RUN, word=NO_RUN, code=0, args=("--co",)),
)  # fmt: skip
"""Where exit code 0 is no GO, because nothing is judged."""

SECTIONS = (SELECTED, ENDED, HOOKED, TAMPERED)
