"""After a failure on the engine its own events, jobs and logs are kept, and nothing of them spoils the verdict."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.lab.conftest import Finished, Suite

pytestmark = pytest.mark.long

SMOKE = "acceptance/test_smoke.py::test_vm_runs_on_nfs"


def kept(finished: Finished) -> dict[str, str]:
    """Return every file that was kept as evidence of a test, by its title."""
    found = {}
    for journal in Path(finished.folder, "journal").glob("*.jsonl"):
        for line in journal.read_text().splitlines():
            record = json.loads(line)
            if record["kind"] == "evidence" and record.get("file"):
                found[record["name"]] = (finished.folder / record["file"]).read_text(errors="replace")
    return found


def test_a_failure_keeps_what_engine_and_nodes_say(suite: Suite) -> None:
    finished = suite.run("--release-fault", "guest-never-executes", SMOKE)
    assert finished.states()["vm-on-nfs"] == "failed"
    found = kept(finished)
    assert "was started by" in found["events of our requests"]
    assert "rel-" in found["events of our requests"]
    assert "finished: Launching VM" in found["jobs of our requests"]
    # The lab's nodes keep no such log, which is said like on any node that has lost it.
    assert "No such file" in found["vdsm.log of node-1"]
    assert "what engine and nodes say" in finished.output
    assert "vdsm.log of node-1: [" in finished.output


def test_a_wait_that_failed_keeps_the_states_it_saw(suite: Suite) -> None:
    finished = suite.run("--release-fault", "host-up-then-non-operational", "acceptance/test_node.py")
    assert finished.states()["node-approved[node-1]"] == "failed"
    journals = Path(finished.folder, "journal").glob("*.jsonl")
    records = [json.loads(line) for path in journals for line in path.read_text().splitlines()]
    (seen,) = [
        record["value"]
        for record in records
        if record["kind"] == "evidence"
        and record["cell"] == "node-approved[node-1]"
        and record["name"] == "states seen while waiting"
    ]
    assert seen[-1].startswith("non_operational ")
    assert all(re.fullmatch(r"\w+ \d+\.\d s", state) for state in seen)


@pytest.mark.parametrize("asked", [(), ("--release-logs", "always")], ids=["usual", "asked for"])
def test_a_pass_keeps_them_only_when_asked(suite: Suite, asked: tuple[str, ...]) -> None:
    finished = suite.run("--release-target", "lab", *asked, SMOKE)
    assert finished.states()["vm-on-nfs"] == "passed"
    assert ("events of our requests" in kept(finished)) is bool(asked)


def test_an_unknown_wish_is_a_usage_error(suite: Suite) -> None:
    (suite.reports).mkdir()
    import subprocess  # noqa: PLC0415 - only here, for there is no verdict to read

    words = suite.command("--release-target", "lab", "--release-logs", "sometimes", SMOKE)
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False, env=suite.environment()
    )
    assert done.returncode == 4
    assert "invalid choice: 'sometimes'" in done.stderr
