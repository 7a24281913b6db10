"""Every process records every test, first as it was made and then with what it stands for: that is one attempt."""

from __future__ import annotations

from pytest_ovirt_release.verdict.decide import decide
from tests.unit.verdict.made import NOW, RunMaker, inputs


def test_it_is_one_attempt_and_keeps_its_sentence() -> None:
    run, nodeid = RunMaker(), "t.py::test_vm-on-nfs"
    known = {"nodeid": nodeid, "requirement": "vm-on-nfs", "level": "must", "cell": "vm-on-nfs"}
    run.add("collected", **known).add("collected", **known, sentence="A VM starts.")
    run.ran(nodeid)
    (attempt,) = decide(inputs(), [run.end()], NOW).requirements[0].cells[0].attempts
    assert (attempt.state, attempt.sentence) == ("passed", "A VM starts.")
