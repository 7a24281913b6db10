"""The collection /hosts: what a host is, its update and removal; deployment.py installs it, monitoring.py watches it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, get, listing, removed, updating
from pytest_ovirt_release.lab.engine.fault import bad, conflict, entity_not_found
from pytest_ovirt_release.lab.engine.host_view import host_node
from pytest_ovirt_release.lab.engine.registration import NAME, is_address
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import Host

EDITABLE = ("pending_approval", "maintenance", "install_failed", "installing_os", "down", "non_responsive")
REMOVABLE = (
    *("non_responsive", "maintenance", "down", "unassigned", "install_failed", "pending_approval"),
    *("non_operational", "installing_os"),
)
NAME_LENGTH = 255
PLAY_TASKS = ("Gathering Facts", "Install packages", "Configure services", "Restart services")
PLAY_SECONDS = 6.0
"""How long a play takes as the engine sees it: 3 s of work, polled every 3 s."""

OPERATIONAL = (
    "Cannot edit Host. Host parameters cannot be modified while Host is operational.\n"
    "Please switch Host to Maintenance mode first."
)


def search_fields(core: Core) -> dict[str, Callable[[Host], str]]:
    """Return what hosts can be searched by."""
    return {
        "name": lambda host: host.name,
        "address": lambda host: host.address,
        "status": lambda host: host.status,
        "hosts.status": lambda host: host.status,  # as the upload example of the SDK has it
        "cluster": lambda host: core.state.clusters[host.cluster].name,
        "datacenter": lambda host: getattr(core.state.data_center_of(host.cluster), "name", ""),
        "comment": lambda host: host.comment,
        "type": lambda _: "rhel",
        "hw_id": lambda host: host.unique_id,
        "id": lambda host: host.id,
    }


def find_host(core: Core, call: Call, doing: str) -> Host:
    """Return the host that an action is for; an unknown one is a refusal (`Cannot activate Host`), not a 404."""
    host = core.state.hosts.get(call.ids[0])
    if host is None:
        raise bad(f"{doing}. Invalid Host Id.")
    return host


async def list_hosts(core: Core, call: Call) -> Reply:
    """GET /hosts."""
    items = found(core.state.hosts.values(), call, search_fields(core))
    return listing("hosts", (host_node(core, item, call.prefix) for item in items))


async def get_host(core: Core, call: Call) -> Reply:
    """GET /hosts/{id}."""
    everything = call.flag("all_content", default=False)
    return Reply(host_node(core, get(core.state.hosts, call.ids[0]), call.prefix, everything=everything))


async def update_host(core: Core, call: Call) -> Reply:
    """PUT /hosts/{id}: name and comment at any time, the cluster only while it is not operational.

    Another address is only for a host whose installation failed, another port for none.
    """
    host = updating(core.state.hosts, call)
    body = call.body
    name, address, comment = (body.text(field) for field in ("name", "address", "comment"))
    old, cluster = host.name, body.child("cluster")
    if cluster is not None:
        change_cluster(core, host, cluster, call.correlation)
    if address is not None and address != host.address:
        _check_address(core, host, address)
        host.address = address
    if body.number("port") not in (None, host.vdsm_port):
        if host.status not in EDITABLE:
            raise conflict(OPERATIONAL)
        raise bad("The Host Port number cannot be changed without reinstalling the Host.")
    if name is not None and name != host.name:
        _rename(core, host, name)
    host.comment = host.comment if comment is None else comment
    updated(core, host, call.correlation, old)
    if old != host.name:
        # This one comes from another command of the engine, after the update.
        core.event(
            1200, f"Host {old} was renamed from {old} to {host.name} by admin.", user="nobody", host=host
        )
    return Reply(host_node(core, host, call.prefix, everything=True))


def updated(core: Core, host: Host, correlation: str, name: str | None = None) -> None:
    """Log that a host's record was changed."""
    text = f"Host {name or host.name} configuration was updated by admin@internal-authz."
    core.event(43, text, correlation, host=host)


def check_attributes(*, name: str | None = None, address: str | None = None) -> None:
    """Refuse a name or an address that no host can have."""
    if name is not None and not 1 <= len(name) <= NAME_LENGTH:
        raise bad(f"size must be between 1 and {NAME_LENGTH}, Attribute: vdsStatic.name")
    if name is not None and NAME.fullmatch(name) is None:
        raise bad(
            'Host name must be formed of alphanumeric characters, numbers or "-_.", Attribute: vdsStatic.name'
        )
    if address is not None and not is_address(address):
        raise bad("Host address must be a FQDN or a valid IP address, Attribute: vdsStatic.hostName")


