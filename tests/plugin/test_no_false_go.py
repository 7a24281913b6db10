"""No way to go wrong ends in GO, in exit code 0 or in a green must, on any surface (cases: `hostile.py`).

LIMITS: what the tests of a suite and the plugins beside it do in pytest's own process cannot be kept from lying on
purpose. A `pytest_pyfunc_call` that returns without calling the test, a hook that clears an exception before any of
ours sees it, a test that writes records of passes into its journal, `os.execv("/bin/true", ...)` or an `atexit`
function that calls `os._exit(0)`: none of them can be told from an honest run. So a suite is reviewed as code, and a
release manager judges bundles of testers that ran the released suite (`docs/states.md`, last section).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.plugin import hostile, hostile_runs
from tests.plugin.conftest import GOOD, Project
from tests.plugin.hostile import BOTH, PREFIX, Case, marked
from tests.plugin.states import tables
from tests.plugin.surfaces import Said, assert_no_false_go, states, surfaces

LEAN = tuple(
    word for name in ("html", "metadata", "anyio", "hypothesispytest") for word in ("-p", f"no:{name}")
)
"""Without what only costs time; the runs of many cases together have everything that is installed."""

LIVE = ("--release-target", "target.toml", "--release-tester", "tess", "--release-allow-changes")
SUITE = PREFIX + '\n@pytest.mark.must("beta")\ndef test_beta(component):\n    pass\n\n\n'
CLEAN = '\n\n@pytest.mark.must("clean")\ndef test_clean():\n    pass\n'
PATIENCE = 50.0
"""Seconds that anything may take."""


def each(cases: Iterable[Case], modes: Sequence[str] = BOTH) -> pytest.MarkDecorator:
    """Run a test for each case, in each of the modes that the case wants."""
    found = [(case, mode) for case in cases for mode in case.modes if mode in modes]
    return pytest.mark.parametrize(("case", "mode"), found, ids=[f"{c.name}{m}" for c, m in found])


def alone(project: Project, case: Case) -> None:
    """Let the suite be `beta`, which passes, and `alpha`, which is the case."""
    project.suite(SUITE + marked(case.source, "alpha") + "\n")
    if case.more:
        (project.root / "acceptance" / "test_more.py").write_text(PREFIX + marked(case.more, "alpha") + "\n")
    if case.conftest:
        (project.root / "acceptance" / "conftest.py").write_text(case.conftest)


def assert_became(project: Project, case: Case, mode: str, code: int, output: str) -> None:
    """Demand what the case's row says, and the same word of every surface that says one."""
    state, wanted = case.expected(mode)
    said = assert_no_false_go(project, code, output, {"alpha"} if state != "passed" else ())
    assert said.get("verdict.json", Said(None)).word == case.word, output
    assert {one.word for one in said.values()} <= {case.word, None}
    assert code == wanted or (mode != "-n0" and code == case.or_code), output
    if said["console"].word == "INCOMPLETE":
        assert "pytest -m must --release-target" in output, "how to finish the job"
    if state is not None:
        assert states(project)["alpha"] == state


def together(project: Project, cases: Sequence[Case]) -> None:
    """Let the page ask for the must of each case, and for one that passes."""
    names = [*(case.name for case in cases), "clean"]
    project.page({name: ("must", f"{name} holds", "") for name in names})
    project.suite(PREFIX + "\n\n".join(case.text() for case in cases) + CLEAN, requirements=names)


def assert_each_became(project: Project, cases: Sequence[Case], mode: str, result: pytest.RunResult) -> None:
    """Demand each case's state, that it is a reason of the verdict by itself, and that it spoils no other must."""
    states = {case.name: case.expected(mode)[0] for case in cases}
    spoilt = {name for name, state in states.items() if state != "passed"}
    said = assert_no_false_go(project, int(result.ret), result.stdout.str(), spoilt)
    assert project.states() == states | {"clean": "passed"}
    (word,) = {case.word for case in cases}
    (code,) = {case.expected(mode)[1] for case in cases}
    assert {one.word for one in said.values()} == {word, None}
    assert result.ret == code
    reasons = {(r["code"], r["cell"]) for r in project.verdict()["reasons"] if r["cell"]}
    assert {(f"must-{states[name]}", name) for name in spoilt} <= reasons


