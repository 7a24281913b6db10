"""A whole node by its verbs: storage, transfer, VM, faults, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import shutil
import ssl
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import pytest

from pytest_ovirt_release.checks.guest import BLOCK, Challenge, disk_image, read_answer
from pytest_ovirt_release.lab.node.qemu import PROGRAM
from pytest_ovirt_release.lab.node.verbs import (
    Connection,
    DomainInfo,
    Node,
    VdsmError,
    VmDisk,
    VmSpec,
    VmStats,
    VmStatus,
    Volume,
)
from pytest_ovirt_release.target.brand import LAB_BRAND
from tests.lab.node.conftest import broker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.lab.node.machine import LabNode

    from .conftest import Pki, StartNode

NFS = Connection("c", "nfs", "/exports/data", "127.0.0.1")
LOCAL = Connection("c", "localfs", "/data/local")
SIZE = 1 << 20
DEADLINE = 60
CLEAN = VmStats("Down", 0, "User shut down from within the guest")


def children() -> list[str]:
    """Return the ids of the processes that this one has started and that still run."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [child for task in tasks for child in task.read_text().split()]


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    assert children() == []


class Disk:
    """One image on one domain of a node, moved by the image daemon as a client would."""

    def __init__(self, node: LabNode, pki: Pki, connection: Connection) -> None:
        self.verbs, self.connection = broker(node), connection
        self.domain = str(uuid4())
        self.volume = Volume(self.domain, str(uuid4()), str(uuid4()))
        self.context = ssl.create_default_context(cadata=pki.ca_pem.decode())

    async def make(self) -> None:
        await self.verbs.connect_storage_server(self.connection)
        await self.verbs.create_storage_domain(self.connection, DomainInfo(self.domain, "d", "data"))
        await self.verbs.create_volume(self.volume, SIZE, "disk")

    async def transfer(self, operation: Literal["read", "write"], body: bytes | None = None) -> bytes:
        ticket = await self.verbs.add_image_ticket(str(uuid4()), self.volume, SIZE, operation)
        status, got = await asyncio.to_thread(self.ask, ticket.url, "PUT" if body else "GET", body)
        await self.verbs.remove_image_ticket(ticket.id)
        assert status == 200
        return got

    def ask(self, url: str, method: str, body: bytes | None) -> tuple[int, bytes]:
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPSConnection(parts.netloc, timeout=DEADLINE, context=self.context)
        with contextlib.closing(connection):
            connection.request(method, parts.path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def vm(self) -> VmSpec:
        disk = VmDisk(self.volume, "virtio", bootable=True)
        return VmSpec(str(uuid4()), "guest", 64 << 20, "bios", "pc-q35-rhel9.6.0", ("hd",), (disk,))


def needs_qemu() -> None:
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} is not installed")


async def states_until_down(node: Node, vm_id: str) -> list[VmStats]:
    seen: list[VmStats] = []
    async with asyncio.timeout(DEADLINE):
        while not seen or seen[-1].status != "Down":
            stats = await node.get_vm_stats(vm_id)
            if not seen or seen[-1] != stats:
                seen.append(stats)
            await asyncio.sleep(0.005)
    return seen


def run_guest(
    start_node: StartNode, pki: Pki, challenge: Challenge, connection: Connection, *faults: str
) -> tuple[list[VmStats], bytes]:
    async def go() -> tuple[list[VmStats], bytes]:
        async with start_node(*faults) as node:
            disk = Disk(node, pki, connection)
            await disk.make()
            await disk.transfer("write", disk_image(challenge, SIZE))
            vm = disk.vm()
            await disk.verbs.create_vm(vm)
            seen = await states_until_down(disk.verbs, vm.id)
            await disk.verbs.destroy_vm(vm.id)
            with pytest.raises(VdsmError, match="does not exist"):
                await disk.verbs.get_vm_stats(vm.id)
            return seen, await disk.transfer("read")

    return asyncio.run(go())


@pytest.mark.parametrize("connection", [NFS, LOCAL], ids=["nfs", "local"])
@pytest.mark.parametrize("hypervisor", ["qemu", "unicorn"])
def test_a_guest_runs_from_its_upload_to_its_answer(
    start_node: StartNode, pki: Pki, monkeypatch: pytest.MonkeyPatch, connection: Connection, hypervisor: str
) -> None:
    if hypervisor == "qemu":
        needs_qemu()
    monkeypatch.setenv("RELEASE_LAB_HYPERVISOR", hypervisor)
    challenge = Challenge.new(1.5)  # the clock of these tests says Up after 0.6 s
    seen, image = run_guest(start_node, pki, challenge, connection)
    assert [stats.status for stats in seen] == ["WaitForLaunch", "Powering up", "Up", "Down"]
    assert seen[-1] == CLEAN
    answer = read_answer(image, challenge, SIZE)
    assert answer.proven, answer.sentence


