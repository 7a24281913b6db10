"""The collection /datacenters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.builtin import MAC_POOL
from pytest_ovirt_release.lab.engine.call import Call, Reply, created, entity, get, listing, removed, updating
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import bad, conflict, mandatory
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found
from pytest_ovirt_release.lab.engine.state import DataCenter
from pytest_ovirt_release.lab.engine.storage import IN_PROCESS, check_host, forget_domain, format_domain

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import StorageDomain

LONGEST_NAME = 40
VERSIONS = ((4, 2), (4, 3), (4, 4), (4, 5), (4, 6), (4, 7), (4, 8))
NAME = re.compile(r"[A-Za-z0-9_.\-]+")
FIELDS: dict[str, Callable[[DataCenter], str]] = {
    "name": lambda item: item.name,
    "status": lambda item: item.status,
    "description": lambda item: item.description or "",
    "comment": lambda item: item.comment or "",
    "id": lambda item: item.id,
}


def data_center_node(core: Core, data_center: DataCenter, prefix: str) -> Node:
    """Return `<data_center>`."""
    has_data = any(domain.type == "data" for domain in core.state.domains_in(data_center.id))
    has_clusters = any(c.data_center == data_center.id for c in core.state.clusters.values())
    supported = [_version(version) for version in VERSIONS if version >= data_center.version]
    return entity(
        "data_center",
        f"{prefix}/datacenters/{data_center.id}",
        data_center.id,
        action_names=known.DATA_CENTER_ACTIONS,
        link_names=known.DATA_CENTER_LINKS,
        head={
            "name": data_center.name,
            "description": data_center.description,
            "comment": data_center.comment,
        },
        fields={
            "local": data_center.local,
            "quota_mode": "disabled",
            "status": data_center.status,
            "storage_format": "v5" if has_data else None,
            "supported_versions": Node("supported_versions", children=supported),
            "version": _version(data_center.version),
            "mac_pool": link("mac_pool", f"{prefix}/macpools/{MAC_POOL}", MAC_POOL) if has_clusters else None,
        },
    )


def _version(version: tuple[int, int]) -> Node:
    return node("version", {"major": version[0], "minor": version[1]})


async def list_data_centers(core: Core, call: Call) -> Reply:
    """GET /datacenters."""
    fields: dict[str, Callable[[DataCenter], str | tuple[str, ...]]] = {
        **FIELDS,
        "storage.name": lambda item: tuple(domain.name for domain in core.state.domains_in(item.id)),
    }
    items = found(core.state.data_centers.values(), call, fields)
    return listing("data_centers", (data_center_node(core, item, call.prefix) for item in items))


async def get_data_center(core: Core, call: Call) -> Reply:
    """GET /datacenters/{id}."""
    return Reply(data_center_node(core, get(core.state.data_centers, call.ids[0]), call.prefix))


async def add_data_center(core: Core, call: Call) -> Reply:
    """POST /datacenters."""
    body = call.body
    for field in ("local", "name"):
        if body.text(field) is None:
            raise mandatory(f"data_center.{field}")
    name, local = body.text("name") or "", bool(body.flag("local"))
    version = read_version(body) or VERSIONS[-1]
    check_name(name)
    if version not in VERSIONS:
        raise bad("Cannot create Data Center. Selected Compatibility Version is not supported.")
    if any(item.name == name for item in core.state.data_centers.values()):
        raise conflict("Cannot create Data Center. The Data Center name is already in use.")
    data_center = DataCenter(
        core.ids.uuid("data center"), name, local, body.text("description"), body.text("comment"), version
    )
    with core.job(f"Adding Data Center {name}"):
        core.state.data_centers[data_center.id] = data_center
        text = (
            f"Data Center {name}, Compatibility Version {version[0]}.{version[1]} and Quota Type DISABLED was "
            "added by admin@internal-authz"
        )
        core.event(950, text, call.correlation, data_center=data_center)
    return created(data_center_node(core, data_center, call.prefix))


def check_name(name: str) -> None:
    """Refuse a name as the engine's own validation does."""
    if not 0 < len(name) <= LONGEST_NAME:
        raise bad(f"size must be between 1 and {LONGEST_NAME}, Attribute: privateStoragePool.name")
    if NAME.fullmatch(name) is None:
        raise bad(
            'Data Center name must be formed of alphanumeric characters, numbers or "-_.", '
            "Attribute: privateStoragePool.name"
        )


def read_version(body: Body) -> tuple[int, int] | None:
    """Return the compatibility version that a document asks for."""
    major, minor = body.number("version/major"), body.number("version/minor")
    return None if major is None or minor is None else (major, minor)