@pytest.mark.parametrize("mode", BOTH)
def test_a_clean_run_is_go_on_every_surface(project: Project, mode: str) -> None:
    together(project, hostile.PROVEN)
    result = project.run(mode)
    said = surfaces(project, int(result.ret), result.stdout.str())
    assert {one.word for one in said.values()} == {"GO"}
    musts = frozenset(project.musts())
    of_the_whole = {"exit code", "its exit code", "GitHub annotations"}
    assert of_the_whole < said.keys()
    assert {one.green for name, one in said.items() if name not in of_the_whole} == {musts}
    assert set(project.states().values()) == {"passed"}
    inputs = {"journal", "evidence", "page.toml", "candidate.toml", "target.toml"}
    assert {p.name for p in project.folder().iterdir()} >= inputs
    with pytest.raises(AssertionError, match="exit code says GO"):
        assert_no_false_go(project, int(result.ret), result.stdout.str(), ())


@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize("cases", [hostile.FAILED, hostile.UNPROVEN], ids=["disproven", "unproven"])
def test_what_one_test_does(project: Project, cases: Sequence[Case], mode: str) -> None:
    together(project, cases)
    assert_each_became(project, cases, mode, project.run(mode))


@pytest.mark.parametrize("mode", BOTH)
def test_tests_that_pytest_does_not_come_to(project: Project, mode: str) -> None:
    together(project, hostile.UNCOLLECTED)
    suite = project.root / "acceptance"
    (suite / "test_all.py").write_text(PREFIX + CLEAN)
    (suite / "conftest.py").write_text(hostile.UNCOLLECTED_CONFTEST)
    for case in hostile.UNCOLLECTED:
        (suite / f"test_{case.name.replace('-', '_')}.py").write_text(PREFIX + case.text() + "\n")
    assert_each_became(project, hostile.UNCOLLECTED, mode, project.run(mode))


@each(hostile.LEAVES, ["-n0"])
def test_the_only_process_ends_in_the_middle(project: Project, case: Case, mode: str) -> None:
    alone(project, case)
    result = project.run(*LEAN, mode)
    assert_became(project, case, mode, int(result.ret), result.stdout.str())


def test_workers_end_in_the_middle_and_the_others_go_on(project: Project) -> None:
    together(project, hostile.LEAVES)
    assert_each_became(project, hostile.LEAVES, "-n2", project.run("-n2"))


