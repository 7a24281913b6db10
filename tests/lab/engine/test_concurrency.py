"""Eight clients at once: never a 500, nothing acknowledged is lost, refusals are the engine's own.

LAB_CONCURRENCY_STEPS=2000 makes it long, LAB_CONCURRENCY_SEED=7 another mixture.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ovirtsdk4 as sdk
import pytest
from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import VmSpec, VmStats
from tests.lab.engine.fakes import Bench, FakeNode, wait
from tests.lab.engine.flows import Lab
from tests.lab.engine.ledger import Ledger, Thing

WORKERS = 8
STEPS = int(os.environ.get("LAB_CONCURRENCY_STEPS", "120"))
SEED = int(os.environ.get("LAB_CONCURRENCY_SEED", "1"))
NAMES = 10
"""How many names there are for each kind: few, so that clients want the same ones."""

HOT_PLUG = 501
"""What the lab leaves out: disks that come and go while a VM runs."""

REFUSALS = re.compile(
    r"^\[\]$"  # the host does not have that VM any more
    r"|name is already in use|following disks are locked|operation is currently in progress"
    r"|because the VM is in .* status|VM is running|one or more (VMs|Hosts)|VMs is not down"
    r"|must be in status Down|already attached|already marked as boot|without at least one (bootable|active) disk"
    r'|return value of "[.\w]+\.getVm\(\)" is null'
    r"|Data Center doesn't exist|Cluster ID is not valid|Unknown Data Center status|no host that satisfies"
)


def _is_the_engines(error: sdk.Error) -> bool:
    """Return whether a refusal is one of those that the engine has for these mixtures."""
    if error.fault is None:
        return bool(error.code == 404)
    detail = error.fault.detail or ""
    if detail.startswith("Entity not found: "):
        return bool(error.code == 404)
    if error.code == HOT_PLUG:
        return "plugged into a running VM" in detail
    # An action on a VM that is gone is a 500 with Java's words, as recorded.
    expected = (500,) if ".getVm()" in detail else (400, 409)
    return error.code in expected and REFUSALS.search(detail) is not None


class SlowNode:
    """A stand-in host that takes a moment for everything, as a real one does: others get their turn meanwhile."""

    def __init__(self, node: FakeNode) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._node, name)

        async def slow(*details: Any) -> Any:
            await asyncio.sleep(0.004)
            done = await verb(*details)
            await asyncio.sleep(0.004)
            return done

        return slow

    async def create_vm(self, spec: VmSpec) -> None:
        await asyncio.sleep(0.01)
        await self._node.create_vm(spec)
        self._node.stats[spec.id] = VmStats("Up")
        await asyncio.sleep(0.01)

    async def reboot_vm(self, vm_id: str) -> None:
        await asyncio.sleep(0.004)
        await self._node.get_vm_stats(vm_id)

    async def shutdown_vm(self, vm_id: str) -> None:
        await asyncio.sleep(0.004)
        await self._node.get_vm_stats(vm_id)
        self._node.stats[vm_id] = VmStats("Down", 0, "User shut down from within the guest")


class Client:
    """One client: does what its dice say, and tells the ledger what the engine acknowledged."""

    def __init__(self, bench: Bench, ledger: Ledger, number: int) -> None:
        self.ledger = ledger
        self.number = number
        self.dice = random.Random(SEED * 1000 + number)  # noqa: S311 - dice, to be repeated
        self.connection = bench.connection()
        self.system: Any = self.connection.system_service()
        self.steps = 0

    def run(self) -> None:
        acts = [self.add, self.add, self.add, self.update, self.update, self.remove, self.look]
        acts += [self.attach, self.detach, self.start, self.stop]
        try:
            for self.steps in range(STEPS):
                self.dice.choice(acts)()
        finally:
            self.connection.close()

    def service(self, thing: Thing) -> Any:
        return self.collection(thing.kind).service(thing.id)

    def collection(self, kind: str) -> Any:
        return getattr(self.system, f"{kind}s_service")()

    def ask(self, what: Callable[[], Any]) -> tuple[bool, Any]:
        """Return whether it was acknowledged, and the answer; a refusal must be one of the engine's."""
        try:
            return True, what()
        except sdk.Error as error:
            if not _is_the_engines(error):
                raise
        return False, None

    def name(self, kind: str) -> str:
        return f"{kind}-{self.dice.randrange(NAMES)}"

    def add(self) -> None:
        kind = self.dice.choice(["data_center", "cluster", "vm", "vm", "disk"])
        name = self.name(kind)
        wanted = self.wanted(kind, name)
        if wanted is None:
            return
        with self.ledger.adding(kind, name) as added:
            done, made = self.ask(lambda: self.collection(kind).add(wanted))
            if done:
                added(made.id)

    def wanted(self, kind: str, name: str) -> Any:
        """Return what to ask for."""
        if kind == "data_center":
            return types.DataCenter(name=name, local=False)
        if kind == "disk":
            where = [types.StorageDomain(name="nfs-1")]
            shape = types.DiskFormat.RAW
            return types.Disk(name=name, format=shape, provisioned_size=1024, storage_domains=where)
        place = self.ledger.pick("data_center" if kind == "cluster" else "cluster", self.dice)
        if kind == "cluster":
            return place and types.Cluster(name=name, data_center=types.DataCenter(id=place.id))
        cluster = types.Cluster(id=place.id) if place and self.dice.random() < 0.3 else None
        boot = types.Boot(devices=[types.BootDevice.HD, types.BootDevice.NETWORK])
        return types.Vm(
            name=name,
            cluster=cluster or types.Cluster(name="dc-1-cluster"),
            template=types.Template(name="Blank"),
            os=types.OperatingSystem(boot=boot),
        )

    def update(self) -> None:
        thing = self.ledger.pick(self.dice.choice(["data_center", "cluster", "vm"]), self.dice)
        if thing is None:
            return
        field = self.dice.choice(["name", "description", "comment"])
        value = self.name(thing.kind) if field == "name" else f"{self.number}-{self.steps}"
        kind = {"data_center": types.DataCenter, "cluster": types.Cluster, "vm": types.Vm}[thing.kind]
        with self.ledger.updating(thing, field, value) as updated:
            done, answer = self.ask(lambda: self.service(thing).update(kind(**{field: value})))
            if done:
                assert getattr(answer, field) == value
                updated()

    def remove(self) -> None:
        thing = self.ledger.pick(self.dice.choice(["data_center", "cluster", "vm", "disk"]), self.dice)
        if thing is None:
            return
        options = {"detach_only": True} if thing.kind == "vm" else {}
        with self.ledger.removing(thing) as removed:
            if self.ask(lambda: self.service(thing).remove(**options))[0]:
                removed()

    def look(self) -> None:
        """List a collection, or search it: what was acknowledged before must be there, once."""
        kind = self.dice.choice(["data_center", "cluster", "vm", "disk"])
        with self.ledger.looking(kind) as surely:
            found = [item.id for item in self.collection(kind).list(search=f"name={kind}*")]
            assert max(Counter(found).values(), default=1) == 1
            surely(set(found))

    def _vm(self) -> Any:
        thing = self.ledger.pick("vm", self.dice)
        return None if thing is None else self.service(thing)

    def attach(self) -> None:
        vm, disk = self._vm(), self.ledger.pick("disk", self.dice)
        if vm is not None and disk is not None:
            wanted = types.DiskAttachment(
                disk=types.Disk(id=disk.id), interface=types.DiskInterface.VIRTIO, bootable=False, active=True
            )
            self.ask(lambda: vm.disk_attachments_service().add(wanted))

    def detach(self) -> None:
        if (vm := self._vm()) is not None:
            for attachment in vm.disk_attachments_service().list():
                self.ask(vm.disk_attachments_service().attachment_service(attachment.id).remove)

    def start(self) -> None:
        if (vm := self._vm()) is not None:
            self.ask(vm.start)

    def stop(self) -> None:
        if (vm := self._vm()) is not None:
            self.ask(self.dice.choice([vm.stop, vm.stop, vm.shutdown, vm.reboot]))


