"""Bad input and trouble: one clear message, never GO, a verdict.json that says why."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plugin.conftest import GOOD, Project

LIVE = ("--release-target", "target.toml", "--release-tester", "tess", "--release-allow-changes")
SLOW = GOOD.replace(
    '"""Beta holds for each component."""',
    "import pathlib, time\n    pathlib.Path('running').touch()\n    time.sleep(30)",
)


def test_no_target_is_a_usage_error_that_names_the_choices(project: Project) -> None:
    (project.root / "target.toml").unlink()
    result = project.bare("-m", "must")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no target*--release-target lab*--release-target FILE*"])
    assert project.verdict()["verdict"] == "INVALID"


def test_a_live_run_says_who_and_that_it_may_change_things(project: Project) -> None:
    result = project.bare("--release-target", "target.toml")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--release-tester*", "*--release-allow-changes*"])
    assert project.verdict()["verdict"] == "INVALID"


BROKEN = [
    ("pages/page-1.toml", "id = ", "*page-1.toml*"),
    ("candidate.toml", 'page = "page-1"\nsurprise = 1\n', "*candidate.toml*"),
    ("target.toml", 'schema = "ovirt-release-target/1"\n', "*target.toml*"),
]


@pytest.mark.parametrize(("name", "content", "said"), BROKEN, ids=[b[0] for b in BROKEN])
def test_a_broken_input_is_named(project: Project, name: str, content: str, said: str) -> None:
    (project.root / name).write_text(content)
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines([said])
    verdict = project.verdict()
    assert verdict["verdict"] == "INVALID"
    assert Path(name).name in verdict["reasons"][0]["detail"]


@pytest.mark.parametrize("name", ["candidate.toml", "target.toml", "engine.password"])
def test_a_missing_input_is_named(project: Project, name: str) -> None:
    (project.root / name).unlink()
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*{name}*"])
    assert project.verdict()["verdict"] == "INVALID"


def test_a_fault_needs_the_lab(project: Project) -> None:
    result = project.run("--release-fault", "unsigned-tarball")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*breaks the lab*"])


def test_reports_that_cannot_be_written_end_the_run_at_once(project: Project) -> None:
    (project.root / "reports").write_text("a file where a folder should be")
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*cannot record this run in*reports*"])


def started(project: Project, *args: str, prefix: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """Start pytest in the project and wait until its slow test runs."""
    words = [*prefix, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *LIVE, *args]
    process = subprocess.Popen(
        words, cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    end = time.monotonic() + 50
    while not (project.root / "running").exists() and time.monotonic() < end and process.poll() is None:
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_incomplete(project: Project, workers: str, number: signal.Signals) -> None:
    project.suite(SLOW)
    process = started(project, workers)
    process.send_signal(number)
    out, _ = process.communicate(timeout=50)
    assert process.returncode == 2, out.decode()
    assert project.verdict()["verdict"] == "INCOMPLETE"
    assert "INCOMPLETE" in out.decode().strip().splitlines()[-1]


def test_a_killed_run_leaves_incomplete(project: Project) -> None:
    project.suite(SLOW)
    process = started(project)
    process.kill()
    process.communicate(timeout=30)
    assert project.verdict()["verdict"] == "INCOMPLETE"


def test_a_disk_that_fills_up_ends_the_run_with_one_sentence(project: Project) -> None:
    project.suite(GOOD.replace('"""Alpha holds."""', "raise AssertionError('x' * 12_000)"))
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *LIVE]
    # A limit of 8 KiB on every file a process writes stands for a full disk: the same error, at the same place.
    result = subprocess.run(
        ["bash", "-c", 'ulimit -f 8; exec "$@"', "bash", *words],
        cwd=project.root, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert result.returncode not in {0, 1, 10, 11}
    assert "cannot record to" in result.stdout + result.stderr
    verdicts = [p for p in (project.root / "reports").rglob("verdict.json") if p.stat().st_size]
    assert all('"verdict": "GO' not in p.read_text() for p in verdicts)
