"""The hosts behind the recorded engine were simulated too: what a path or a wish made them do."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ovirt_release.lab.node.verbs import Connection, DomainInfo, VdsmError
from tests.lab.engine.fakes import FakeNode

NO_ACCESS = (
    "Permission settings on the specified path do not allow access to the storage. "
    "Verify permission settings on the specified storage path."
)


class RecordedStorage(dict[tuple[str | None, str], dict[str, DomainInfo]]):
    """Every path can be mounted, but those that were recorded as missing."""

    def __missing__(self, key: tuple[str | None, str]) -> dict[str, DomainInfo]:
        if "missing" in key[1]:
            raise KeyError(key)
        return self.setdefault(key, {})


@dataclass
class RecordedHost(FakeNode):
    """A host as the recordings had it; `password` is what its root logs in with."""

    password: str = "fakepass"

    async def connect_storage_server(self, connection: Connection) -> None:
        if "denied" in connection.path:
            raise VdsmError(469, NO_ACCESS)
        await super().connect_storage_server(connection)

    async def create_storage_domain(self, connection: Connection, domain: DomainInfo) -> None:
        if "createfail" in connection.path:
            raise VdsmError(351, "Error creating a storage domain")
        await super().create_storage_domain(connection, domain)
