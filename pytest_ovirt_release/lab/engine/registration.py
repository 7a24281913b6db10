"""What a registration does to the hosts: RegisterVdsQuery's rules."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.state import Host

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Cluster

NAME = re.compile(r"[A-Za-z0-9_.\-]{1,255}")
FQDN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?)*")
LARGEST_PORT = 65535


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """A registration that failed; the engine often says nothing more."""


@dataclass(frozen=True)
class Registration:
    """What a node asks for."""

    address: str
    name: str
    unique_id: str
    ssh_port: int
    vdsm_port: int
    fingerprint: str | None


def register(core: Core, wish: Registration) -> None:
    """Make a pending host of a node that asks; a node already known changes nothing; Refused otherwise."""
    if not wish.address:
        raise Refused("Cannot register Host - no Hostname address specified.")
    if not wish.unique_id:
        text = f"Host registration failed, empty host id (Host: {wish.address})"
        core.event(834, text, user="nobody")
        raise Refused(f"Cannot register host '{wish.address}' - host id is empty.")
    unique_id = re.sub(r"[^A-Za-z0-9\-.:_]", "", wish.unique_id)
    hosts = core.state.hosts.values()
    if "node-never-registers" in core.faults or any(host.unique_id == unique_id for host in hosts):
        return
    wish = wish if wish.name else replace(wish, name=wish.unique_id)
    # The engine's option names the cluster that its setup made by id: a new name changes nothing, and nothing replaces it.
    cluster = core.state.clusters.get(core.state.registration_cluster)
    known = next((host for host in hosts if host.address == wish.address), None)
    if known is not None:
        # The engine means to rename the one that it knows and stumbles over its own rules.
        text = (
            f"Host registration failed - cannot update Host Name for Host {known.name}. (Host: {wish.name})"
        )
        core.event(819, text, user="nobody")
        raise Refused("")
    if cluster is None or not _fits(core, wish, cluster):
        core.event(826, f"Host registration failed. (Host: {wish.name})", user="nobody")
        raise Refused("")
    host = Host(
        id=core.ids.uuid("host"),
        name=_free_name(core, wish.name),
        address=wish.address,
        cluster=cluster.id,
        unique_id=unique_id,
        ssh_port=wish.ssh_port,
        vdsm_port=wish.vdsm_port,
        ssh_fingerprint=wish.fingerprint,
    )
    core.state.hosts[host.id] = host
    unmanaged = f"Failed to verify Power Management configuration for Host {host.name}."
    core.event(9000, unmanaged, user="nobody", host=host)
    core.event(42, f"Host {host.name} was added by SYSTEM.", user="SYSTEM", own=True, host=host)
    # With a name clash this names what was asked for, not what was given.
    core.event(828, f"Host {wish.name} registered.", user="nobody")


def _fits(core: Core, wish: Registration, cluster: Cluster) -> bool:
    """Return whether a node's name, address and ports can be a host's, and its cluster takes another host."""
    if NAME.fullmatch(wish.name) is None or not is_address(wish.address):
        return False
    if not all(1 <= port <= LARGEST_PORT for port in (wish.ssh_port, wish.vdsm_port)):
        return False
    data_center = core.state.data_centers.get(cluster.data_center or "")
    return data_center is None or not data_center.local or not core.state.hosts_in(data_center.id)


def is_address(text: str) -> bool:
    """Return whether a text is an IP address or a host name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return FQDN.fullmatch(text) is not None
    return True


def _free_name(core: Core, name: str) -> str:
    taken = {host.name for host in core.state.hosts.values()}
    if name not in taken:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"
