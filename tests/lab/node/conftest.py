"""A node with everything around it that it needs: a CA, an exports folder, a tester's key."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import asyncssh
import pytest
import trustme

from pytest_ovirt_release.lab.clock import Clock
from pytest_ovirt_release.lab.engine.vdsbroker import VdsBroker
from pytest_ovirt_release.lab.node.machine import LabNode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

ADDRESS = "127.0.0.2"


def broker(node: LabNode) -> VdsBroker:
    """Return the engine's end of the road to a node."""
    return VdsBroker(node.address, node.vdsm, Clock(speed=100), node.image_port)


@dataclass
class Pki:
    """What the lab's PKI offers, by trustme."""

    folder: Path
    ca: trustme.CA

    @property
    def ca_pem(self) -> bytes:
        return self.ca.cert_pem.bytes()

    def issue(self, name: str, addresses: Sequence[str]) -> tuple[Path, Path]:
        leaf = self.ca.issue_cert(*addresses)
        cert, key = self.folder / f"{name}.cer", self.folder / f"{name}.key"
        cert.write_bytes(leaf.cert_chain_pems[0].bytes())
        key.write_bytes(leaf.private_key_pem.bytes())
        return cert, key


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    folder = tmp_path / "pki"
    folder.mkdir()
    return Pki(folder, trustme.CA())


@pytest.fixture(scope="session")
def tester_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


class StartNode(Protocol):
    """Starts a node; it stops when the block ends."""

    def __call__(
        self, *faults: str, engine: str = "", registers_itself: bool = False
    ) -> AbstractAsyncContextManager[LabNode]: ...


@pytest.fixture
def start_node(tmp_path: Path, pki: Pki, tester_key: asyncssh.SSHKey) -> StartNode:
    exports = tmp_path / "nfs"
    (exports / "exports" / "data").mkdir(parents=True)

    @asynccontextmanager
    async def start(*faults: str, engine: str = "", registers_itself: bool = False) -> AsyncIterator[LabNode]:
        node = LabNode(
            name="node-1",
            uuid=str(uuid4()),
            address=ADDRESS,
            folder=tmp_path / "node-1",
            exports=exports,
            clock=Clock(speed=100),
            faults=frozenset(faults),
            pki=pki,
            root_key=tester_key.export_public_key().decode(),
            engine_base=lambda: engine,
            registers_itself=registers_itself,
        )
        await node.start()
        try:
            yield node
        finally:
            await node.stop()

    return start
