from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_ovirt_release.checks.guest import Answer
from pytest_ovirt_release.checks.proof import GuestProof, judge
from pytest_ovirt_release.errors import CheckFailed

PROVEN = Answer("proven", "the guest answered", b"")
GOOD = GuestProof(
    vm_name="rel-r-vm",
    firmware="q35_sea_bios",
    pinned_to="h1",
    challenge="00",
    answer=PROVEN,
    hosts_seen=("h1",),
    states=("powering_up 0.1 s", "down 2.0 s"),
    events=("61 VM is down",),
    end="VM rel-r-vm is down. Exit message: User shut down from within the guest",
    crashed=False,
    still_up=False,
    host_names={"h1": "node-1", "h2": "host-0"},
)


def test_an_answer_a_clean_end_and_the_right_host_are_proof() -> None:
    judge(GOOD)
    judge(GOOD, on_host="h1")


def test_up_was_never_needed_but_running_somewhere_was() -> None:
    with pytest.raises(CheckFailed) as caught:
        judge(replace(GOOD, hosts_seen=()))
    assert caught.value.code == "never-seen-running"


@pytest.mark.parametrize("outcome", ["unchanged", "zeros", "echo", "truncated", "other-run", "wrong"])
def test_no_answer_is_no_proof_however_well_the_vm_looked(outcome: str) -> None:
    with pytest.raises(CheckFailed, match="as told by the disk") as caught:
        judge(replace(GOOD, answer=Answer(outcome, "as told by the disk", b"")))  # type: ignore[arg-type] # each of them
    assert caught.value.code == f"guest-{outcome}"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"still_up": True}, "guest-still-up"),
        ({"crashed": True}, "no-clean-exit"),
        ({"end": "VM rel-r-vm is down. Exit message: "}, "no-clean-exit"),
        ({"end": ""}, "no-clean-exit"),
        ({"hosts_seen": ("h2",)}, "wrong-host"),
        ({"hosts_seen": ("h1", "h2")}, "wrong-host"),
    ],
)
def test_an_answer_alone_is_not_enough(changes: dict[str, object], code: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        judge(replace(GOOD, **changes), on_host="h1")  # type: ignore[arg-type] # fields of the proof
    assert caught.value.code == code


def test_the_wrong_host_is_named_by_its_name() -> None:
    with pytest.raises(CheckFailed, match=r"pinned to host node-1 \(h1\) but ran on host-0 \(h2\)"):
        judge(replace(GOOD, hosts_seen=("h2",)), on_host="h1")