async def update_data_center(core: Core, call: Call) -> Reply:
    """PUT /datacenters/{id}: name, description, comment, local."""
    data_center = updating(core.state.data_centers, call)
    body = call.body
    name = body.text("name")
    if name is not None and name != data_center.name:
        check_name(name)
        if any(item.name == name for item in core.state.data_centers.values()):
            raise conflict("Cannot edit Data Center. The Data Center name is already in use.")
    local = body.flag("local")
    if local is not None and local != data_center.local:
        _check_locality(core, data_center, local=local)
    version = _changed_version(core, data_center, body)
    with core.job(f"Editing Data Center {data_center.name} properties"):
        data_center.version = version
        data_center.name = name or data_center.name
        data_center.local = data_center.local if local is None else local
        for field in ("description", "comment"):
            if (text := body.text(field)) is not None:
                setattr(data_center, field, text)
        text = f"Data Center {data_center.name} was updated by admin@internal-authz"
        core.event(952, text, call.correlation, data_center=data_center)
    return Reply(data_center_node(core, data_center, call.prefix))


def _changed_version(core: Core, data_center: DataCenter, body: Body) -> tuple[int, int]:
    """Return the version that a data center is to have: one that the engine knows, not above its clusters'."""
    version = read_version(body) or data_center.version
    if version not in VERSIONS:
        raise bad("Cannot edit Data Center. Selected Compatibility Version is not supported.")
    low = [
        cluster.name
        for cluster in core.state.clusters.values()
        if cluster.data_center == data_center.id and cluster.version < version
    ]
    if low and version > data_center.version:
        raise bad(
            "Cannot update Data Center compatibility version to a value that is greater than its cluster's version. "
            f"The following clusters should be upgraded: {','.join(low)}."
        )
    return version


def _check_locality(core: Core, data_center: DataCenter, *, local: bool) -> None:
    clusters = [c for c in core.state.clusters.values() if c.data_center == data_center.id]
    if local and len(clusters) > 1:
        raise bad('Cannot add more than one Cluster to a Data Center with "Local Storage".')
    if local and len(core.state.hosts_in(data_center.id)) > 1:
        raise bad('Cannot add more than one Host to "Local Storage" Data Center')
    if not local and any(d.connection.type == "localfs" for d in core.state.domains_in(data_center.id)):
        raise conflict(
            "Cannot change Data Center type to shared while local Storage Domains are still attached to it.\n"
            "-Please detach all local Storage Domains and retry."
        )


async def remove_data_center(core: Core, call: Call) -> Reply:
    """DELETE /datacenters/{id}: its clusters stay; shared domains become unattached, local ones go for good."""
    data_center = get(core.state.data_centers, call.ids[0])
    force = call.flag("force", default=False)
    if data_center.status == "up":
        raise conflict("Cannot remove an active Data Center.")
    _check_removable(core, data_center, force=force)
    with core.job(f"Removing Data Center {data_center.name}") as job:
        for domain in core.state.domains_in(data_center.id):
            await _release(core, data_center, domain, force=force)
        for cluster in core.state.clusters.values():
            cluster.data_center = None if cluster.data_center == data_center.id else cluster.data_center
        spm = core.state.hosts.get(data_center.spm or "")
        if spm is not None:
            spm.spm_status = "none"
        core.state.data_centers.pop(data_center.id, None)
        how, code = ("forcibly removed", 918) if force else ("removed", 954)
        text = f"Data Center {data_center.name} was {how} by admin@internal-authz"
        core.event(code, text, call.correlation, data_center=data_center)
    return removed(call, job)


def _check_removable(core: Core, data_center: DataCenter, *, force: bool) -> None:
    """Refuse what the engine refuses of a data center that is not up, in its order."""
    if data_center.status != "uninitialized" and not force:
        check_host(core, "Cannot remove Data Center", data_center)
    domains = core.state.domains_in(data_center.id)
    if any(domain.status in ("active", *IN_PROCESS) for domain in domains):
        raise conflict(
            "Cannot remove Data Center which contains Storage Domains that are not in Maintenance status.\n"
            "-Please deactivate all domains and wait for tasks to finish before removing the Data Center."
        )
    if not force and len(domains) > 1:
        raise conflict("Cannot remove Data Center when more than one Storage Domain is attached.")
    if force and any(host.status != "maintenance" for host in core.state.hosts_in(data_center.id)):
        raise conflict("Cannot remove Data Center while there are Hosts that are not in Maintenance mode.")


async def _release(core: Core, data_center: DataCenter, domain: StorageDomain, *, force: bool) -> None:
    """Let a domain of a data center go that is being removed; `force` only forgets it, as the engine does."""
    if domain.connection.type == "nfs" and not force:
        domain.data_center, domain.status, domain.master = None, "unattached", False
        return
    host = next(iter(core.state.hosts_in(data_center.id, "up")), None)
    if host is not None and not force:
        await format_domain(core, domain, host)
    forget_domain(core, domain)


ROUTES = (
    Route("GET", "datacenters", list_data_centers),
    Route("POST", "datacenters", add_data_center, "data_center"),
    Route("GET", "datacenters/*", get_data_center),
    Route("PUT", "datacenters/*", update_data_center, "data_center"),
    Route("DELETE", "datacenters/*", remove_data_center),
)
