"""The minimal smoke test: a virtual machine on NFS, a virtual machine on local storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.proof import judge
from pytest_ovirt_release.checks.stages import judging
from pytest_ovirt_release.checks.vm import GuestRun, Place
from pytest_ovirt_release.errors import Unproven

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.checks.cycle import Cycle
    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Ledger
    from pytest_ovirt_release.fixtures import EvidenceWriter
    from pytest_ovirt_release.target.model import StorageKind, Target


@pytest.mark.must("vm-on-nfs")
def test_vm_runs_on_nfs(vm_runs_on: Callable[[StorageKind], None]) -> None:
    """A virtual machine boots from a disk on an NFS storage domain, answers our challenge and powers itself off."""
    vm_runs_on("nfs")


@pytest.mark.must("vm-on-local")
def test_vm_runs_on_local_storage(vm_runs_on: Callable[[StorageKind], None]) -> None:
    """A virtual machine boots from a disk on a node's local storage, answers our challenge and powers itself off."""
    vm_runs_on("local")


@pytest.fixture
def vm_runs_on(
    release_target: Target, engine: Engine, cycle: Cycle, ledger: Ledger, evidence: EvidenceWriter
) -> Callable[[StorageKind], None]:
    """Prove that a virtual machine runs on a kind of storage, on whichever node serves it."""

    def prove(storage: StorageKind) -> None:
        node = next((n for n in release_target.nodes if n.serves(storage)), None)
        if node is None:
            name = release_target.name
            raise Unproven(f'no node of target {name} serves {storage}: name one with storage = "{storage}"')
        requirement = f"vm-on-{storage}"
        with cycle.lease(node, storage) as lent:
            with judging(requirement, lent):
                state = cycle.serving(lent)
            place = Place(state.cluster_id, state.domain_id)
            proof = GuestRun(engine, ledger, place, name=requirement, cells=[requirement]).prove()
        domain = state.stages["storage"]
        evidence.value(
            "storage domain", {"states": domain.history, **domain.facts, "seconds": domain.seconds}
        )
        for name, value in proof.as_evidence().items():
            evidence.value(name, value)
        evidence.file("answer block", proof.answer.found)
        judge(proof)

    return prove