def _check_address(core: Core, host: Host, address: str) -> None:
    if host.status not in EDITABLE:
        raise conflict(OPERATIONAL)
    check_attributes(address=address)
    if host.status != "install_failed":
        raise bad(
            "Host Address can not be modified due to Security restrictions.  In order to change Host Address, Host has "
            "to be reinstalled"
        )
    if any(other.address == address for other in core.state.hosts.values()):
        raise conflict("Cannot edit Host. Host with the same address already exists.")


def _rename(core: Core, host: Host, name: str) -> None:
    check_attributes(name=name)
    if any(other.name == name for other in core.state.hosts.values()):
        raise conflict(
            "Cannot edit Host. The Host name is already in use, please choose a unique name and try again."
        )
    host.name = name


def change_cluster(core: Core, host: Host, named: Body, correlation: str) -> None:
    """Move a host to the cluster that a document names; also what approve does first.

    A move is a command of its own that logs the update, besides the one of the record.
    """
    clusters = core.state.clusters
    if named.id is not None:
        cluster = clusters.get(named.id)
        if cluster is None:
            refusal = bad("Cannot edit Host. Cluster ID is not valid.")
            refusal.bare = True
            raise refusal
    else:
        name = named.text("name")
        cluster = next((item for item in clusters.values() if item.name == name), None)
        if cluster is None:
            raise entity_not_found(f"Cluster: name={name}")
    if cluster.id == host.cluster:
        return
    if host.status not in EDITABLE:
        raise conflict(OPERATIONAL)
    data_center = core.state.data_centers.get(cluster.data_center or "")
    if data_center is not None and data_center.local and core.state.hosts_in(data_center.id):
        raise bad('Cannot add more than one Host to "Local Storage" Data Center')
    host.cluster = cluster.id
    updated(core, host, correlation)


async def remove_host(core: Core, call: Call) -> Reply:
    """DELETE /hosts/{id}: gone at once for others, the request ends with the play. Waits for an installation."""
    host = get(core.state.hosts, call.ids[0])
    while host.busy:
        await core.sleep(1)
    get(core.state.hosts, call.ids[0])
    _check_removable(core, host)
    del core.state.hosts[host.id]
    core.event(
        562,
        f"Ansible host-remove playbook execution started on host {host.name}.",
        call.correlation,
        user="nobody",
        host=host,
    )
    await core.sleep(PLAY_SECONDS / 2)
    for task in PLAY_TASKS:
        core.event(559, f"Ansible Runner.. {task}.", call.correlation, user="nobody", host=host)
    await core.sleep(PLAY_SECONDS / 2)
    when = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    text = (
        f"Ansible host-remove playbook execution has successfully finished on host {host.name}. For more details "
        f"check log /var/log/ovirt-engine/ansible/ansible-{when}-ovirt-host-remove_yml-{call.correlation}.log"
    )
    core.event(563, text, call.correlation, user="nobody", host=host)
    core.event(44, f"Host {host.name} was removed by admin@internal-authz.", call.correlation, host=host)
    return removed(call)


def _check_removable(core: Core, host: Host) -> None:
    if host.status not in REMOVABLE:
        raise conflict(
            "Cannot remove Host. Host is operational. Please switch Host to Maintenance mode first."
        )
    if core.state.vms_on(host.id):
        raise conflict("Cannot remove Host. One or more VMs are still running on this Host.")
    pinned = [vm.name for vm in core.state.vms.values() if host.id in vm.pinned and vm.affinity == "pinned"]
    if pinned:
        raise conflict(
            "Cannot remove Host. The following VMs are set to run specifically only on this Host: "
            f"{', '.join(pinned)}.\n"
            "In order to remove Host, you need to remove the association between the VMs and the Host (Using Edit VM "
            "properties)."
        )
    data_center = core.state.data_center_of(host.cluster)
    domains = core.state.domains_in(data_center.id) if data_center is not None else []
    if any(domain.connection.type == "localfs" for domain in domains):
        raise conflict(
            "Cannot remove Host, as it contains a local Storage Domain. Please activate the Host and remove the "
            "Data Center first.\n"
            "- If Host cannot be activated, use the Force-Remove option on the Data Center object.\n"
            "- Please note that this action is destructive."
        )


ROUTES = (
    Route("GET", "hosts", list_hosts),
    Route("GET", "hosts/*", get_host),
    Route("PUT", "hosts/*", update_host, "host"),
    Route("DELETE", "hosts/*", remove_host),
)
