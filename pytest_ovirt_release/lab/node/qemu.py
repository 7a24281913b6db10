"""Executes VMs with QEMU, always by emulation (`-accel tcg`): /dev/kvm may exist and hang.

QEMU's machine protocol (QMP) goes over its standard input and output: no socket file, no port.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node.hypervisor import CLEAN_EXIT, LOST, Ended, HypervisorError, IdleExecution
from pytest_ovirt_release.lab.node.tied import tied

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.node.hypervisor import Bus, Execution, Guest

PROGRAM = "qemu-system-x86_64"

_OVMF = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
)
_DEVICES: dict[Bus, str] = {
    "virtio": "virtio-blk-pci",
    "virtio_scsi": "scsi-hd,bus=scsi.0",
    "sata": "ide-hd",
    "ide": "ide-hd",
}
_HANDSHAKE = 30.0
_MIB = 1024 * 1024


class Qemu:
    """QEMU, one process for each machine."""

    def __init__(self, program: str = PROGRAM) -> None:
        """Take the path of the program."""
        self._program = program

    async def start(self, guest: Guest) -> Execution:
        """Start the machine; HypervisorError with QEMU's own words when it ends before it answers."""
        firmware: list[str] = []
        if guest.firmware == "uefi":
            found = _ovmf()
            if found is None:
                return IdleExecution()
            firmware = _uefi(*found, guest.folder)
        argv = [self._program, *_machine(guest), *firmware, *_disks(guest)]
        log = guest.folder / "hypervisor.log"
        with log.open("ab") as errors:
            process = await subprocess.create_subprocess_exec(
                *tied(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        execution = _QemuExecution(process)
        try:
            await asyncio.wait_for(execution.greet(), _HANDSHAKE)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            await execution.kill()
            words = log.read_text(errors="replace").strip() or str(error)
            raise HypervisorError(f"{PROGRAM} did not start: {words}") from error
        return execution


def _machine(guest: Guest) -> list[str]:
    kind = "q35" if "q35" in guest.machine else "pc"
    return [
        *("-name", "guest=" + guest.name.replace(",", ",,")),
        *("-machine", kind, "-accel", "tcg", "-m", str(max(1, guest.memory // _MIB))),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-qmp", "stdio", "-serial", f"file:{_escaped(guest.folder / 'serial.log')}", "-boot", "strict=on"),
    ]


def _disks(guest: Guest) -> list[str]:
    argv: list[str] = []
    if any(disk.bus == "virtio_scsi" for disk in guest.disks):
        argv += ["-device", "virtio-scsi-pci,id=scsi"]
    if any(disk.bus == "sata" for disk in guest.disks):
        argv += ["-device", "ahci,id=sata"]
    order = sorted(guest.disks, key=lambda disk: not disk.boots)
    for number, disk in enumerate(order):
        device = f"{_DEVICES[disk.bus]},drive=disk{number}"
        if disk.bus == "sata":
            device += f",bus=sata.{number}"
        if disk.boots:
            device += f",bootindex={number + 1}"
        argv += [
            "-drive",
            f"file={_escaped(disk.path)},format=raw,if=none,id=disk{number}",
            "-device",
            device,
        ]
    return argv


def _ovmf() -> tuple[Path, Path] | None:
    for code, variables in _OVMF:
        if Path(code).exists() and Path(variables).exists():
            return Path(code), Path(variables)
    return None


def _uefi(code: Path, variables: Path, folder: Path) -> list[str]:
    own = folder / "nvram.fd"
    shutil.copyfile(variables, own)
    return [
        *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={_escaped(code)}"),
        *("-drive", f"if=pflash,format=raw,unit=1,file={_escaped(own)}"),
    ]


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")


class _QemuExecution:
    def __init__(self, process: subprocess.Process) -> None:
        self._process = process
        self._by_guest = False
        self._listener: asyncio.Task[None] | None = None

    async def greet(self) -> None:
        """Wait for QMP's greeting, answer it, and listen for events from then on."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        await self._process.stdout.readuntil(b"\n")
        self._send("qmp_capabilities")
        self._listener = asyncio.create_task(self._listen(self._process.stdout))

    async def _listen(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            message = json.loads(line)
            if message.get("event") == "SHUTDOWN":
                self._by_guest = bool(message["data"]["guest"])

    def _send(self, command: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        self._process.stdin.write(json.dumps({"execute": command}).encode() + b"\n")

    async def wait(self) -> Ended:
        code = await self._process.wait()
        await self._last_event()
        clean = code == 0 and self._by_guest
        return Ended(clean, CLEAN_EXIT if clean else LOST)

    async def press_power_button(self) -> None:
        if self._process.returncode is None:
            self._send("system_powerdown")

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._last_event()

    async def _last_event(self) -> None:
        if self._listener is not None:  # what QEMU said last may still be in the pipe
            await asyncio.wait((self._listener,))
