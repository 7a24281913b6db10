"""What executes VMs: QEMU where it is installed, else a processor emulator; chosen once, when a node starts.

A hypervisor gets raw disk files and executes what is on them. It never looks into them.

Firmware `uefi`: a boot sector is legacy code, and UEFI does not run it. QEMU with OVMF present boots that
firmware for real, which finds nothing and stays in its menu. Without OVMF, and under the processor emulator
(which has no UEFI), the machine is an `IdleExecution`: it is on, and executes nothing of the disk. To somebody
outside both look the same.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pytest_ovirt_release.lab.node.tied import tied

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.lab.clock import Clock
    from pytest_ovirt_release.lab.node.verbs import Firmware

Bus = Literal["virtio", "sata", "ide", "virtio_scsi"]

CHOICE = "RELEASE_LAB_HYPERVISOR"
"""Environment variable that overrides the choice: `qemu` or `unicorn`."""

CLEAN_EXIT = "User shut down from within the guest"
LOST = "Lost connection with qemu process"
LONGEST_RUN = 3600.0
"""Seconds after which the processor emulator gives a VM up."""


class HypervisorError(Exception):
    """The machine could not be started, or no hypervisor of that name is here."""


@dataclass(frozen=True)
class GuestDisk:
    """A raw disk file and the bus the guest sees it on; `boots` when the machine may boot from it."""

    path: Path
    bus: Bus
    boots: bool


@dataclass(frozen=True)
class Guest:
    """A machine to start: memory in bytes, `machine` a type name that contains q35 or not, a scratch folder."""

    name: str
    memory: int
    firmware: Firmware
    machine: str
    disks: tuple[GuestDisk, ...]
    folder: Path


@dataclass(frozen=True)
class Ended:
    """How an execution ended."""

    clean: bool
    message: str


class Execution(Protocol):
    """A machine that runs."""

    async def wait(self) -> Ended:
        """Wait until it has ended, by the guest or by `kill`."""

    async def press_power_button(self) -> None:
        """Send the ACPI power button; a guest without ACPI does not react."""

    async def kill(self) -> None:
        """Pull the plug; returns when nothing of it is left."""


class Hypervisor(Protocol):
    """Starts machines."""

    async def start(self, guest: Guest) -> Execution:
        """Start the machine; HypervisorError when it cannot be started."""


def choose(environment: str | None = None) -> Hypervisor:
    """Return QEMU when it is installed, else the processor emulator; RELEASE_LAB_HYPERVISOR overrides."""
    from pytest_ovirt_release.lab.node.qemu import PROGRAM, Qemu  # noqa: PLC0415 - it builds on this module

    wanted = environment or os.environ.get(CHOICE)
    if wanted not in {None, "", "qemu", "unicorn"}:
        raise HypervisorError(f"{CHOICE}={wanted}: qemu and unicorn are possible")
    found = shutil.which(PROGRAM)
    if wanted == "qemu" and found is None:
        raise HypervisorError(f"{CHOICE}=qemu, but {PROGRAM} is not installed")
    return Qemu(found) if found and wanted != "unicorn" else Unicorn()


class IdleExecution:
    """A machine that is on and executes nothing; only the plug ends it."""

    def __init__(self) -> None:
        """Be on."""
        self._killed = asyncio.Event()

    async def wait(self) -> Ended:
        """Wait for the plug to be pulled."""
        await self._killed.wait()
        return Ended(clean=False, message=LOST)

    async def press_power_button(self) -> None:
        """Nobody is there to notice."""

    async def kill(self) -> None:
        """Pull the plug."""
        self._killed.set()


class NeverExecutes:
    """The fault `guest-never-executes`: machines that look well, end well, and never ran an instruction."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock that says when such a machine ends."""
        self._clock = clock

    async def start(self, guest: Guest) -> Execution:
        """Start nothing, under any guest's name."""
        del guest
        return _PretendedExecution(self._clock)


class _PretendedExecution(IdleExecution):
    _SECONDS = 90.0  # long enough to be seen as Up

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    async def wait(self) -> Ended:
        ending = asyncio.ensure_future(self._clock.sleep(self._SECONDS))
        killed = asyncio.ensure_future(self._killed.wait())
        try:
            await asyncio.wait((ending, killed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            killed.cancel()
        return Ended(clean=not self._killed.is_set(), message=CLEAN_EXIT)


class Unicorn:
    """The processor emulator, one process for each machine."""

    async def start(self, guest: Guest) -> Execution:
        """Start the first bootable disk; without one, or with UEFI, the machine stays idle."""
        disk = next((disk for disk in guest.disks if disk.boots), None)
        if disk is None or guest.firmware == "uefi":
            return IdleExecution()
        module = "pytest_ovirt_release.lab.node.unicorn_bios"
        paths = [str(disk.path), str(guest.folder / "serial.log")]
        argv = [sys.executable, "-m", module, *paths, str(LONGEST_RUN)]
        with (guest.folder / "hypervisor.log").open("ab") as log:
            process = await subprocess.create_subprocess_exec(
                *tied(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return _UnicornExecution(process)


class _UnicornExecution:
    def __init__(self, process: subprocess.Process) -> None:
        self._process = process

    async def wait(self) -> Ended:
        clean = await self._process.wait() == 0
        return Ended(clean, CLEAN_EXIT if clean else LOST)

    async def press_power_button(self) -> None:
        """A machine of the BIOS age has no such button."""

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