@pytest.fixture
def lab(bench: Bench) -> Iterator[Lab]:
    made = Lab(bench)
    made.ready()
    for address, node in bench.nodes.items():
        bench.engine.core.nodes[address] = SlowNode(node)
    yield made
    made.close()


def test_clients_at_once(bench: Bench, lab: Lab) -> None:
    ledger = Ledger()
    clients = [Client(bench, ledger, number) for number in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(client.run) for client in clients]:
            done.result(timeout=600)
    disks = lab.system.disks_service()
    wait(disks.list, lambda seen: all(disk.status != types.DiskStatus.LOCKED for disk in seen))
    for kind in ("data_center", "cluster", "vm", "disk"):
        ledger.check(kind, getattr(lab.system, f"{kind}s_service")().list(search=f"name={kind}*"))
    _check_running(bench, lab)
    _check_attachments(lab)


def _check_running(bench: Bench, lab: Lab) -> None:
    """What the engine shows as running runs on one host, and nothing else does."""
    running = Counter(
        vm for node in bench.nodes.values() for vm in node.stats if node.stats[vm].status == "Up"
    )
    shown = wait(
        lambda: {vm.id: vm.status for vm in lab.system.vms_service().list()},
        lambda seen: set(seen.values()) <= {types.VmStatus.UP, types.VmStatus.DOWN},
    )
    assert running == Counter(id_ for id_, status in shown.items() if status == types.VmStatus.UP)


def _check_attachments(lab: Lab) -> None:
    """No disk that is gone is attached, and none twice."""
    vms = lab.system.vms_service()
    attached = Counter(
        item.id for vm in vms.list() for item in vms.vm_service(vm.id).disk_attachments_service().list()
    )
    assert max(attached.values(), default=1) == 1
    assert set(attached) <= {disk.id for disk in lab.system.disks_service().list()}
