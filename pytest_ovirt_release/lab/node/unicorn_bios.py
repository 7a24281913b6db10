"""Runs a boot sector on an emulated processor: the lab's hypervisor where QEMU is not installed.

    python -m pytest_ovirt_release.lab.node.unicorn_bios DISK SERIAL DEADLINE

Executes what the first sector of the raw file DISK holds, as a PC of the BIOS age would, and appends what it
sends to its serial port to the file SERIAL. Ends with 0 when the guest has powered itself off, with 3 after
DEADLINE seconds, with 1 when the processor met something that it cannot run. A disk without a boot signature
leaves the machine idle until the deadline, as a real one would.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pytest_ovirt_release.lab.node.bios import SECTOR, TICKS_PER_SECOND, Bios, NothingBootable, PowerOff

# Half of the emulator's Python side has types: taken as untyped as a whole.
unicorn: Any = importlib.import_module("unicorn")
x86_const: Any = importlib.import_module("unicorn.x86_const")

_MEMORY = 0x110000
_LOAD_AT = 0x7C00
_SIGNATURE = b"\x55\xaa"
_DRIVE = 0x80
_CARRY, _ZERO = 0x0001, 0x0040
_NEVER = 0xFFFFFFFF
_MICROSECONDS = 1_000_000
DEADLINE_PASSED = 3


class UnicornCpu:
    """The processor, as bios.Cpu wants it."""

    def __init__(self) -> None:
        """Make a processor in real mode with 1 MiB of memory and what lies above it."""
        self.uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_16)
        self.uc.mem_map(0, _MEMORY)

    def get(self, register: str) -> int:
        """Return a register."""
        return int(self.uc.reg_read(_number(register)))

    def set(self, register: str, value: int) -> None:
        """Set a register."""
        self.uc.reg_write(_number(register), value)

    def read(self, address: int, size: int) -> bytes:
        """Return memory."""
        return bytes(self.uc.mem_read(address, size))

    def write(self, address: int, data: bytes) -> None:
        """Change memory."""
        self.uc.mem_write(address, data)

    def flag(self, *, carry: bool | None = None, zero: bool | None = None) -> None:
        """Set the flags that are not None."""
        flags = self.get("eflags")
        for mask, value in ((_CARRY, carry), (_ZERO, zero)):
            if value is not None:
                flags = flags | mask if value else flags & ~mask
        self.set("eflags", flags)


def _number(register: str) -> int:
    return int(getattr(x86_const, f"UC_X86_REG_{register.upper()}"))


class Machine:
    """One machine: runs until the guest powers off, gives up, or the deadline has passed."""

    def __init__(self, bios: Bios, cpu: UnicornCpu) -> None:
        """Wire the services to the processor; what they raise is kept until the processor has stopped."""
        self._cpu = cpu
        self._bios = bios
        self._raised: BaseException | None = None
        uc = cpu.uc
        uc.hook_add(unicorn.UC_HOOK_INTR, self._interrupt)
        uc.hook_add(unicorn.UC_HOOK_INSN, self._in, None, 1, 0, x86_const.UC_X86_INS_IN)
        uc.hook_add(unicorn.UC_HOOK_INSN, self._out, None, 1, 0, x86_const.UC_X86_INS_OUT)

    def boot(self, sector: bytes) -> None:
        """Put the boot sector where the BIOS puts it; NothingBootable when it has no signature."""
        if sector[SECTOR - 2 :] != _SIGNATURE:
            raise NothingBootable
        self._cpu.write(_LOAD_AT, sector)
        self._cpu.set("sp", _LOAD_AT)
        self._cpu.set("dl", _DRIVE)
        self._cpu.set("ip", _LOAD_AT)

    def run(self, until: float) -> None:
        """Execute until the monotonic time `until`; between interrupts (HLT) the machine sleeps for a tick."""
        while (left := until - time.monotonic()) > 0:
            cpu = self._cpu
            begin = cpu.get("cs") * 16 + cpu.get("ip")
            cpu.uc.emu_start(begin, _NEVER, timeout=max(1, int(left * _MICROSECONDS)))
            if self._raised is not None:
                raise self._raised
            threading.Event().wait(min(left, 1 / TICKS_PER_SECOND))

    def _interrupt(self, _uc: object, number: int, _data: object) -> None:
        try:
            self._bios.interrupt(number)
        except Exception as error:  # noqa: BLE001 - an exception must not pass through the C code of the emulator
            self._raised = error
            self._cpu.uc.emu_stop()

    def _in(self, _uc: object, port: int, _size: int, _data: object) -> int:
        return self._bios.port_read(port)

    def _out(self, _uc: object, port: int, _size: int, value: int, _data: object) -> None:
        self._bios.port_write(port, value)


def execute(disk: Path, serial: Path, deadline: float) -> int:
    """Run the disk's boot sector for at most `deadline` seconds; return the exit code."""
    until = time.monotonic() + deadline
    with disk.open("r+b") as image, serial.open("ab") as port:
        cpu = UnicornCpu()
        machine = Machine(Bios(cpu, image, port), cpu)
        try:
            machine.boot(image.read(SECTOR))
            machine.run(until)
        except PowerOff:
            return 0
        except NothingBootable:
            threading.Event().wait(max(0.0, until - time.monotonic()))
        except unicorn.UcError as error:
            sys.stderr.write(f"the processor stopped: {error}\n")
            return 1
    return DEADLINE_PASSED


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="run a boot sector on an emulated processor")
    parser.add_argument("disk", type=Path)
    parser.add_argument("serial", type=Path)
    parser.add_argument("deadline", type=float)
    options = parser.parse_args()
    sys.exit(execute(options.disk, options.serial, options.deadline))


if __name__ == "__main__":
    main()
