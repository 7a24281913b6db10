"""The lab's engine: HTTPS and HTTP on loopback, one event loop, one owner of all state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pytest_ovirt_release.lab.engine.auth import Doorkeeper
from pytest_ovirt_release.lab.engine.builtin import MANAGEMENT_NETWORK, MANAGEMENT_PROFILE, MINIMAL_DOWNTIME
from pytest_ovirt_release.lab.engine.core import Core, SshAccess
from pytest_ovirt_release.lab.engine.domain_monitoring import watch_domains
from pytest_ovirt_release.lab.engine.listening import Listener
from pytest_ovirt_release.lab.engine.monitoring import watch_hosts, watch_vms
from pytest_ovirt_release.lab.engine.site import site
from pytest_ovirt_release.lab.engine.start_checks import BYSTANDER
from pytest_ovirt_release.lab.engine.state import Cluster, DataCenter, Host
from pytest_ovirt_release.lab.ids import Ids

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.lab.clock import Clock
    from pytest_ovirt_release.lab.node.verbs import Node

BYSTANDER_ADDRESS = "127.0.0.9"


class Pki(Protocol):
    """The certificates: the CA's, the engine's, and those of an unrelated CA."""

    ca_pem: bytes
    engine_cert: Path
    engine_key: Path
    stranger_cert: Path
    stranger_key: Path


class LabEngine:
    """A small oVirt engine.

    Args:
        clock: scales every wait of the engine.
        faults: names from the fault table; the engine shows those that are its own.
        nodes: what answers at an address, as vdsm would.
        pki: see Pki; under `ca-mismatch` the engine shows the stranger's certificate.
        folder: for the logs of host deployments.
        admin_password: of the administrator.
        ssh: how the engine logs in to nodes.
        seed: engines of the same seed give the same ids.
        admin: the administrator's name in the profile `internal`.
    """

    def __init__(  # noqa: PLR0913 - the parts of a lab
        self,
        *,
        clock: Clock,
        faults: frozenset[str],
        nodes: dict[str, Node],
        pki: Pki,
        folder: Path,
        admin_password: str,
        ssh: SshAccess,
        seed: int = 0,
        admin: str = "admin",
    ) -> None:
        """Take the parts; nothing is opened before start."""
        self.core = Core(
            clock=clock, faults=faults, nodes=nodes, folder=folder, ssh=ssh, ids=Ids(seed), admin=admin
        )
        self.core.ca_pem = pki.ca_pem.decode()
        self._pki = pki
        self._doorkeeper = Doorkeeper(admin, admin_password, self.core.ids)
        self._secure: Listener | None = None
        self._plain: Listener | None = None

    @property
    def base(self) -> str:
        """Address of the engine, without a path."""
        return _started(self._secure).base

    @property
    def plain_base(self) -> str:
        """Address of the engine over plain HTTP, where it answers the same."""
        return _started(self._plain).base

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"{self.base}/ovirt-engine/api"

    async def start(self) -> None:
        """Seed the state, listen on ports that the system chooses, and begin to watch hosts and VMs."""
        await self._seed()
        mismatch = "ca-mismatch" in self.core.faults
        certificate = self._pki.stranger_cert if mismatch else self._pki.engine_cert
        key = self._pki.stranger_key if mismatch else self._pki.engine_key
        self._secure, self._plain = Listener(certificate, key), Listener()
        ca_pem, engine_pem = self._pki.ca_pem.decode(), certificate.read_text(encoding="utf-8")
        application = site(self.core, self._doorkeeper, ca_pem, engine_pem, self._plain.base)
        await self._secure.start(application)
        await self._plain.start(application)
        self.core.spawn(watch_hosts(self.core))
        self.core.spawn(watch_vms(self.core))
        self.core.spawn(watch_domains(self.core))

    async def stop(self) -> None:
        """Stop listening and end what runs in the background."""
        await self.core.stop()
        for listener in (self._secure, self._plain):
            if listener is not None:
                await listener.stop()

    async def _seed(self) -> None:
        """Make what a fresh engine has, and the bystander: a host that is up in cluster Default."""
        state, ids = self.core.state, self.core.ids
        self.core.event(10780, "Affinity Rules Enforcement Manager started.", user="nobody")
        data_center = DataCenter(
            ids.uuid("data center"), "Default", local=False, description="The default Data Center"
        )
        data_center.network, data_center.network_description = MANAGEMENT_NETWORK, "Management Network"
        data_center.vnic_profile = MANAGEMENT_PROFILE
        state.data_centers[data_center.id] = data_center
        cluster = Cluster(
            ids.uuid("cluster"),
            "Default",
            data_center.id,
            "The default server cluster",
            vnc_encryption=False,
            migration_policy=MINIMAL_DOWNTIME,
            policy_properties=False,
        )
        state.clusters[cluster.id] = cluster
        state.registration_cluster = cluster.id
        node = self.core.nodes.get(BYSTANDER_ADDRESS)
        if node is None:
            return
        facts = await self.core.ask(node.host_get_capabilities())
        host = Host(ids.uuid("host"), BYSTANDER, BYSTANDER_ADDRESS, cluster.id, facts.uuid, status="up")
        host.capabilities = facts
        cluster.fit_to_host()
        state.hosts[host.id] = host


def _started(listener: Listener | None) -> Listener:
    if listener is None:
        raise RuntimeError("the engine has not been started")
    return listener
