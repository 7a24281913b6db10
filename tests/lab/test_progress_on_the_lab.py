"""A run shows what it waits for: below pytest's own lines on a terminal, with workers too, and in a log file."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
from pathlib import Path

import pytest

from tests.lab.conftest import DEADLINE, ROOT, Suite

pytestmark = pytest.mark.long

APPROVED = "acceptance/test_node.py::test_node_is_approved_and_stays_up"


def run_on_a_terminal(suite: Suite, *arguments: str) -> str:
    """Run the suite on a terminal of its own and return everything that was written there."""
    ours, theirs = pty.openpty()
    said: list[bytes] = []

    def read() -> None:
        while True:
            try:
                said.append(os.read(ours, 65536))
            except OSError:  # the last one on the other side has closed it
                return

    reader = threading.Thread(target=read)
    reader.start()
    subprocess.run(
        suite.command(*arguments),
        cwd=ROOT,
        env=suite.environment(COLUMNS="150"),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        timeout=DEADLINE,
        check=False,
    )
    os.close(theirs)
    reader.join(10)
    os.close(ours)
    return b"".join(said).decode()


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_terminal_shows_one_line_for_all_workers(suite: Suite, workers: str) -> None:
    said = run_on_a_terminal(suite, "--release-target", "lab", workers, "-o", "release_lab_speed=5", APPROVED)
    shown = re.findall(r"\x1b\[2K([^\x1b\n]+)\x1b\[1A", said)
    assert shown, said[-2000:]
    awaited = [line for line in shown if re.search(r"host .* installed|install host", line)]
    assert awaited
    assert all(re.search(r", \d+ of \d+ s", line) for line in shown)
    if workers == "-n2":
        assert {"gw0", "gw1"} <= {word for line in shown for word in re.findall(r"gw\d", line)}
    last = said.rstrip().splitlines()[-1]
    assert "REHEARSAL" in last
    assert "\x1b[1A" not in said[said.rindex("oVirt release") :], "nothing is shown after the verdict"


def test_a_log_file_gets_plain_lines_about_long_waits(suite: Suite) -> None:
    finished = suite.run("--release-target", "lab", "-n0", "-o", "release_lab_speed=1", f"{APPROVED}[node-2]")
    lines = [line for line in finished.output.splitlines() if line.startswith("waiting: ")]
    assert lines, finished.output
    assert all(re.fullmatch(r"waiting: .+: .+, \d+ of \d+ s", line) for line in lines)
    assert "\x1b" not in finished.output
    assert not list(Path(finished.folder / "progress").glob("*.new"))
