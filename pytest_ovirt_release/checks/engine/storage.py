"""Storage domains: created over a host, attached to a data center, and all the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ovirtsdk4 import types

from pytest_ovirt_release.checks.engine import facts
from pytest_ovirt_release.checks.engine.group import Group, heading, named

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine.facts import Domain
    from pytest_ovirt_release.target.model import NfsTarget


class Storage(Group):
    """Operations on storage domains."""

    def add_nfs(self, name: str, comment: str, host_id: str, export: NfsTarget) -> str:
        """Create a data domain on an NFS export through a host, and return its id."""
        storage = types.HostStorage(
            type=types.StorageType.NFS,
            address=export.address,
            path=export.path,
            nfs_version=types.NfsVersion(export.version),
            mount_options=export.options,
        )
        return self._add(name, comment, host_id, storage)

    def add_local(self, name: str, comment: str, host_id: str, *, path: str) -> str:
        """Create a data domain in a directory of a host; the engine attaches and activates it by itself."""
        return self._add(name, comment, host_id, types.HostStorage(type=types.StorageType.LOCALFS, path=path))

    def _add(self, name: str, comment: str, host_id: str, storage: Any) -> str:  # noqa: ANN401 - SDK type
        correlation = self._correlation("domain")
        wanted = types.StorageDomain(
            name=name,
            comment=comment,
            type=types.StorageDomainType.DATA,
            host=types.Host(id=host_id),
            storage=storage,
        )
        added = self._call(
            f"create storage domain {name}",
            lambda system: system.storage_domains_service().add(wanted, headers=heading(correlation)),
            seconds=self._deadlines.storage,
            correlation=correlation,
        )
        return str(added.id)

    def list(self) -> tuple[Domain, ...]:
        """Return every storage domain."""
        found = self._call("list its storage domains", lambda system: system.storage_domains_service().list())
        return tuple(facts.Domain(d.id, d.name or "", d.comment or "") for d in found)

    def get(self, domain_id: str) -> Domain | None:
        """Return a storage domain, or None when it is not there."""
        found = self._find(
            f"show storage domain {domain_id}",
            lambda system: system.storage_domains_service().storage_domain_service(domain_id).get(),
        )
        return None if found is None else facts.Domain(found.id, found.name or "", found.comment or "")

    def find(self, name: str) -> str | None:
        """Return the id of the storage domain with this name."""
        return facts.object_id(named(self.list(), name))

    def disks(self, domain_id: str) -> tuple[str, ...]:
        """Return the names of the disks on a domain."""
        found = self._call(
            f"list the disks of storage domain {domain_id}",
            lambda system: (
                system.storage_domains_service().storage_domain_service(domain_id).disks_service().list()
            ),
        )
        return tuple(d.name or d.alias or d.id for d in found)

    def attach(self, data_center_id: str, domain_id: str) -> None:
        """Attach a domain; the first one initialises the data center inside this request."""
        correlation = self._correlation("attach")
        self._call(
            f"attach storage domain {domain_id}",
            lambda system: self._attached(system, data_center_id).add(
                types.StorageDomain(id=domain_id), headers=heading(correlation)
            ),
            seconds=self._deadlines.storage,
            correlation=correlation,
        )

    def status(self, data_center_id: str, domain_id: str) -> str | None:
        """Return the status a domain has in its data center, or None when it is not attached there."""
        found = self._find(
            f"show storage domain {domain_id} in its data center",
            lambda system: self._attached(system, data_center_id).storage_domain_service(domain_id).get(),
        )
        return None if found is None else facts.word(found.status)

    def deactivate(self, data_center_id: str, domain_id: str) -> None:
        """Ask for maintenance of an attached domain."""
        correlation = self._correlation("sd-maint")
        self._call(
            f"put storage domain {domain_id} into maintenance",
            lambda system: (
                self._attached(system, data_center_id)
                .storage_domain_service(domain_id)
                .deactivate(headers=heading(correlation))
            ),
            seconds=self._deadlines.storage,
            correlation=correlation,
        )

    def detach(self, data_center_id: str, domain_id: str) -> None:
        """Take a domain out of its data center; a local one is removed with all its data by this."""
        self._gone(
            f"detach storage domain {domain_id}",
            lambda system: self._attached(system, data_center_id).storage_domain_service(domain_id).remove,
            what="sd-detach",
            seconds=self._deadlines.storage,
        )

    def remove(self, domain_id: str, host_id: str) -> None:
        """Remove a detached domain and what it left on the storage, through a host."""
        self._gone(
            f"remove storage domain {domain_id}",
            lambda system: (
                lambda headers: (
                    system.storage_domains_service()
                    .storage_domain_service(domain_id)
                    .remove(host=host_id, format=True, headers=headers)
                )
            ),
            what="rm-domain",
            seconds=self._deadlines.storage,
        )

    def forget(self, domain_id: str) -> None:
        """Make the engine forget a domain; nothing on the storage is touched."""
        self._gone(
            f"forget storage domain {domain_id}",
            lambda system: (
                lambda headers: (
                    system.storage_domains_service()
                    .storage_domain_service(domain_id)
                    .remove(destroy=True, headers=headers)
                )
            ),
            what="forget",
        )

    @staticmethod
    def _attached(system: Any, data_center_id: str) -> Any:  # noqa: ANN401 - SDK types
        return system.data_centers_service().data_center_service(data_center_id).storage_domains_service()
