"""The collection /storagedomains."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import Call, Reply, created, entity, get, listing, removed
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import (
    BAD_REQUEST,
    Fault,
    NoSuchObject,
    bad,
    conflict,
    entity_not_found,
    not_implemented,
)
from pytest_ovirt_release.lab.engine.new_domain import add_storage_domain_steps
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found
from pytest_ovirt_release.lab.engine.storage import (
    forget_domain,
    format_domain,
    inaccessible,
    said,
    wrong_status,
)
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Host, StorageDomain

SHARED_STATUS = {"unattached": "unattached", "active": "active", "locked": "locked"}
"""What a search calls a domain's status: one word for all data centers that it could be in; else `inactive`."""

FIELDS: dict[str, Callable[[StorageDomain], str]] = {
    "name": lambda item: item.name,
    "description": lambda item: item.description,
    "comment": lambda item: item.comment,
    "type": lambda item: item.connection.type,
    "status": lambda item: SHARED_STATUS.get(item.status, "inactive"),
}


def storage_node(domain: StorageDomain) -> Node:
    """Return `<storage>`: where the domain is."""
    connection = domain.connection
    fields = {"address": connection.address} | domain.options
    return node("storage", fields | {"path": connection.path, "type": connection.type})


def storage_domain_node(
    core: Core, domain: StorageDomain, prefix: str, *, status: str | None, inside: bool = False
) -> Node:
    """Return `<storage_domain>`, as the global collection shows it or as its data center does (`inside`).

    The global one shows a status only while the domain is unattached.
    """
    disks = [disk for disk in core.state.disks.values() if disk.domain == domain.id]
    href = f"{prefix}/storagedomains/{domain.id}"
    centre = domain.data_center
    if inside:
        href = f"{prefix}/datacenters/{centre}/storagedomains/{domain.id}"
    belongs = link("data_center", f"{prefix}/datacenters/{centre}", centre) if centre else None
    return entity(
        "storage_domain",
        href,
        domain.id,
        action_names=known.ATTACHED_ACTIONS if inside else known.DOMAIN_ACTIONS,
        link_names=_links(domain, inside=inside),
        head={"name": domain.name, "description": domain.description, "comment": domain.comment},
        fields={
            "available": domain.space.free,
            "backup": False,
            "block_size": 512,
            "committed": sum(disk.provisioned_size for disk in disks),
            "critical_space_action_blocker": 5,
            "discard_after_delete": False,
            "external_status": "ok",
            "master": domain.master,
            "status": status,
            "storage": storage_node(domain),
            "storage_format": "v5" if domain.type == "data" else "v1",
            "supports_discard": False,
            "supports_discard_zeroes_data": False,
            "type": domain.type,
            "used": domain.space.total - domain.space.free,
            "warning_low_space_indicator": 10,
            "wipe_after_delete": False,
            "data_center": belongs if inside else None,
            "data_centers": Node("data_centers", children=[belongs]) if belongs else None,
        },
    )


def _links(domain: StorageDomain, *, inside: bool) -> str:
    if inside:
        return known.ATTACHED_LINKS
    return known.ISO_LINKS if domain.type == "iso" else known.DOMAIN_LINKS


def _shown(core: Core, domain: StorageDomain, prefix: str) -> Node:
    status = None if domain.data_center else "unattached"
    return storage_domain_node(core, domain, prefix, status=status)


async def list_storage_domains(core: Core, call: Call) -> Reply:
    """GET /storagedomains."""
    centers = core.state.data_centers
    fields: dict[str, Callable[[StorageDomain], str]] = {
        **FIELDS,
        "datacenter": lambda item: getattr(centers.get(item.data_center or ""), "name", ""),
    }
    items = found(core.state.storage_domains.values(), call, fields)
    return listing("storage_domains", (_shown(core, item, call.prefix) for item in items))


async def get_storage_domain(core: Core, call: Call) -> Reply:
    """GET /storagedomains/{id}."""
    return Reply(_shown(core, get(core.state.storage_domains, call.ids[0]), call.prefix))


