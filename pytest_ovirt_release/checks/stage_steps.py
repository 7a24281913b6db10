"""What is done for each stage of a node, and what is read of it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks import registration
from pytest_ovirt_release.checks.domain_steps import attach_storage
from pytest_ovirt_release.checks.engine import EngineFault
from pytest_ovirt_release.checks.logs import where
from pytest_ovirt_release.checks.ownership import mark, refuse_another_runs
from pytest_ovirt_release.checks.places import ensure_place
from pytest_ovirt_release.checks.progress import shown
from pytest_ovirt_release.checks.stages import NodeState, Stage, StageFailed, StageRecord
from pytest_ovirt_release.checks.stay import LEFT_UP, after_first_up, same_machine
from pytest_ovirt_release.checks.waiting import WaitFailed, wait_until
from pytest_ovirt_release.errors import Blocked, Unproven, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.checks.engine import Host
    from pytest_ovirt_release.checks.node import Remote
    from pytest_ovirt_release.checks.parts import Parts
    from pytest_ovirt_release.checks.waiting import Waited
    from pytest_ovirt_release.target.model import NodeTarget

PENDING = "pending_approval"
ABSENT = "not known"
INSTALLED = ("unassigned", "initializing", "connecting", "reboot", "up", "non_operational", "non_responsive")
NEVER_UP = ("non_operational", "install_failed", "error", "kdumping", "maintenance", "down", ABSENT)


class Steps:
    """Performs stages; everything that is created goes through the ledger."""

    def __init__(self, parts: Parts) -> None:
        """Take the run's parts."""
        self._parts = parts
        self._engine = parts.engine
        self._ledger = parts.ledger
        self._deadlines = parts.target.deadlines

    def perform(self, stage: Stage, node: NodeTarget, state: NodeState) -> NodeState:
        """Perform one stage; what it raises is its record."""
        if stage == "storage":
            return attach_storage(self._parts, node, state)
        return {"registered": self.register, "approved": self.approve, "up": self.bring_up}[stage](
            node, state
        )

    def register(self, node: NodeTarget, state: NodeState) -> NodeState:
        """Let the node ask to be registered, and see it waiting for approval under its own address."""
        known = self._engine.hosts.by_address(node.address)
        refuse_another_runs(known, self._ledger)
        if known is not None and known.status != PENDING:
            raise Blocked(
                "node-registers",
                f"the engine already knows {node.address} as host {known.name}, {known.status}; this run does not "
                "touch it: remove that host from the engine, or name another node in the target file",
            )
        first_event = self._engine.events.last()
        facts: dict[str, Any] = {"registered_by": node.registered_by, "known_before": known is not None}
        with self._parts.remote(node) as remote:
            facts["os_release"] = registration.node_facts(remote, self._parts.met)
            own_ids = registration.node_ids(remote)
            entry = None
            if node.registered_by == "command":
                entry, facts["command"] = self._register_by_command(node, remote)
            waited = self._await_pending(node, remote, first_event)
            if entry is not None:
                self._ledger.created(entry, waited.value.id)
            facts["register_log"] = registration.register_log(remote)
        host = waited.value
        since = 0 if known is not None else first_event  # it may have registered before this run looked
        facts["events"] = [str(e) for e in self._engine.events.since(since) if e.host_id == host.id]
        record = StageRecord("passed", history=tuple(map(str, waited.history)), facts=facts)
        return state.with_stage(
            "registered",
            record,
            host_id=host.id,
            host_name=host.name,
            own_ids=own_ids,
            first_event=first_event,
        )

    def _register_by_command(self, node: NodeTarget, remote: Remote) -> tuple[str, dict[str, Any]]:
        name = self._ledger.name(node.name)
        words = registration.register_command(node, self._engine.base, name)
        entry = self._ledger.intent("host", name, cells=_host_cells(node), address=node.address)
        with shown(f"{node.name} to run {words[0]} {words[1]}", self._deadlines.registration):
            result = remote.run(words, self._deadlines.registration)
        if not registration.succeeded(result):
            raise StageFailed("registered", "register-command-failed", f"{node.name}: {result}")
        said = {"stdout": result.stdout, "stderr": result.stderr, "seconds": result.seconds}
        return entry, {"words": words, **said}

    def _await_pending(self, node: NodeTarget, remote: Remote, first_event: int) -> Waited[Host]:
        def probe() -> tuple[str, Host | None]:
            host = self._engine.hosts.by_address(node.address)
            return (ABSENT if host is None else host.status), host

        try:
            waited = wait_until(
                probe,
                what=f"host {node.address} to ask for approval",
                deadline=self._deadlines.registration,
                wanted=(PENDING,),
                failing=(*INSTALLED, *set(NEVER_UP) - {ABSENT}, "installing"),
                say=self._parts.say,
                events=lambda: [str(e) for e in self._engine.events.since(first_event)],
                flag=self._engine.flag,
            )
        except WaitFailed as failed:
            log = " | ".join(registration.register_log(remote).splitlines()[-2:])
            said = f"; the node's register.log ends: {log}" if log else "; the node has no register.log"
            sentence = f"{failed}{said}; {where(node.name)}"
            raise StageFailed("registered", "node-not-pending", sentence) from failed
        return waited  # type: ignore[return-value] # a host that is pending is there

    def approve(self, node: NodeTarget, state: NodeState) -> NodeState:
        """Approve the host into a cluster of this run, by the engine's key, without a reboot."""
        refuse_another_runs(self._engine.hosts.get(state.host_id), self._ledger)
        place = ensure_place(self._parts, node)
        entry = self._claim(node, state) if node.registered_by == "node" else None
        try:
            mark(self._engine, self._ledger, state.host_id)
        except Blocked:
            if entry is not None:
                self._ledger.removed(entry)  # it is another run's, so this one has nothing to remove
            raise
        try:
            # The engine installs inside this request; nothing of it can be seen until it answers.
            with shown(f"the engine to install host {state.host_name}", self._deadlines.approve):
                self._engine.hosts.approve(state.host_id, place.cluster_id)
        except EngineFault as fault:
            said = self._said(state, fault.correlation)
            raise StageFailed("approved", "approve-refused", f"{fault}{said}") from fault
        except Unreachable:
            pass  # the engine installs inside this request; the host's state tells how it ended
        waited = self._await_host(
            state,
            what=f"host {state.host_name} installed",
            deadline=self._deadlines.approve,
            wanted=INSTALLED,
            failing=("install_failed", "error", ABSENT),
            stage="approved",
            code="approve-failed",
        )
        facts = {"events": self._host_events(state)}
        record = StageRecord("passed", history=tuple(map(str, waited.history)), facts=facts)
        return state.with_stage(
            "approved",
            record,
            cluster_id=place.cluster_id,
            data_center_id=place.data_center_id,
            serves=node.storage,
        )

    def _claim(self, node: NodeTarget, state: NodeState) -> str:
        """Write down that a host which came by itself becomes this run's."""
        details = {"address": node.address, "registered_itself": True}
        entry = self._ledger.intent("host", state.host_name, cells=_host_cells(node), **details)
        self._ledger.created(entry, state.host_id)
        return entry

    def bring_up(self, node: NodeTarget, state: NodeState) -> NodeState:
        """Wait until the host is up, and compare the id it shows then with the node's own."""
        waited = self._await_host(
            state,
            what=f"host {state.host_name} up",
            deadline=self._deadlines.host_up,
            wanted=("up",),
            failing=NEVER_UP,
            stage="up",
            code="host-not-up",
        )
        if not same_machine(waited.value, state.own_ids):
            raise StageFailed(
                "up",
                "other-machine",
                f"host {waited.value.name} at {node.address} shows the id {waited.value.uuid}, but the node calls "
                f"itself {', '.join(state.own_ids)}: another machine answers at that address",
            )
        facts = {"id": waited.value.uuid, "events": self._host_events(state)}
        return state.with_stage(
            "up", StageRecord("passed", history=tuple(map(str, waited.history)), facts=facts)
        )

    def left_up(self, state: NodeState) -> str | None:
        """Return a sentence when the host is not up any more, or was not in between; None when it stayed up."""
        host = self._engine.hosts.get(state.host_id)
        events = [e for e in self._engine.events.since(state.first_event) if e.host_id == state.host_id]
        bad = [str(e) for e in after_first_up(events) if e.code in LEFT_UP]
        if host is not None and host.status == "up" and not bad:
            if same_machine(host, state.own_ids):
                return None
            return (
                f"host {host.name} shows the id {host.uuid}, the node calls itself {', '.join(state.own_ids)}"
            )
        now = "gone from the engine" if host is None else f"{host.status} {host.status_detail}".strip()
        said = f"; the engine said: {' | '.join(bad[-3:])}" if bad else ""
        return f"host {state.host_name} came up but did not stay up: it is {now} now{said}"

    def _await_host(  # noqa: PLR0913 - a wait is described by all of these, and by keyword
        self,
        state: NodeState,
        *,
        what: str,
        deadline: float,
        wanted: Sequence[str],
        failing: Sequence[str],
        stage: Stage,
        code: str,
    ) -> Waited[Host]:
        def probe() -> tuple[str, Host | None]:
            host = self._engine.hosts.get(state.host_id)
            return (ABSENT if host is None else host.status), host

        try:
            waited = wait_until(
                probe,
                what=what,
                deadline=deadline,
                wanted=wanted,
                failing=failing,
                say=self._parts.say,
                events=lambda: self._host_events(state),
                flag=self._engine.flag,
            )
        except WaitFailed as failed:
            raise StageFailed(stage, code, f"{failed}; {where(state.node)}") from failed
        if waited.value is None:  # ABSENT is never wanted
            raise Unproven(f"host {state.host_name} is gone")
        return waited  # type: ignore[return-value] # not None, as just seen

    def _host_events(self, state: NodeState) -> list[str]:
        return [str(e) for e in self._engine.events.since(state.first_event) if e.host_id == state.host_id]

    def _said(self, state: NodeState, correlation: str | None) -> str:
        try:
            events = self._engine.events.since(state.first_event)
        except (Unreachable, EngineFault):
            return ""
        ours = [e for e in events if correlation is not None and e.correlation == correlation]
        said = [str(e) for e in ours if e.severity != "normal"] or [str(e) for e in ours]
        return f"; the engine said: {' | '.join(said[-3:])}" if said else ""


def _host_cells(node: NodeTarget) -> tuple[str, ...]:
    return (f"node-approved[{node.name}]",)
