"""How a program of this machine is run: exact answers, or none."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.local import processes

ENV = {"PATH": os.environ["PATH"]}


def ask(text: str, deadline: float = 20) -> processes.Finished:
    return processes.ask(["sh", "-c", text], deadline=deadline, env=ENV)


def test_both_outputs_come_back_apart_and_whole() -> None:
    done = ask("head -c 3000000 /dev/zero; head -c 200000 /dev/zero >&2; exit 3")
    assert (done.status, len(done.out), len(done.err)) == (3, 3_000_000, 200_000)


def test_a_complaint_is_the_last_lines_of_standard_error() -> None:
    assert ask("echo 1 >&2; echo out; for n in 2 3 4; do echo $n >&2; done").complaint == "2 / 3 / 4"


def test_at_the_deadline_nothing_is_believed_and_nothing_is_left(tmp_path: Path) -> None:
    child = tmp_path / "child"
    with pytest.raises(processes.OutOfTime, match="sh did not finish within 1 s"):
        ask(f"sleep 300 & echo $! > {child}; wait", deadline=1)
    try:
        process = os.pidfd_open(int(child.read_text()))
    except ProcessLookupError:
        return
    try:
        assert select.select([process], [], [], 5)[0]
    finally:
        os.close(process)


def test_an_answer_that_nobody_would_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LARGEST_ANSWER", 1000)
    assert len(ask("head -c 1000 /dev/zero").out) == 1000
    with pytest.raises(processes.TooMuchOutput, match="sh wrote 1001 bytes, more than 1000"):
        ask("head -c 1000 /dev/zero; head -c 1 /dev/zero >&2")


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 1500, 1501, 70_000])
def test_a_long_output_is_cut_in_the_middle_and_says_by_how_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(processes, "LARGEST_OUTPUT", 1000)
    command = ["sh", "-c", f"head -c {size} /dev/zero | tr '\\0' x"]
    output = processes.run(command, deadline=20, env=ENV, cwd=tmp_path).output
    cut = size - 1000
    assert output == ("x" * 500 + f"\n[… {cut} bytes cut …]\n" + "x" * 500 if cut > 0 else "x" * size)


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ReleaseError, match="gpg is not installed; apt install gnupg"):
        processes.ask(["gpg"], deadline=5, env={"PATH": "/nowhere"})
