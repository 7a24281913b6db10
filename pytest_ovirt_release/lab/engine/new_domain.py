"""Adding a storage domain: the checks in the engine's order, then connection, domain, import or local activation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.fault import (
    BAD_REQUEST,
    Fault,
    bad,
    conflict,
    entity_not_found,
    incomplete,
    not_implemented,
)
from pytest_ovirt_release.lab.engine.registration import is_address
from pytest_ovirt_release.lab.engine.state import StorageDomain
from pytest_ovirt_release.lab.engine.storage import disconnect, initialise_pool, said
from pytest_ovirt_release.lab.node.verbs import Connection, DomainInfo, Space, VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.call import Call
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import DataCenter, Host

DOMAIN_TYPES = ("data", "iso", "export", "image", "volume", "managed_block_storage")
STORAGE_TYPES = (
    *("iscsi", "fcp", "nfs", "localfs", "posixfs", "glusterfs", "glance", "cinder"),
    "managed_block_storage",
)
NFS_VERSIONS = ("auto", "v3", "v4", "v4_0", "v4_1", "v4_2")
LONGEST_NAME = 50
LARGEST_OPTION = 65535
NAME = re.compile(r"[A-Za-z0-9_\-]+")
NO_SPACE = Space(0, 0)


async def add_storage_domain_steps(core: Core, call: Call) -> StorageDomain:
    """Add a domain and return it; every refusal is the recorded one."""
    body = call.body
    kind, options = _read(core, body, call)
    host = _host(core, body)
    connection = _connection(body, kind, core.ids.uuid("connection"))
    data_center = core.state.data_center_of(host.cluster)
    key = (connection.type, connection.address, connection.path)
    _check_free(core, key)
    if host.status != "up":
        raise conflict("Cannot add storage server connection when Host status is not up")
    core.state.connecting.add(key)
    try:
        await _connect(core, host, connection)
        domain = StorageDomain("", "", kind, connection, NO_SPACE, options)
        try:
            await _create(core, call, host, data_center, domain)
        except BaseException:
            if connection.type == "nfs":
                await disconnect(core, host, domain)
            raise
    finally:
        core.state.connecting.discard(key)
    return domain


def _read(core: Core, body: Body, call: Call) -> tuple[str, dict[str, str]]:
    """Check enumerations and ranges, then presence; return the domain's type and its NFS options."""
    kind = body.one_of("type", "StorageDomainType", DOMAIN_TYPES)
    storage = body.one_of("storage/type", "StorageType", STORAGE_TYPES)
    version = body.one_of("storage/nfs_version", "NfsVersion", NFS_VERSIONS)
    options: dict[str, str] = {}
    for name, shown in (("nfs_retrans", "nfs_retrans"), ("nfs_timeo", "nfs_timeio")):
        value = body.number(f"storage/{name}")
        if value is None:
            continue
        if not 0 <= value <= LARGEST_OPTION:
            raise Fault(
                BAD_REQUEST,
                f"The value {value} of attribute '{shown}' is outside of range 0 to {LARGEST_OPTION}.",
                "Value out of range",
            )
        options[name] = str(value)
    if version is not None:
        options["nfs_version"] = version
    if mount_options := body.text("storage/mount_options"):
        options["mount_options"] = mount_options
    host = body.child("host")
    missing = ["host.id|name"] if host is None or (host.id or host.text("name")) is None else []
    missing += [name for name in ("type", "storage") if body.child(name) is None]
    if missing:
        raise incomplete("StorageDomain", missing)
    _host(core, body)
    if storage is None:
        raise incomplete("StorageDomain", ["storage.type"])
    if storage not in {"nfs", "localfs"} or kind not in {"data", "iso", "export"}:
        raise not_implemented(f"{call.method} {call.path} with storage {storage} of type {kind}")
    return kind or "data", options


def _host(core: Core, body: Body) -> Host:
    named = body.child("host")
    for host in core.state.hosts.values():
        if named is not None and (
            host.id == named.id or (named.id is None and host.name == named.text("name"))
        ):
            return host
    wanted = "" if named is None else named.id or f"name={named.text('name')}"
    raise entity_not_found(f"Hosts: {wanted}")


def _connection(body: Body, kind: str, id_: str) -> Connection:
    storage, path, address = (body.text(f"storage/{name}") for name in ("type", "path", "address"))
    needed = [("path", path)] if storage == "localfs" else [("address", address), ("path", path)]
    missing = [name for name, text in needed if not text]
    if missing:
        raise incomplete("HostStorage", missing)
    if storage == "localfs":
        if kind != "data":
            raise bad("Cannot add Storage. The Storage Domain type is illegal for local storage.")
        return Connection(id_, "localfs", path or "")
    if not (path or "").startswith("/") or not is_address(address or ""):
        raise bad("Mount path is illegal, please use [IP:/path or FQDN:/path] convention.")
    version = body.text("storage/nfs_version")
    options = {"mnt_options": body.text("storage/mount_options"), "protocol_version": _protocol(version)}
    given = tuple((name, value) for name, value in options.items() if value)
    return Connection(id_, "nfs", path or "", address, given)


