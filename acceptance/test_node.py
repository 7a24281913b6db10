"""The node's part of the smoke test: it registers, is approved, and runs a virtual machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.proof import judge
from pytest_ovirt_release.checks.registration import probe_gap
from pytest_ovirt_release.checks.stages import judging
from pytest_ovirt_release.checks.vm import GuestRun, Place
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.cycle import Cycle
    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Ledger
    from pytest_ovirt_release.checks.stages import NodeState
    from pytest_ovirt_release.fixtures import EvidenceWriter
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.target.model import NodeTarget


@pytest.mark.must("node-registers")
def test_node_registers(
    node: NodeTarget, engine: Engine, cycle: Cycle, release_page: Page, evidence: EvidenceWriter
) -> None:
    """The node asks the engine to be registered and waits there for approval, under its own address."""
    for gap in release_page.gaps:
        if gap.probe == "old-registration-urls":
            probe = probe_gap(node, engine.target, engine.base)
            evidence.value(
                "old registration URLs", {u: f"HTTP {status}" for u, status in probe.answers.items()}
            )
            evidence.fact(f"gap-probe:{gap.id}", probe.word, probe.source)
    with judging("node-registers", node):
        state = cycle.registered(node)
    registered = state.stages["registered"]
    facts = dict(registered.facts)
    evidence.file("register.log of the node", str(facts.pop("register_log", "")).encode())
    evidence.value("host", _host(state, node))
    evidence.value("the node's own id", list(state.own_ids))
    evidence.value("registration", {"states": registered.history, "seconds": registered.seconds, **facts})
    if not state.own_ids:
        raise CheckFailed("node-without-id", f"{node.name} does not know its own id (/etc/vdsm/vdsm.id)")


@pytest.mark.must("node-approved")
def test_node_is_approved_and_stays_up(node: NodeTarget, cycle: Cycle, evidence: EvidenceWriter) -> None:
    """An approved node is installed, comes up, and is still up after storage was attached over it."""
    with judging("node-approved", node):
        state = cycle.up(node)
    evidence.value("host", _host(state, node))
    for stage in ("approved", "up"):
        record = state.stages[stage]
        evidence.value(stage, {"states": record.history, "seconds": record.seconds, **record.facts})


@pytest.mark.must("node-runs-vm")
def test_node_runs_vm(
    node: NodeTarget, engine: Engine, cycle: Cycle, ledger: Ledger, evidence: EvidenceWriter
) -> None:
    """A virtual machine pinned to this node boots there, answers our challenge and powers itself off."""
    with cycle.lease(node) as lent:
        with judging("node-runs-vm", lent):
            state = cycle.storage(lent)
        place = Place(state.cluster_id, state.domain_id, state.host_id)
        cells = [f"node-runs-vm[{node.name}]"]
        proof = GuestRun(engine, ledger, place, name=f"vm-{node.name}", cells=cells).prove()
    evidence.value("host", _host(state, node))
    for name, value in proof.as_evidence().items():
        evidence.value(name, value)
    judge(proof, on_host=state.host_id)


def _host(state: NodeState, node: NodeTarget) -> dict[str, str]:
    return {"name": state.host_name, "id": state.host_id, "address": node.address}
