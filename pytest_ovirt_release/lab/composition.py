"""The parts of a lab, put together: release site, engine machine, engine and three nodes in one event loop."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import asyncssh

from pytest_ovirt_release.lab.clock import Clock
from pytest_ovirt_release.lab.engine.server import LabEngine
from pytest_ovirt_release.lab.engine.start_checks import BYSTANDER
from pytest_ovirt_release.lab.engine.vdsbroker import VdsBroker
from pytest_ovirt_release.lab.ids import Ids
from pytest_ovirt_release.lab.node.access import HostAccess
from pytest_ovirt_release.lab.node.machine import LabNode
from pytest_ovirt_release.lab.release import scripts
from pytest_ovirt_release.lab.release.engine_machine import EngineMachine
from pytest_ovirt_release.lab.release.repositories import installed_versions
from pytest_ovirt_release.lab.release.site import ReleaseSite

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path
    from typing import Literal

    from pytest_ovirt_release.lab.pki import LabPki
    from pytest_ovirt_release.release.page import Page

STOP_DEADLINE = 10.0
"""Seconds that each part may take to stop."""

Got = TypeVar("Got")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NodePlan:
    """A node of the lab: `storage` is what the target file says it serves; None: it stands by, up from the start."""

    name: str
    address: str
    registered_by: Literal["node", "command"]
    storage: Literal["nfs", "local"] | None


NODES = (
    NodePlan("node-1", "127.0.0.2", "node", "nfs"),
    NodePlan("node-2", "127.0.0.3", "command", "local"),
    NodePlan("host-0", "127.0.0.9", "command", None),
)


NETWORK = "127.0.0"
"""What the nodes' addresses begin with; no two machines may have one address, and no two labs on one machine."""


def _moved(plan: NodePlan, network: str) -> NodePlan:
    """Return a node under test in another network; the one that stands by stays where the engine expects it."""
    if plan.storage is None:
        return plan
    return replace(plan, address=f"{network}.{plan.address.rpartition('.')[2]}")


class Part(Protocol):
    """Whatever of the lab has to be stopped."""

    async def stop(self) -> None:
        """Stop, and leave no process behind."""


class Lab:
    """One lab; `start`, then read its parts, then `stop`. `folder` must exist and be the lab's own."""

    pki: LabPki
    engine: LabEngine

    def __init__(  # noqa: PLR0913 - a lab is put together from exactly these
        self,
        *,
        page: Page,
        folder: Path,
        speed: float,
        faults: frozenset[str],
        seed: int,
        network: str = NETWORK,
        user: str = "admin",
    ) -> None:
        """Take the release page, the folder, how much faster than life to wait, what to break, and the ids' seed.

        `network` is what the addresses of the nodes under test begin with, `user` who administers the engine.
        """
        self.folder = folder
        self.faults = faults
        self.speed = speed
        self.seed = seed
        self.page = page
        self.plans = tuple(_moved(plan, network) for plan in NODES)
        self.user = user
        self.admin_password = secrets.token_urlsafe(18)
        self.tester_key = folder / "tester_key"
        self.nodes: dict[str, LabNode] = {}
        self._parts: list[Part] = []
        # Empty as long as the engine does not answer: no node talks to it then.
        self._engine_base = ""
        self.site = ReleaseSite(page=page, folder=folder, faults=faults, scripts=scripts.tree(faults))
        self._parts.append(self.site)
        self._root_key = _make_key(self.tester_key)
        machine_folder = folder / "engine-machine"
        machine_folder.mkdir()
        self.machine = EngineMachine(
            folder=machine_folder,
            faults=faults,
            root_key=self._root_key,
            packages=installed_versions(page),
        )

    async def start(self) -> None:
        """Start everything; returns when all of it answers. Call `stop` also when this fails."""
        self._parts.append(self.machine)
        async with asyncio.TaskGroup() as group:
            group.create_task(_timed("release site", self.site.start()))
            group.create_task(self._start_engine_and_nodes())

    async def _start_engine_and_nodes(self) -> None:
        source = self.folder / "engine-machine" / "source"
        scripts.write_tree(scripts.tree(frozenset()), source)
        self.pki = await _timed("certificates", self.machine.install(source))
        await _timed("composition", asyncio.to_thread(self._compose))
        async with asyncio.TaskGroup() as group:
            nodes = {
                node.name: group.create_task(_timed(node.name, node.start())) for node in self.nodes.values()
            }
            group.create_task(_timed("engine", self._start_engine(nodes[BYSTANDER])))
            group.create_task(_timed("engine machine", self.machine.start()))

    async def _start_engine(self, bystander: asyncio.Task[None]) -> None:
        # It is up in the engine from the start, so it has to answer by then.
        await bystander
        await self.engine.start()
        self._engine_base = self.engine.base

    def _compose(self) -> None:
        clock, ids = Clock(self.speed), Ids(self.seed)
        exports = self.folder / "nfs"
        (exports / "exports" / "data").mkdir(parents=True)
        for plan in self.plans:
            self.nodes[plan.address] = LabNode(
                name=plan.name,
                uuid=ids.uuid(f"hardware of {plan.name}"),
                address=plan.address,
                folder=self.folder / plan.name,
                exports=exports,
                clock=clock,
                faults=self.faults,
                pki=self.pki,
                root_key=self._root_key,
                engine_base=lambda: self._engine_base,
                registers_itself=plan.registered_by == "node",
            )
        self._parts += self.nodes.values()
        self.engine = LabEngine(
            clock=clock,
            faults=self.faults,
            nodes={
                node.address: VdsBroker(node.address, node.vdsm, clock, node.image_port)
                for node in self.nodes.values()
            },
            pki=self.pki,
            folder=self.folder / "engine",
            admin_password=self.admin_password,
            ssh=HostAccess(self.folder / "engine" / "host_access_key"),
            seed=self.seed,
            admin=self.user,
        )
        self._parts.append(self.engine)

    async def stop(self) -> None:
        """Stop every part, the last one first; what goes wrong is logged and stops nothing else."""
        self._engine_base = ""
        for part in reversed(self._parts):
            try:
                async with asyncio.timeout(STOP_DEADLINE):
                    await part.stop()
            except Exception:
                log.exception("%s did not stop", type(part).__name__)
        self._parts.clear()


async def _timed(what: str, job: Awaitable[Got]) -> Got:
    began = time.monotonic()
    done = await job
    log.info("%s: ready after %.2f s", what, time.monotonic() - began)
    return done


def _make_key(path: Path) -> str:
    key = asyncssh.generate_private_key("ssh-ed25519", comment="tester")
    path.touch(mode=0o600)
    key.write_private_key(path)
    return key.export_public_key().decode("ascii").strip()
