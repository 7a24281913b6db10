"""The node's part of the smoke test: it registers, is approved, and runs a virtual machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.proof import judge
from pytest_ovirt_release.checks.registration import NOT_FOUND, probe_old_urls
from pytest_ovirt_release.checks.stages import judging
from pytest_ovirt_release.checks.vm import GuestRun, Place
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.cycle import Cycle
    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Ledger
    from pytest_ovirt_release.fixtures import EvidenceWriter
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.target.model import NodeTarget


@pytest.mark.must("node-registers")
def test_node_registers(
    node: NodeTarget, engine: Engine, cycle: Cycle, release_page: Page, evidence: EvidenceWriter
) -> None:
    """The node asks the engine to be registered and waits there for approval, under its own address."""
    _probe_gap(node, engine, release_page, evidence)
    with judging("node-registers", node):
        state = cycle.registered(node)
    registered = state.stages["registered"]
    facts = dict(registered.facts)
    evidence.file("register.log of the node", str(facts.pop("register_log", "")).encode())
    evidence.value("host", {"name": state.host_name, "id": state.host_id, "address": node.address})
    evidence.value("the node's own id", list(state.own_ids))
    evidence.value("registration", {"states": registered.history, "seconds": registered.seconds, **facts})
    if not state.own_ids:
        raise CheckFailed("node-without-id", f"{node.name} does not know its own id (/etc/vdsm/vdsm.id)")


@pytest.mark.must("node-approved")
def test_node_is_approved_and_stays_up(node: NodeTarget, cycle: Cycle, evidence: EvidenceWriter) -> None:
    """An approved node is installed, comes up, and is still up after storage was attached over it."""
    with judging("node-approved", node):
        state = cycle.up(node)
    evidence.value("host", {"name": state.host_name, "id": state.host_id, "address": node.address})
    for stage in ("approved", "up"):
        record = state.stages[stage]
        evidence.value(stage, {"states": record.history, "seconds": record.seconds, **record.facts})


@pytest.mark.must("node-runs-vm")
def test_node_runs_vm(
    node: NodeTarget, engine: Engine, cycle: Cycle, ledger: Ledger, evidence: EvidenceWriter
) -> None:
    """A virtual machine pinned to this node boots there, answers our challenge and powers itself off."""
    with judging("node-runs-vm", node):
        state = cycle.storage(node)
    place = Place(state.cluster_id, state.domain_id, state.host_id)
    cells = [f"node-runs-vm[{node.name}]"]
    proof = GuestRun(engine, ledger, place, name=f"vm-{node.name}", cells=cells).prove()
    evidence.value("host", {"name": state.host_name, "id": state.host_id, "address": node.address})
    evidence.value("challenge", proof.challenge)
    evidence.value("answer", {"outcome": proof.answer.outcome, "says": proof.answer.sentence})
    evidence.value("virtual machine", proof.facts())
    evidence.value("events", list(proof.events))
    judge(proof, on_host=state.host_id)


def _probe_gap(node: NodeTarget, engine: Engine, page: Page, evidence: EvidenceWriter) -> None:
    """Ask the registration URLs of the first release: as long as they are not there, the page's gap is open."""
    gaps = [gap for gap in page.gaps if gap.probe == "old-registration-urls"]
    if not gaps:
        return
    target = engine.target
    answers = probe_old_urls(engine.base, target.engine.ca_file, target.deadlines.request)
    evidence.value("old registration URLs", {path: f"HTTP {status}" for path, status in answers.items()})
    missing = any(status == NOT_FOUND for status in answers.values())
    by_hand = node.registered_by == "command"
    for gap in gaps:
        word = "open" if missing or by_hand else "closed"
        said = ", ".join(f"{path} answers {status}" for path, status in answers.items())
        how = "; the node was registered by a command" if by_hand else ""
        evidence.fact(f"gap-probe:{gap.id}", word, f"{engine.base}: {said}{how}")