async def list_domain_vms(core: Core, call: Call) -> Reply:
    """GET /storagedomains/{id}/vms: only of a domain that no VM uses."""
    disks = {disk.id for disk in core.state.disks.values() if disk.domain == call.ids[0]}
    if any(core.state.vms_with(disk) for disk in disks):
        raise not_implemented(f"{call.method} {call.path} of a domain that VMs use")
    return listing("vms", [])


async def list_files(core: Core, call: Call) -> Reply:
    """GET /storagedomains/{id}/files: only ISO domains have them."""
    if get(core.state.storage_domains, call.ids[0]).type != "iso":
        raise NoSuchObject
    return listing("files", [])


async def add_storage_domain(core: Core, call: Call) -> Reply:
    """POST /storagedomains. The answer says `unknown`; the next GET says what it is."""
    domain = await add_storage_domain_steps(core, call)
    return created(storage_domain_node(core, domain, call.prefix, status="unknown"))


async def remove_storage_domain(core: Core, call: Call) -> Reply:
    """DELETE /storagedomains/{id}: with a host (and format), or `destroy` in the engine only."""
    domain = get(core.state.storage_domains, call.ids[0])
    if call.flag("destroy", default=False):
        _check_destroyable(core, domain)
        with core.job(f"Destroying Storage Domain {domain.name}") as job:
            _hand_over(core, domain)
            forget_domain(core, domain)
            text = f"Storage Domain {domain.name} was forcibly removed by admin@internal-authz"
            core.event(981, text, call.correlation, domain=domain)
        return removed(call, job)
    host = _host(core, call)
    if domain.data_center is not None:
        raise inaccessible("remove")
    if host is None:
        raise bad("Can not Remove Storage Domain - the underlying Host ID is invalid.")
    if host.status != "up":
        raise conflict(f"Cannot remove Storage. Host {host.name} is not up.")
    with core.job(f"Removing Storage Domain {domain.name}") as job:
        if call.flag("format", default=False):
            domain.status, before = "locked", domain.status
            try:
                await format_domain(core, domain, host)
            except VdsmError as error:
                domain.status = before
                raise bad(said(error)) from error
        forget_domain(core, domain)
        text = f"Storage Domain {domain.name} was removed by admin@internal-authz"
        core.event(960, text, call.correlation, domain=domain, host=host)
    return removed(call, job)


def _check_destroyable(core: Core, domain: StorageDomain) -> None:
    """Refuse to forget a domain that is at work, or the master of a data center that has no other to take its place."""
    if domain.status == "active":
        raise wrong_status("Cannot destroy Storage", domain)
    data_center = core.state.data_centers.get(domain.data_center or "")
    if data_center is None or not domain.master:
        return
    others = [item for item in core.state.domains_in(data_center.id) if item is not domain]
    if not any(item.type == "data" and item.status in {"active", "unknown"} for item in others):
        raise conflict(
            "Cannot destroy the master Storage Domain from the Data Center without another active Storage Domain to take "
            "its place.\n-Either activate another Storage Domain in the Data Center, or remove the Data Center.\n-If you "
            "have problems with the master Data Domain, consider following the recovery process described in the "
            "documentation, or contact your system administrator."
        )


def _hand_over(core: Core, domain: StorageDomain) -> None:
    """Make another domain the master of a data center that loses its own."""
    others = [item for item in core.state.domains_in(domain.data_center or "") if item is not domain]
    if domain.master and others:
        ready = [item for item in others if item.type == "data" and item.status in {"active", "unknown"}]
        ready[0].master = True


def _host(core: Core, call: Call) -> Host | None:
    """Return the host that a removal names; one with an unknown name is not found at all, an unknown id is no host."""
    asked = call.query.get("host")
    if asked is None:
        raise Fault(BAD_REQUEST, None, "host parameter is missing")
    for host in core.state.hosts.values():
        if asked in (host.id, host.name):
            return host
    try:
        UUID(asked)
    except ValueError:
        raise entity_not_found(asked) from None
    return None


ROUTES = (
    Route("GET", "storagedomains/*/vms", list_domain_vms),
    Route("GET", "storagedomains/*/files", list_files),
    Route("GET", "storagedomains", list_storage_domains),
    Route("POST", "storagedomains", add_storage_domain, "storage_domain"),
    Route("GET", "storagedomains/*", get_storage_domain),
    Route("DELETE", "storagedomains/*", remove_storage_domain),
)