def _protocol(version: str | None) -> str | None:
    """Return an NFS version as vdsm is told it: `v4_1` is 4.1."""
    return None if version is None else version.removeprefix("v").replace("_", ".")


def _check_free(core: Core, key: tuple[str, str | None, str]) -> None:
    for domain in core.state.storage_domains.values():
        known = domain.connection
        if (known.type, known.address, known.path) == key:
            raise conflict(
                f"Cannot add Storage Connection. Storage connection {known.id} already exists for {domain.name}."
            )
    if key in core.state.connecting:
        raise conflict(
            "Cannot add Storage Connection. Related operation is currently in progress. Please try again later."
        )


async def _connect(core: Core, host: Host, connection: Connection) -> None:
    try:
        await core.ask(core.node(host).connect_storage_server(connection))
    except VdsmError as error:
        where = f"{connection.address}:{connection.path}" if connection.address else connection.path
        text = f"The error message for connection {where} returned by VDSM was: {said(error)}"
        core.event(996, text, user="nobody")
        raise bad(said(error)) from error


def _check_name(core: Core, name: str | None) -> str:
    if name is None:
        raise incomplete("StorageDomain", ["name"])
    if len(name) > LONGEST_NAME:
        raise bad("Cannot add Storage. The given name is too long.")
    if NAME.fullmatch(name) is None:
        raise bad(
            "Storage Domain name must be formed of 'a-z', 'A-Z', '0-9', '_' or '-' characters, "
            "Attribute: privateStorageDomain.name"
        )
    taken = {domain.name for domain in core.state.storage_domains.values()} | core.state.adding
    if name in taken:
        raise conflict("Cannot add Storage. The Storage Domain name is already in use.")
    return name


async def _create(
    core: Core, call: Call, host: Host, data_center: DataCenter | None, domain: StorageDomain
) -> None:
    """Make the domain, or take over the one that stands there already, and attach it at once when it is local."""
    local = domain.connection.type == "localfs"
    if local and (data_center is None or not data_center.local):
        raise bad('Data Center must be "Local Storage"')
    domain.name = domain.name_when_made = name = _check_name(core, call.body.text("name"))
    domain.description = call.body.text("description") or ""
    domain.comment = call.body.text("comment") or ""
    kind = "local" if local else "NFS"
    core.state.adding.add(name)
    try:
        with core.job(f"Adding {kind} Storage Domain {name} on Host {host.name}"):
            await _lay_out(core, call, host, domain)
            core.state.storage_domains[domain.id] = domain
            if local and data_center is not None:
                await _activate_local(core, data_center, domain)
            text = f"Storage Domain {name} was added by admin@internal-authz"
            core.event(956, text, call.correlation, host=host, domain=domain)
    finally:
        core.state.adding.discard(name)


async def _lay_out(core: Core, call: Call, host: Host, domain: StorageDomain) -> None:
    node = core.node(host)
    if domain.type == "data":
        text = f"Disk Profile {domain.name} was successfully added (User: admin@internal-authz)."
        core.event(10120, text, own=True)
    try:
        existing = await core.ask(node.get_storage_domains(domain.connection))
        if existing:
            # An import keeps the id and takes the name that was asked for.
            domain.id = existing[0].id
            if domain.id in core.state.storage_domains:
                raise conflict("Cannot add Storage. Storage Domain already exists in the system.")
        else:
            domain.id = core.ids.uuid("storage domain")
            info = DomainInfo(domain.id, domain.name, domain.type)  # type: ignore[arg-type]  # checked in _read
            await core.ask(node.create_storage_domain(domain.connection, info))
        domain.space = await core.ask(node.get_storage_domain_stats(domain.id))
    except VdsmError as error:
        text = f"VDSM {host.name} command CreateStorageDomainVDS failed: {error.message}"
        core.event(10802, text, user="nobody", host=host)
        text = f"Failed to add Storage Domain {domain.name}. (User: admin@internal-authz)"
        core.event(957, text, call.correlation, host=host)
        raise bad(said(error)) from error


async def _activate_local(core: Core, data_center: DataCenter, domain: StorageDomain) -> None:
    """Attach and activate within the request, as AddLocalStorageDomain does."""
    if data_center.status == "uninitialized":
        await initialise_pool(core, data_center, domain, "SYSTEM")
    else:
        domain.data_center, domain.status = data_center.id, "active"
        text = f"Storage Domain {domain.name} (Data Center {data_center.name}) was activated by SYSTEM"
        core.event(966, text, user="SYSTEM", own=True, domain=domain)
    text = f"Storage Domain {domain.name} was attached to Data Center {data_center.name} by SYSTEM"
    core.event(962, text, user="SYSTEM", own=True, domain=domain)