@each([case for section in hostile_runs.SECTIONS for case in section])
def test_a_run_that_goes_wrong(
    project: Project, case: Case, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(project, case)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    workers = () if "--tx" in case.args else (mode,)
    result = project.run(*LEAN, *workers, *case.args)
    assert_became(project, case, mode, int(result.ret), result.stdout.str())


def test_what_pytest_remembers_of_the_run_before(project: Project) -> None:
    project.cached = True
    project.suite(GOOD.replace('"""Beta holds for each component."""', "import pathlib\n    assert pathlib.Path('well').exists()"))  # fmt: skip
    assert project.run(*LEAN, "--sw").ret == 2
    assert project.states() == {"alpha": "passed", "beta[vdsm]": "failed", "gamma": "missing"}
    (project.root / "well").touch()
    for case in hostile_runs.SEQUENCES:
        result = project.run(*LEAN, *case.args)
        assert_became(project, case, "-n0", int(result.ret), result.stdout.str())
    assert project.run(*LEAN, "--ff").ret == 0


def test_listing_tests_computes_no_verdict(project: Project) -> None:
    for argument in ("--co", "--fixtures", "--help", "--markers"):
        result = project.bare(*LEAN, argument, "-q")
        assert result.ret == 0
        assert not surfaces(project, 1, result.stdout.str())["console"].word
        if argument == "--co":
            result.stdout.fnmatch_lines(["*no verdict was computed*"])
    assert not (project.root / "reports").exists()


SLOW = """
import os, pathlib, time

@pytest.fixture
def slow():
    yield
    pathlib.Path("tearing-down").touch()
    if pathlib.Path("slowly").exists():
        time.sleep(60)

@pytest.mark.must("alpha")
def test_alpha(slow):
    pathlib.Path("process").write_text(str(os.getpid()))
    pathlib.Path("running").touch()
    time.sleep(60)
"""
IGNORING = ("bash", "-c", "trap '' INT; exec \"$@\"", "bash")


def stopped(name: str) -> Case:
    return next(case for case in hostile_runs.STOPPED if case.name == name)


def await_file(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a process has made a file."""
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, f"{path} never came to be"
        time.sleep(0.02)


def started(project: Project, *args: str, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start pytest in a process group of its own, as a shell does, and wait until its slow test runs."""
    project.suite(SUITE + SLOW)
    words = [*prefix, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *LEAN, *LIVE, *args]
    process = subprocess.Popen(
        words, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )  # fmt: skip
    await_file(project.root / "running", process)
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return exit code and output of a process that is about to end."""
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output


@pytest.mark.parametrize("mode", BOTH)
def test_asked_to_end(project: Project, mode: str) -> None:
    process = started(project, mode)
    process.terminate()
    assert_became(project, stopped("sigterm"), mode, *ended(process))


@pytest.mark.parametrize("mode", BOTH)
def test_ctrl_c(project: Project, mode: str) -> None:
    process = started(project, mode)
    os.killpg(process.pid, signal.SIGINT)
    assert_became(project, stopped("ctrl-c"), mode, *ended(process))


@pytest.mark.parametrize("mode", BOTH)
def test_ctrl_c_and_once_more(project: Project, mode: str) -> None:
    (project.root / "slowly").touch()
    process = started(project, mode)
    os.killpg(process.pid, signal.SIGINT)
    await_file(project.root / "tearing-down", process)
    os.killpg(process.pid, signal.SIGINT)
    assert_became(project, stopped("ctrl-c-twice"), mode, *ended(process))


@pytest.mark.parametrize("mode", BOTH)
def test_ctrl_c_where_it_was_ignored(project: Project, mode: str) -> None:
    process = started(project, mode, prefix=IGNORING)
    process.send_signal(signal.SIGINT)
    assert_became(project, stopped("sigint-ignored"), mode, *ended(process))


@pytest.mark.parametrize("mode", BOTH)
def test_killed(project: Project, mode: str) -> None:
    process = started(project, mode)
    worker = Path("/proc", (project.root / "process").read_text(), "stat")
    process.kill()
    assert_became(project, stopped("sigkill-controller"), mode, *ended(process))
    end = time.monotonic() + PATIENCE
    while worker.exists() and ") Z " not in worker.read_text():
        assert time.monotonic() < end, "the worker outlives its controller"
        time.sleep(0.02)
    program = Path(sys.executable).with_name("ovirt-release")
    again = subprocess.run([program, "verdict", project.folder()], capture_output=True, text=True, timeout=PATIENCE, check=False)  # fmt: skip
    assert again.returncode == 10
    assert "INCOMPLETE" in again.stdout.splitlines()[-1]


@pytest.mark.parametrize("mode", BOTH)
def test_a_full_disk(project: Project, mode: str) -> None:
    project.suite(
        SUITE + '@pytest.mark.must("alpha")\ndef test_alpha():\n    raise AssertionError("x" * 12_000)\n'
    )
    # A limit of 8 KiB on every file a process writes stands for a full disk: the same error, at the same place.
    limited = [
        "bash",
        "-c",
        'ulimit -f 8; exec "$@"',
        "bash",
        sys.executable,
        "-m",
        "pytest",
        *LEAN,
        *LIVE,
        mode,
    ]
    result = subprocess.run(
        [*limited, "-p", "no:cacheprovider"], cwd=project.root, capture_output=True, text=True, timeout=PATIENCE, check=False
    )  # fmt: skip
    assert_no_false_go(project, result.returncode, result.stdout, {"alpha"})
    assert result.returncode == stopped("disk-full").code
    assert "cannot record to" in result.stdout + result.stderr


def test_the_documentation_shows_these_tables() -> None:
    text = (Path(__file__).parents[2] / "docs" / "states.md").read_text()
    assert tables() in text, "make them anew: python -m tests.plugin.states"
