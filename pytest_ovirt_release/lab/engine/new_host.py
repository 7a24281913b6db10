"""POST /hosts: a host that the engine goes and fetches by SSH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, created
from pytest_ovirt_release.lab.engine.deployment import installed
from pytest_ovirt_release.lab.engine.fault import bad, conflict, entity_not_found, incomplete
from pytest_ovirt_release.lab.engine.host_view import host_node
from pytest_ovirt_release.lab.engine.hosts import check_attributes
from pytest_ovirt_release.lab.engine.installing import InstallFailed, Login, login, meet, no_password
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.state import Host, now

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import Cluster, Job

DEFAULT = "Default"
LOG = "You may refer to the engine.log file for further details."
REFUSED = (
    "Cannot add Host. SSH authentication failed, verify authentication parameters are correct (Username/Password, "
    f"public-key etc.) {LOG}"
)
UNREACHABLE = (
    "Cannot add Host. Connecting to host via SSH has failed, verify that the host is reachable (IP address, "
    f"routable address etc.) {LOG}"
)


async def add_host(core: Core, call: Call) -> Reply:
    """POST /hosts: checks, a login by SSH within the request, then the installation behind it."""
    body = call.body
    host, how = _wanted(core, body), login(body)
    missing = [field for field in ("name", "address") if body.text(field) is None]
    if missing:
        raise incomplete("Host", missing)
    cluster = _cluster(core, body)
    with core.job(
        f"Adding new Host {host.name} to Cluster {cluster.name if cluster else '<UNKNOWN>'}"
    ) as job:
        _check(core, host, cluster, how)
        await _enter(core, host, how)
        _check_unused(core, host)  # somebody else may have added it meanwhile
    host.status, host.busy = "installing", True
    core.state.hosts[host.id] = host
    job.status, job.end_time = "started", None
    unmanaged = f"Failed to verify Power Management configuration for Host {host.name}."
    core.event(9000, unmanaged, user="nobody", host=host)
    core.event(42, f"Host {host.name} was added by admin@internal-authz.", call.correlation, host=host)
    core.spawn(_install(core, call, host, job))
    return created(host_node(core, host, call.prefix, everything=True))


def _wanted(core: Core, body: Body) -> Host:
    return Host(
        id=core.ids.uuid("host"),
        name=body.text("name") or "",
        address=body.text("address") or "",
        cluster="",
        unique_id="",
        comment=body.text("comment") or "",
        ssh_port=body.number("ssh/port") or 22,
        ssh_fingerprint=body.text("ssh/fingerprint") or None,
        vdsm_port=body.number("port") or 54321,
    )


def _cluster(core: Core, body: Body) -> Cluster | None:
    """Return the cluster that was named, or the one of the name Default; one with an unknown name is not found at all."""
    named = body.child("cluster")
    if named is not None and named.id is not None:
        return core.state.clusters.get(named.id)
    name = DEFAULT if named is None else named.text("name") or DEFAULT
    for cluster in core.state.clusters.values():
        if cluster.name == name:
            return cluster
    raise entity_not_found(f"Cluster: name={name}")


def _check(core: Core, host: Host, cluster: Cluster | None, how: Login) -> None:
    """Refuse what the engine refuses before it goes to the host, in its order."""
    check_attributes(name=host.name, address=host.address)
    if cluster is None:
        raise bad("Cannot add Host. Cluster ID is not valid.")
    host.cluster = cluster.id
    _check_unused(core, host)
    data_center = core.state.data_center_of(cluster.id)
    if data_center is not None and data_center.local and core.state.hosts_in(data_center.id):
        raise bad('Cannot add more than one Host to "Local Storage" Data Center')
    if how.empty:
        raise no_password()


def _check_unused(core: Core, host: Host) -> None:
    hosts = core.state.hosts.values()
    if any(other.name == host.name for other in hosts):
        raise conflict(
            "Cannot add Host. The Host name is already in use, please choose a unique name and try again."
        )
    if any(other.address == host.address for other in hosts):
        raise conflict("Cannot add Host. Host with the same address already exists.")


async def _enter(core: Core, host: Host, how: Login) -> None:
    """Log in to the host for the first time; a fingerprint that was given must be the host's."""
    try:
        await meet(core, host)
        await core.ssh.authorize(host.address, host.ssh_port, how.user, None if how.by_key else how.password)
    except PermissionError as error:
        raise conflict(REFUSED) from error
    except OSError as error:
        raise conflict(UNREACHABLE) from error


async def _install(core: Core, call: Call, host: Host, job: Job) -> None:
    activate, rebooting = call.flag("activate", default=True), call.flag("reboot", default=True)
    try:
        await installed(core, host, call.correlation, activate=activate, rebooting=rebooting, fetch_id=True)
    except InstallFailed:
        job.status = "failed"
    else:
        job.status = "finished"
    finally:
        host.busy = False
        job.end_time = job.last_updated = now()


ROUTES = (Route("POST", "hosts", add_host, "host"),)
