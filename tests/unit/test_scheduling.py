from __future__ import annotations

import pytest

from pytest_ovirt_release.scheduling import scope_of
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
