"""The collection /storageconnections: where the storage domains are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, get, listing
from pytest_ovirt_release.lab.engine.document import Node, node
from pytest_ovirt_release.lab.engine.fault import incomplete, not_implemented
from pytest_ovirt_release.lab.engine.new_domain import STORAGE_TYPES
from pytest_ovirt_release.lab.engine.router import Route

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import StorageDomain


async def list_connections(core: Core, call: Call) -> Reply:
    """GET /storageconnections, all or those of one domain."""
    domains = [d for d in core.state.storage_domains.values() if not call.ids or d.id == call.ids[0]]
    return listing("storage_connections", (_connection_node(domain, call.prefix) for domain in domains))


async def get_connection(core: Core, call: Call) -> Reply:
    """GET /storageconnections/{id}."""
    by_id = {domain.connection.id: domain for domain in core.state.storage_domains.values()}
    return Reply(_connection_node(get(by_id, call.ids[0]), call.prefix))


def _connection_node(domain: StorageDomain, prefix: str) -> Node:
    connection = domain.connection
    answer = node("storage_connection", href=f"{prefix}/storageconnections/{connection.id}", id=connection.id)
    fields = {"address": connection.address} | domain.options
    return answer.add(fields | {"path": connection.path, "type": connection.type})


async def add_connection(_core: Core, call: Call) -> Reply:
    """POST /storageconnections: only what the engine refuses."""
    kind = call.body.one_of("type", "StorageType", STORAGE_TYPES)
    if kind is None:
        raise incomplete("StorageConnection", ["type"])
    needed = {"nfs": ["address", "path"], "localfs": ["path"]}.get(kind, [])
    missing = [name for name in needed if not call.body.text(name)]
    if missing:
        raise incomplete("StorageConnection", missing)
    raise not_implemented(f"{call.method} {call.path}")


ROUTES = (
    Route("GET", "storagedomains/*/storageconnections", list_connections),
    Route("GET", "storageconnections", list_connections),
    Route("POST", "storageconnections", add_connection, "storage_connection"),
    Route("GET", "storageconnections/*", get_connection),
)
