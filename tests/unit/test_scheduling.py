from __future__ import annotations

import pytest

from pytest_ovirt_release.scheduling import ByNode, scope_of
from pytest_ovirt_release.target.model import NodeTarget, SshTarget

SSH = SshTarget(address="127.0.0.2", host_key="ssh-ed25519 AAAA")
NODES = tuple(
    NodeTarget(name=name, address=address, ssh=SSH, storage=storage)
    for name, address, storage in (("left", "127.0.0.2", "nfs"), ("right", "127.0.0.3", "local"))
)
WANTED = {"a/test_smoke.py::test_nfs": "vm-on-nfs", "a/test_smoke.py::test_local": "vm-on-local"}


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("a/test_smoke.py::test_nfs", "node left"),
        ("a/test_smoke.py::test_local", "node right"),
        ("a/test_node.py::test_registers[left]", "node left"),
        ("a/test_node.py::test_registers[right]", "node right"),
        ("a/test_source.py::test_tag[vdsm]", "a/test_source.py::test_tag[vdsm]"),
        ("a/test_source.py::test_tag[left-handed]", "a/test_source.py::test_tag[left-handed]"),
    ],
)
def test_tests_of_one_node_stay_together_and_all_others_go_alone(nodeid: str, scope: str) -> None:
    assert scope_of(nodeid, WANTED, NODES) == scope


def test_storage_that_no_node_serves_is_no_reason_to_stay_together() -> None:
    assert scope_of("a/test_smoke.py::test_local", WANTED, NODES[:1]) == "a/test_smoke.py::test_local"


class Worker:
    """What the scheduler needs of a worker."""

    def __init__(self, tests: list[str]) -> None:
        self.tests = tests
        self.given: list[str] = []
        self.shutting_down = False
        self.gateway = self
        self.id = "gw"

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += [self.tests[i] for i in indices]

    def shutdown(self) -> None:
        self.shutting_down = True


def test_the_test_that_a_worker_died_in_is_not_run_again_but_the_rest_is(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = ["a::one[left]", "a::two[left]", "a::three[left]", "a::one[right]", "a::two[right]"]
    monkeypatch.setattr(pytestconfig.option, "tx", ["popen"] * 2)
    scheduler = ByNode(pytestconfig, None, lambda nodeid: scope_of(nodeid, {}, NODES))
    scheduler.numnodes = 2
    workers = [Worker(tests), Worker(tests)]
    for worker in workers:
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, tests)
    scheduler.schedule()
    assert [worker.given for worker in workers] == [tests[:3], tests[3:]]
    scheduler.mark_test_complete(workers[0], 0)
    assert scheduler.remove_node(workers[0]) == "a::two[left]"
    spare = Worker(tests)
    scheduler.add_node(spare)
    scheduler.add_node_collection(spare, tests)
    scheduler.schedule()
    given = [*workers[1].given[2:], *spare.given]
    assert "a::two[left]" not in given
    assert given.count("a::three[left]") == 1
