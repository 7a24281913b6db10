"""Hosts, and the data centers and clusters they are approved into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ovirtsdk4 import types

from pytest_ovirt_release.checks.engine import facts
from pytest_ovirt_release.checks.engine.group import Group, heading, named

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine.facts import Host, Standing


class Hosts(Group):
    """Operations on hosts, data centers and clusters."""

    def list(self) -> tuple[Host, ...]:
        """Return every host the engine knows."""
        found = self._call("list its hosts", lambda system: system.hosts_service().list())
        return tuple(facts.host(h) for h in found)

    def get(self, host_id: str) -> Host | None:
        """Return one host, or None when it is not there."""
        found = self._find(
            f"show host {host_id}", lambda system: system.hosts_service().host_service(host_id).get()
        )
        return None if found is None else facts.host(found)

    def by_address(self, address: str) -> Host | None:
        """Return the host with exactly this address."""
        return next((h for h in self.list() if h.address == address), None)

    def find(self, name: str) -> str | None:
        """Return the id of the host with this name."""
        return next((h.id for h in self.list() if h.name == name), None)

    def mark(self, host_id: str, comment: str) -> None:
        """Put a comment on a host."""
        correlation = self._correlation("mark")
        self._call(
            f"put a comment on host {host_id}",
            lambda system: (
                system.hosts_service()
                .host_service(host_id)
                .update(types.Host(comment=comment), headers=heading(correlation))
            ),
            correlation=correlation,
        )

    def approve(self, host_id: str, cluster_id: str) -> str:
        """Approve a pending host into a cluster, with the engine's public key and without a reboot.

        The engine installs the host inside this request. Returns the correlation id of its events.
        """
        correlation = self._correlation("approve")
        self._call(
            f"approve host {host_id}",
            lambda system: (
                system.hosts_service()
                .host_service(host_id)
                .approve(cluster=types.Cluster(id=cluster_id), reboot=False, headers=heading(correlation))
            ),
            seconds=self._deadlines.approve,
            correlation=correlation,
        )
        return correlation

    def deactivate(self, host_id: str) -> None:
        """Ask for maintenance."""
        correlation = self._correlation("maintain")
        self._call(
            f"put host {host_id} into maintenance",
            lambda system: (
                system.hosts_service().host_service(host_id).deactivate(headers=heading(correlation))
            ),
            correlation=correlation,
        )

    def activate(self, host_id: str) -> None:
        """Ask a host in maintenance to come up again."""
        correlation = self._correlation("activate")
        self._call(
            f"activate host {host_id}",
            lambda system: (
                system.hosts_service().host_service(host_id).activate(headers=heading(correlation))
            ),
            correlation=correlation,
        )

    def move(self, host_id: str, cluster_id: str) -> None:
        """Put a host that is in maintenance into another cluster."""
        correlation = self._correlation("move")
        self._call(
            f"move host {host_id} to cluster {cluster_id}",
            lambda system: (
                system.hosts_service()
                .host_service(host_id)
                .update(types.Host(cluster=types.Cluster(id=cluster_id)), headers=heading(correlation))
            ),
            correlation=correlation,
        )

    def place_of(self, cluster_id: str) -> Standing | None:
        """Return the data center of a cluster, or None when it has none."""
        cluster = self._find(
            f"show cluster {cluster_id}",
            lambda system: system.clusters_service().cluster_service(cluster_id).get(),
        )
        data_center_id = facts.object_id(cluster.data_center) if cluster is not None else None
        found = self._data_center(data_center_id) if data_center_id else None
        if found is None:
            return None
        return facts.Standing(str(found.id), found.name or "", is_local=bool(found.local))

    def remove(self, host_id: str) -> None:
        """Remove a host; the engine may run a play on it before it answers."""
        self._gone(
            f"remove host {host_id}",
            lambda system: system.hosts_service().host_service(host_id).remove,
            what="rm-host",
            seconds=self._deadlines.removal,
        )

    def add_data_center(self, name: str, comment: str, *, local: bool) -> str:
        """Create a data center and return its id."""
        correlation = self._correlation("dc")
        wanted = types.DataCenter(name=name, comment=comment, local=local)
        added = self._call(
            f"create data center {name}",
            lambda system: system.data_centers_service().add(wanted, headers=heading(correlation)),
            correlation=correlation,
        )
        return str(added.id)

    def data_center_status(self, data_center_id: str) -> str | None:
        """Return the status of a data center, or None when it is not there."""
        found = self._data_center(data_center_id)
        return None if found is None else facts.word(found.status)

    def data_center_name(self, data_center_id: str) -> str | None:
        """Return the name of a data center, or None when it is not there."""
        found = self._data_center(data_center_id)
        return None if found is None else str(found.name)

    def _data_center(self, data_center_id: str) -> Any:  # noqa: ANN401 - SDK types stay inside this package
        return self._find(
            f"show data center {data_center_id}",
            lambda system: system.data_centers_service().data_center_service(data_center_id).get(),
        )

    def find_data_center(self, name: str) -> str | None:
        """Return the id of the data center with this name."""
        found = self._call(
            "list its data centers", lambda system: system.data_centers_service().list(search=f"name={name}")
        )
        return facts.object_id(named(found, name))

    def remove_data_center(self, data_center_id: str) -> None:
        """Remove a data center."""
        self._gone(
            f"remove data center {data_center_id}",
            lambda system: system.data_centers_service().data_center_service(data_center_id).remove,
            what="rm-dc",
        )

    def add_cluster(self, name: str, comment: str, data_center_id: str) -> str:
        """Create a cluster (its processor is found out from its first host) and return its id."""
        correlation = self._correlation("cluster")
        wanted = types.Cluster(name=name, comment=comment, data_center=types.DataCenter(id=data_center_id))
        added = self._call(
            f"create cluster {name}",
            lambda system: system.clusters_service().add(wanted, headers=heading(correlation)),
            correlation=correlation,
        )
        return str(added.id)

    def cluster_name(self, cluster_id: str) -> str | None:
        """Return the name of a cluster, or None when it is not there."""
        found = self._find(
            f"show cluster {cluster_id}",
            lambda system: system.clusters_service().cluster_service(cluster_id).get(),
        )
        return None if found is None else str(found.name)

    def find_cluster(self, name: str) -> str | None:
        """Return the id of the cluster with this name."""
        found = self._call(
            "list its clusters", lambda system: system.clusters_service().list(search=f"name={name}")
        )
        return facts.object_id(named(found, name))

    def remove_cluster(self, cluster_id: str) -> None:
        """Remove a cluster."""
        self._gone(
            f"remove cluster {cluster_id}",
            lambda system: system.clusters_service().cluster_service(cluster_id).remove,
            what="rm-cluster",
        )
