"""The minimal smoke test: a virtual machine on NFS, a virtual machine on local storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.proof import judge
from pytest_ovirt_release.checks.stages import judging
from pytest_ovirt_release.checks.vm import GuestRun, Place
from pytest_ovirt_release.errors import Unproven

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.cycle import Cycle
    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Ledger
    from pytest_ovirt_release.checks.proof import GuestProof
    from pytest_ovirt_release.checks.stages import NodeState
    from pytest_ovirt_release.fixtures import EvidenceWriter
    from pytest_ovirt_release.target.model import NodeTarget, Target


@pytest.mark.must("vm-on-nfs")
def test_vm_runs_on_nfs(
    release_target: Target, engine: Engine, cycle: Cycle, ledger: Ledger, evidence: EvidenceWriter
) -> None:
    """A virtual machine boots from a disk on an NFS storage domain, answers our challenge and powers itself off."""
    node = _node_serving("nfs", release_target)
    with judging("vm-on-nfs", node):
        state = cycle.storage(node)
    place = Place(state.cluster_id, state.domain_id)
    proof = GuestRun(engine, ledger, place, name="vm-on-nfs", cells=["vm-on-nfs"]).prove()
    _keep(evidence, proof, state)
    judge(proof)


@pytest.mark.must("vm-on-local")
def test_vm_runs_on_local_storage(
    release_target: Target, engine: Engine, cycle: Cycle, ledger: Ledger, evidence: EvidenceWriter
) -> None:
    """A virtual machine boots from a disk on a node's local storage, answers our challenge and powers itself off."""
    node = _node_serving("local", release_target)
    with judging("vm-on-local", node):
        state = cycle.storage(node)
    place = Place(state.cluster_id, state.domain_id)
    proof = GuestRun(engine, ledger, place, name="vm-on-local", cells=["vm-on-local"]).prove()
    _keep(evidence, proof, state)
    judge(proof)


def _node_serving(kind: str, target: Target) -> NodeTarget:
    node = next((n for n in target.nodes if n.storage == kind), None)
    if node is None:
        raise Unproven(f'no node of target {target.name} serves {kind}: name one with storage = "{kind}"')
    return node


def _keep(evidence: EvidenceWriter, proof: GuestProof, state: NodeState) -> None:
    storage = state.stages["storage"]
    evidence.value("storage domain", {"states": storage.history, **storage.facts, "seconds": storage.seconds})
    evidence.value("challenge", proof.challenge)
    evidence.value("answer", {"outcome": proof.answer.outcome, "says": proof.answer.sentence})
    evidence.value("virtual machine", proof.facts())
    evidence.value("events", list(proof.events))
    evidence.file("answer block", proof.answer.found)
