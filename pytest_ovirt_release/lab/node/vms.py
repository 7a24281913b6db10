"""The VMs of one node and their states, as vdsm reports them.

WaitForLaunch, then Powering up, then Up 60 s after the start whatever runs (a host without a guest agent knows
no better), then Down with exit code 0 when the guest has switched itself off, 1 when its process was lost. A VM
that is Down is kept until it is destroyed.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node.hypervisor import Guest, GuestDisk, HypervisorError
from pytest_ovirt_release.lab.node.verbs import VdsmError, VmStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.lab.clock import Clock
    from pytest_ovirt_release.lab.node.hypervisor import Execution, Hypervisor
    from pytest_ovirt_release.lab.node.verbs import VmDisk, VmSpec

LAUNCH_SECONDS = 0.5
UP_SECONDS = 60.0
SHUTDOWN_SECONDS = 30.0
NO_VM, VM_EXISTS = 1, 4
START_FAILED, QEMU_LOST, GUEST_SHUT_DOWN = 3, 2, 7
"""vdsm's numbers of why a VM is down."""


@dataclass(frozen=True)
class VmState:
    """A VM as the node sees it: `since` is the monotonic second of its start, the exit is that of one that is Down."""

    name: str
    since: float
    status: VmStatus = "WaitForLaunch"
    exit_code: int = 0
    exit_reason: int = 0
    exit_message: str = ""

    def down(self, code: int, reason: int, message: str) -> VmState:
        """Return the state after its end."""
        return replace(self, status="Down", exit_code=code, exit_reason=reason, exit_message=message)


@dataclass
class _Vm:
    state: VmState
    spec: VmSpec
    execution: Execution | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def enter(self, status: VmStatus, only_from: tuple[VmStatus, ...]) -> None:
        if self.state.status in only_from:
            self.state = replace(self.state, status=status)

    def follow(self, task: asyncio.Task[None]) -> None:
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Vms:
    """All VMs of a node. `disk_path` finds a disk's file; `folder` holds a scratch folder for each VM."""

    def __init__(
        self, hypervisor: Hypervisor, clock: Clock, folder: Path, disk_path: Callable[[VmDisk], Path]
    ) -> None:
        """Take the hypervisor and the places."""
        self._hypervisor = hypervisor
        self._clock = clock
        self._folder = folder
        self._disk_path = disk_path
        self._vms: dict[str, _Vm] = {}

    async def create(self, spec: VmSpec) -> None:
        """Start a VM; what keeps it from starting is told by its stats, as a host does."""
        if spec.id in self._vms:
            raise VdsmError(VM_EXISTS, "Virtual machine already exists")
        vm = self._vms[spec.id] = _Vm(VmState(spec.name, time.monotonic()), spec)
        if spec.kernel:
            text = f"the lab's hosts boot from disks only, not {spec.kernel}"
            vm.state = vm.state.down(1, START_FAILED, text)
        elif spec.paused:
            vm.state = replace(vm.state, status="Paused")
        else:
            await self._launch(vm)

    async def _launch(self, vm: _Vm) -> None:
        spec = vm.spec
        try:
            vm.execution = await self._hypervisor.start(self._guest(spec))
        except (HypervisorError, VdsmError) as error:
            vm.state = vm.state.down(1, START_FAILED, str(error))
            return
        if self._vms.get(spec.id) is not vm:  # destroyed while it was being launched
            await vm.execution.kill()
            return
        vm.follow(asyncio.create_task(self._power_up(vm)))
        vm.follow(asyncio.create_task(self._watch(vm, vm.execution)))

    def state(self, vm_id: str) -> VmState:
        """Return a VM's state; VdsmError 1 when there is no such VM."""
        return self._vm(vm_id).state

    def states(self) -> dict[str, VmState]:
        """Return the states of all VMs."""
        return {vm_id: vm.state for vm_id, vm in self._vms.items()}

    async def shutdown(self, vm_id: str) -> None:
        """Press the power button; after 30 s without an effect the VM counts as Up again."""
        vm = self._vm(vm_id)
        if vm.execution is None or vm.state.status == "Down":
            return
        vm.enter("Powering down", ("WaitForLaunch", "Powering up", "Up"))
        await vm.execution.press_power_button()
        vm.follow(asyncio.create_task(self._forget_shutdown(vm)))

    async def reboot(self, vm_id: str) -> None:
        """Begin again with what the VM was created with."""
        before = self._vm(vm_id)
        if before.execution is None or before.state.status == "Down":
            return
        vm = self._vms[vm_id] = _Vm(replace(before.state, status="RebootInProgress"), before.spec)
        await self._end(before)
        await self._launch(vm)

    async def destroy(self, vm_id: str) -> None:
        """End a VM at once and forget it."""
        vm = self._vm(vm_id)
        del self._vms[vm_id]
        await self._end(vm)

    async def _end(self, vm: _Vm) -> None:
        for task in vm.tasks:
            task.cancel()
        await asyncio.gather(*vm.tasks, return_exceptions=True)
        if vm.execution is not None:
            await vm.execution.kill()

    async def stop(self) -> None:
        """Destroy all VMs."""
        for vm_id in tuple(self._vms):
            await self.destroy(vm_id)

    def _vm(self, vm_id: str) -> _Vm:
        if vm_id not in self._vms:
            raise VdsmError(NO_VM, "Virtual machine does not exist")
        return self._vms[vm_id]

    def _guest(self, spec: VmSpec) -> Guest:
        folder = self._folder / spec.id
        folder.mkdir(parents=True, exist_ok=True)
        from_disk = "hd" in spec.boot
        disks = tuple(
            GuestDisk(self._disk_path(disk), disk.bus, boots=from_disk and disk.bootable)
            for disk in spec.disks
        )
        return Guest(spec.name, spec.memory, spec.firmware, spec.machine, disks, folder)

    async def _power_up(self, vm: _Vm) -> None:
        await self._clock.sleep(LAUNCH_SECONDS)
        vm.enter("Powering up", ("WaitForLaunch", "RebootInProgress"))
        await self._clock.sleep(UP_SECONDS - LAUNCH_SECONDS)
        vm.enter("Up", ("Powering up",))

    async def _forget_shutdown(self, vm: _Vm) -> None:
        await self._clock.sleep(SHUTDOWN_SECONDS)
        vm.enter("Up", ("Powering down",))

    async def _watch(self, vm: _Vm, execution: Execution) -> None:
        ended = await execution.wait()
        reason = GUEST_SHUT_DOWN if ended.clean else QEMU_LOST
        vm.state = vm.state.down(0 if ended.clean else 1, reason, ended.message)
