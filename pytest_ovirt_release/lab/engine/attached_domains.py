"""The collection /datacenters/{id}/storagedomains: attach and activate; detaching.py is the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import Call, Reply, acted, actions, created, get, links, listing
from pytest_ovirt_release.lab.engine.disks import disk_node
from pytest_ovirt_release.lab.engine.document import Node, link
from pytest_ovirt_release.lab.engine.fault import (
    NoSuchObject,
    bad,
    conflict,
    entity_not_found,
    mandatory_pair,
)
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.storage import (
    check_host,
    check_master,
    check_status,
    connect_hosts,
    elect_spm,
    inaccessible,
    initialise_pool,
)
from pytest_ovirt_release.lab.engine.storage_domains import storage_domain_node
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import DataCenter, StorageDomain

ACTIVATABLE = ("inactive", "unknown", "maintenance", "preparing_for_maintenance")
ONLY_ONE = {"iso": "ISO", "export": "Import/Export"}
"""Kinds of domains of which a data center has one at the most, and what refusals call them."""


def _inside(core: Core, domain: StorageDomain, prefix: str) -> Node:
    return storage_domain_node(core, domain, prefix, status=domain.status, inside=True)


def find(core: Core, call: Call) -> tuple[DataCenter, StorageDomain]:
    """Return the data center and the domain of a path; the empty 404 unless the one holds the other."""
    data_center = get(core.state.data_centers, call.ids[0])
    domain = get(core.state.storage_domains, call.ids[1])
    if domain.data_center != data_center.id:
        raise NoSuchObject
    return data_center, domain


async def list_attached(core: Core, call: Call) -> Reply:
    """GET the domains of a data center."""
    items = core.state.domains_in(call.ids[0])[: call.limit()]
    return listing("storage_domains", (_inside(core, item, call.prefix) for item in items))


async def get_attached(core: Core, call: Call) -> Reply:
    """GET one of them: the only place that tells its real status."""
    return Reply(_inside(core, find(core, call)[1], call.prefix))


async def list_attached_disks(core: Core, call: Call) -> Reply:
    """GET the disks of one of them."""
    domain = find(core, call)[1]
    disks = [disk for disk in core.state.disks.values() if disk.domain == domain.id]
    return listing("disks", (disk_node(core, disk, call.prefix) for disk in disks))


def _named(core: Core, call: Call) -> StorageDomain | None:
    """Return the domain that a document names; one with an unknown name is not found at all."""
    body = call.body
    name = body.text("name")
    if body.id is None and name is None:
        raise mandatory_pair("storage_domain.id", "storage_domain.name")
    if body.id is not None:
        return core.state.storage_domains.get(body.id)
    for domain in core.state.storage_domains.values():
        if domain.name == name:
            return domain
    raise entity_not_found(f"Storage: name={name}")


def _checked(core: Core, call: Call) -> tuple[DataCenter, StorageDomain]:
    """Return what is to be attached to what; refuse what the engine refuses, in its order."""
    domain = _named(core, call)
    data_center = core.state.data_centers.get(call.ids[0])
    if data_center is None:
        raise bad("Data Center doesn't exist.")
    check_host(core, "Cannot attach Storage", data_center)
    if domain is None:
        raise bad("Cannot attach Storage. Storage Domain doesn't exist.")
    there = core.state.domains_in(data_center.id)
    if domain.type in ONLY_ONE and any(other.type == domain.type for other in there):
        raise conflict(
            f"Cannot attach more than one {ONLY_ONE[domain.type]} Storage Domain to the same Data Center. If you want to "
            "use a newly created Domain, detach the existing attached Domain and attach the new one."
        )
    if domain.data_center is not None or domain.status != "unattached":
        raise inaccessible("attach")
    if domain.connection.type == "localfs" and not data_center.local:
        raise conflict("Cannot attach a local Storage Domain to a shared storage Data Center.")
    if data_center.status != "uninitialized":
        check_master(core, "attach", data_center)
    elif domain.type != "data":
        raise conflict("Cannot attach Storage Domain.\n-Please attach Data Domain to the Data Center first.")
    return data_center, domain


async def attach(core: Core, call: Call) -> Reply:
    """POST: attach a domain and activate it, within the request."""
    data_center, domain = _checked(core, call)
    first = data_center.status == "uninitialized"
    domain.data_center, domain.status = data_center.id, "locked"
    if first:
        # From here on nobody else can be first.
        data_center.status = "maintenance"
    with core.job(f"Attaching Storage Domain {domain.name} to Data Center {data_center.name}"):
        await connect_hosts(core, data_center, domain)
        if not await _host_has(core, data_center, domain, first=first):
            domain.data_center, domain.status = None, "unattached"
            data_center.status = "uninitialized" if first else data_center.status
            text = f"Failed to attach Storage Domain {domain.name} to Data Center {data_center.name}."
            core.event(963, f"{text} (User: admin@internal-authz)", call.correlation, domain=domain)
            raise bad("")
        if first:
            await initialise_pool(core, data_center, domain)
        else:
            await core.sleep(0.2)
            domain.status = "active"
            text = _activated(domain, data_center)
            core.event(966, text, own=True, domain=domain)
        text = f"Storage Domain {domain.name} was attached to Data Center {data_center.name}"
        core.event(962, f"{text} by admin@internal-authz", call.correlation, domain=domain)
    return created(_inside(core, domain, call.prefix))


async def _host_has(core: Core, data_center: DataCenter, domain: StorageDomain, *, first: bool) -> bool:
    """Return whether the host that is to manage the storage finds the domain there."""
    host = next(iter(core.state.hosts_in(data_center.id, "up")), None)
    if host is None:
        return False
    try:
        await core.ask(core.node(host).get_storage_domain_stats(domain.id))
    except VdsmError as error:
        command = "CreateStoragePoolVDS" if first else "AttachStorageDomainVDS"
        text = f"VDSM {host.name} command {command} failed: {error.message}"
        core.event(10802, text, user="nobody", host=host)
        if first:
            text = f"Failed to attach Storage Domains to Data Center {data_center.name}."
            core.event(1003, f"{text} (User: admin@internal-authz)", own=True, host=host)
        return False
    return True


def _activated(domain: StorageDomain, data_center: DataCenter) -> str:
    return (
        f"Storage Domain {domain.name} (Data Center {data_center.name}) was activated by admin@internal-authz"
    )


def target(domain: StorageDomain, prefix: str) -> Node:
    """Return the object of an action's answer: where it is, nothing of what it is."""
    centre = domain.data_center or ""
    href = f"{prefix}/datacenters/{centre}/storagedomains/{domain.id}"
    belongs = link("data_center", f"{prefix}/datacenters/{centre}", centre)
    target = link("storage_domain", href, domain.id)
    target.children = [
        actions(href, known.ATTACHED_ACTIONS),
        *links(href, known.ATTACHED_LINKS),
        belongs,
        Node("data_centers", children=[belongs]),
    ]
    return target


async def activate(core: Core, call: Call) -> Reply:
    """POST activate."""
    data_center, domain = find(core, call)
    check_status("Cannot activate Storage", domain, ACTIVATABLE)
    if not domain.master:
        check_master(core, "activate", data_center)
    check_host(core, "Cannot activate Storage", data_center)
    with core.job(f"Activating Storage Domain {domain.name} on Data Center {data_center.name}") as job:
        domain.status = "locked"
        await connect_hosts(core, data_center, domain)
        if data_center.status == "maintenance":
            data_center.status = "contend"
            domain.master = True
            await elect_spm(core, data_center)
            data_center.status = "up"
        domain.status = "active"
        core.event(966, _activated(domain, data_center), call.correlation, domain=domain)
    return acted(call, job, target(domain, call.prefix))


ROUTES = (
    Route("GET", "datacenters/*/storagedomains", list_attached),
    Route("POST", "datacenters/*/storagedomains", attach, "storage_domain"),
    Route("GET", "datacenters/*/storagedomains/*", get_attached),
    Route("POST", "datacenters/*/storagedomains/*/activate", activate, "action"),
    Route("GET", "datacenters/*/storagedomains/*/disks", list_attached_disks),
)