def test_guest_never_executes_looks_well_and_proves_nothing(start_node: StartNode, pki: Pki) -> None:
    challenge = Challenge.new(0)
    seen, image = run_guest(start_node, pki, challenge, NFS, "guest-never-executes")
    assert [stats.status for stats in seen] == ["WaitForLaunch", "Powering up", "Up", "Down"]
    assert seen[-1] == CLEAN
    assert read_answer(image, challenge, SIZE).outcome == "unchanged"


@pytest.mark.parametrize(("connection", "outcome"), [(NFS, "proven"), (LOCAL, "zeros")], ids=["nfs", "local"])
def test_local_disk_lost_is_seen_when_the_disk_is_read_back(
    start_node: StartNode, pki: Pki, connection: Connection, outcome: str
) -> None:
    challenge = Challenge.new(0)
    seen, image = run_guest(start_node, pki, challenge, connection, "local-disk-lost")
    assert seen[-1] == CLEAN
    assert read_answer(image, challenge, SIZE).outcome == outcome


def test_the_image_daemon_refuses_what_no_ticket_allows(start_node: StartNode, pki: Pki) -> None:
    async def go() -> None:
        async with start_node() as node:
            disk = Disk(node, pki, NFS)
            await disk.make()
            ticket = await disk.verbs.add_image_ticket(str(uuid4()), disk.volume, SIZE, "read")
            assert ticket.url.startswith(f"https://{node.address}:")
            status, _ = await asyncio.to_thread(disk.ask, ticket.url, "PUT", b"x" * BLOCK)
            assert status == 403
            await disk.verbs.remove_image_ticket(ticket.id)
            await disk.verbs.remove_image_ticket(ticket.id)
            await node._imageio.stop()
            with pytest.raises(VdsmError, match="482"):
                await disk.verbs.add_image_ticket(str(uuid4()), disk.volume, SIZE, "read")

    asyncio.run(go())


def test_a_vm_whose_disk_is_missing_is_down_with_the_reason(start_node: StartNode, pki: Pki) -> None:
    async def go() -> VmStats:
        async with start_node() as node:
            disk = Disk(node, pki, NFS)
            await disk.verbs.connect_storage_server(NFS)
            vm = disk.vm()
            await disk.verbs.create_vm(vm)
            with pytest.raises(VdsmError, match="already exists"):
                await disk.verbs.create_vm(vm)
            return await disk.verbs.get_vm_stats(vm.id)

    stats = asyncio.run(go())
    assert (stats.status, stats.exit_code) == ("Down", 1)
    assert "does not exist" in stats.exit_message


def test_a_guest_ignores_shutdown_and_goes_with_destroy(start_node: StartNode, pki: Pki) -> None:
    async def go() -> list[VmStatus]:
        async with start_node() as node:
            disk = Disk(node, pki, NFS)
            await disk.make()
            await disk.transfer("write", disk_image(Challenge.new(600), SIZE))
            vm = disk.vm()
            await disk.verbs.create_vm(vm)
            await disk.verbs.shutdown_vm(vm.id)
            seen: list[VmStatus] = [(await disk.verbs.get_vm_stats(vm.id)).status]
            async with asyncio.timeout(DEADLINE):
                while len(seen) < 2:
                    await asyncio.sleep(0.02)
                    status = (await disk.verbs.get_vm_stats(vm.id)).status
                    if status != seen[-1]:
                        seen.append(status)
            await disk.verbs.destroy_vm(vm.id)
            return seen

    assert asyncio.run(go()) == ["Powering down", "Up"]


def test_a_node_that_stops_takes_its_vms_along(start_node: StartNode, pki: Pki) -> None:
    async def go() -> None:
        async with start_node() as node:
            disk = Disk(node, pki, NFS)
            await disk.make()
            await disk.transfer("write", disk_image(Challenge.new(600), SIZE))
            await disk.verbs.create_vm(disk.vm())
            assert len(children()) == 2

    asyncio.run(go())


def test_capabilities_carry_the_brand(start_node: StartNode) -> None:
    async def go() -> tuple[LabNode, dict[str, str], str]:
        async with start_node() as node:
            as_the_engine_sees_it: Node = broker(node)
            told = await as_the_engine_sees_it.host_get_capabilities()
            return node, told.facts, told.uuid

    node, facts, told = asyncio.run(go())
    assert facts["brand"] == LAB_BRAND
    assert told == node.uuid


PARENT = """
import subprocess, sys
from pytest_ovirt_release.lab.node.tied import tied
child = subprocess.Popen(tied([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]))
print(child.pid, flush=True)
child.wait()
"""


def test_a_child_of_a_killed_lab_dies_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        lines = {parent.stdout.readline().strip() for _ in range(2)}
        child = Path("/proc", next(line for line in lines if line.isdigit()))
        assert child.exists()
        parent.kill()
        parent.wait(DEADLINE)
        until = time.monotonic() + DEADLINE
        while runs(child) and time.monotonic() < until:
            time.sleep(0.02)
        assert not runs(child)


def runs(process: Path) -> bool:
    """Return whether a process runs: one that nobody has waited for counts as gone."""
    try:
        return "State:\tZ" not in (process / "status").read_text()
    except OSError:
        return False
