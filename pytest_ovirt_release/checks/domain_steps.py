"""The storage stage: a storage domain made over the node, attached to its data center, active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.engine import EngineFault
from pytest_ovirt_release.checks.logs import where
from pytest_ovirt_release.checks.origin import name_on_storage
from pytest_ovirt_release.checks.places import place_name
from pytest_ovirt_release.checks.stages import NodeState, StageFailed, StageRecord
from pytest_ovirt_release.checks.waiting import WaitFailed, wait_until
from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_ovirt_release.checks.parts import Parts
    from pytest_ovirt_release.checks.waiting import Waited
    from pytest_ovirt_release.target.model import NodeTarget

NOT_ATTACHED = "not attached"
_IN_USE = ("already exists for", "already in use by")


def attach_storage(parts: Parts, node: NodeTarget, state: NodeState) -> NodeState:
    """Create the node's storage domain (or find the one that this run's other node made) and see it active."""
    with parts.locked(f"place-{node.storage}"):
        return _attach_storage(parts, node, state)


def _attach_storage(parts: Parts, node: NodeTarget, state: NodeState) -> NodeState:
    engine, name = parts.engine, place_name(parts.ledger, node)
    data_center_id, first_event = state.data_center_id, engine.events.last()

    def events() -> list[str]:
        return [str(e) for e in engine.events.since(first_event)]

    domain_id = engine.storage.find(name) or _create(parts, node, state, name)
    try:
        if engine.storage.status(data_center_id, domain_id) is None:
            engine.storage.attach(data_center_id, domain_id)
        active = _wait(
            parts,
            f"storage domain {name} active",
            lambda: engine.storage.status(data_center_id, domain_id) or NOT_ATTACHED,
            "active",
            events,
        )
        served = _wait(
            parts,
            f"data center {name} up",
            lambda: engine.hosts.data_center_status(data_center_id) or "gone",
            "up",
            events,
        )
    except EngineFault as fault:
        raise StageFailed("storage", "storage-domain-not-attached", str(fault)) from fault
    except WaitFailed as failed:
        raise StageFailed("storage", "storage-domain-not-active", f"{failed}; {where(node.name)}") from failed
    facts = {"domain": name, "events": events(), "data_center": [str(seen) for seen in served.history]}
    record = StageRecord("passed", history=tuple(map(str, active.history)), facts=facts)
    return state.with_stage("storage", record, domain_id=domain_id)


def _wait(
    parts: Parts, what: str, state: Callable[[], str], wanted: str, events: Callable[[], Sequence[str]]
) -> Waited[None]:
    return wait_until(
        lambda: (state(), None),
        what=what,
        deadline=parts.target.deadlines.storage,
        wanted=(wanted,),
        say=parts.say,
        events=events,
        flag=parts.engine.flag,
    )


def _create(parts: Parts, node: NodeTarget, state: NodeState, name: str) -> str:
    engine, storage, comment = parts.engine, parts.target.storage, parts.ledger.name("run")
    if (storage.nfs if node.storage == "nfs" else storage.local_path) is None:
        raise ReleaseError(
            f"{node.name} serves {node.storage}, but [storage] of the target file describes none"
        )
    known = {domain.id for domain in engine.storage.list()}
    entry = parts.ledger.intent(
        "storage-domain",
        name,
        cells=(f"vm-on-{node.storage}",),
        kind=node.storage,
        node=node.name,
        host_id=state.host_id,
        data_center_id=state.data_center_id,
    )
    try:
        if storage.nfs is not None and node.storage == "nfs":
            domain_id = engine.storage.add_nfs(name, comment, state.host_id, storage.nfs)
        else:
            domain_id = engine.storage.add_local(name, comment, state.host_id, path=storage.local_path or "")
    except EngineFault as fault:
        parts.ledger.removed(entry)
        if any(words in fault.detail for words in _IN_USE):
            raise Unproven(f"the storage named by the target file is in use already: {fault}") from fault
        raise StageFailed("storage", "storage-domain-refused", str(fault)) from fault
    if node.storage == "nfs" and storage.nfs is not None:
        before = name_on_storage(engine, node, domain_id)
        if domain_id in known or before not in {None, name}:
            _refuse_import(parts, entry, domain_id, before)
    # Only now: removal formats what has an id in the ledger, and must never format what was there before.
    parts.ledger.created(entry, domain_id)
    return domain_id


def _refuse_import(parts: Parts, entry: str, domain_id: str, before: str | None) -> None:
    """Stop when the export was not empty: the engine then imports what is there, without a word."""
    parts.engine.storage.forget(domain_id)
    parts.ledger.removed(entry)
    raise Unproven(
        f"the NFS path is not empty: the engine imported the storage domain {before or domain_id} that was there; "
        "it was made to forget it again and nothing on the export was changed; name an empty export"
    )
