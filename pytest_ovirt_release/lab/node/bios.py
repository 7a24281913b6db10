"""BIOS services in Python, for the processor emulator: what a boot program may ask of an old PC.

Covers INT 10h (teletype), 11h, 12h, 13h (disk), 14h (serial), 15h (wait, APM), 16h (no key), 18h/19h and 1Ah
(ticks), and COM1 by port. It knows nothing of any particular boot program. No hardware interrupt ever reaches
the guest: a program that installs its own timer handler does not get called.
"""

# ruff: noqa: PLR2004 - numbers of interrupts and functions are their names in every BIOS manual

from __future__ import annotations

import datetime as dt
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

SECTOR = 512
TICKS_PER_SECOND = 1_193_182 / 65_536
_DRIVE = 0x80
_HEADS, _SECTORS = 16, 63
_EQUIPMENT, _MEMORY_KIB = 0x0200, 639
_COM1 = 0x3F8
_LINE_STATUS = _COM1 + 5
_TRANSMITTER_EMPTY = 0x60
_INVALID, _NOT_READY, _UNSUPPORTED = 0x01, 0x04, 0x86


class Cpu(Protocol):
    """What the services need of the processor: registers by name, memory by linear address, two flags."""

    def get(self, register: str) -> int:
        """Return a register."""

    def set(self, register: str, value: int) -> None:
        """Set a register."""

    def read(self, address: int, size: int) -> bytes:
        """Return memory."""

    def write(self, address: int, data: bytes) -> None:
        """Change memory."""

    def flag(self, *, carry: bool | None = None, zero: bool | None = None) -> None:
        """Set the flags that are not None."""


class PowerOff(Exception):  # noqa: N818 - an event of the guest, not an error
    """The guest switched the machine off."""


class NothingBootable(Exception):  # noqa: N818 - an event of the guest, not an error
    """The boot program gave up, or there never was one."""


@dataclass
class Bios:
    """The services of one machine: its boot disk (opened for reading and writing) and its serial port."""

    cpu: Cpu
    disk: BinaryIO
    serial: BinaryIO

    def interrupt(self, number: int) -> None:
        """Serve a software interrupt; an unknown one returns carry and AH = 86h."""
        function = self.cpu.get("ax") >> 8
        match number:
            case 0x10:
                self._video(function)
            case 0x11:
                self.cpu.set("ax", _EQUIPMENT)
            case 0x12:
                self.cpu.set("ax", _MEMORY_KIB)
            case 0x13:
                self._result(self._disk(function))
            case 0x14:
                self._port(function)
            case 0x15:
                self._system(function)
            case 0x16:
                self.cpu.flag(zero=True)
            case 0x18 | 0x19:
                raise NothingBootable
            case _:
                self._clock(number, function)

    def port_read(self, port: int) -> int:
        """Return what a port says; ports without a device float high."""
        return _TRANSMITTER_EMPTY if port == _LINE_STATUS else 0xFF

    def port_write(self, port: int, value: int) -> None:
        """Take what is written to a port; only COM1's data register has an effect."""
        if port == _COM1:
            self._send(value & 0xFF)

    def _send(self, byte: int) -> None:
        self.serial.write(bytes([byte]))
        self.serial.flush()

    def _result(self, status: int) -> None:
        self.cpu.set("ah", status)
        self.cpu.flag(carry=status != 0)

    def _video(self, function: int) -> None:
        if function == 0x0E:
            self._send(self.cpu.get("al"))

    def _port(self, function: int) -> None:
        if function == 0x01:
            self._send(self.cpu.get("al"))
        self.cpu.set("ah", _TRANSMITTER_EMPTY)

    def _clock(self, number: int, function: int) -> None:
        if (number, function) != (0x1A, 0x00):
            self._result(_UNSUPPORTED)
            return
        now = dt.datetime.now().astimezone()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        ticks = int((now - midnight).total_seconds() * TICKS_PER_SECOND)
        self.cpu.set("cx", ticks >> 16)
        self.cpu.set("dx", ticks & 0xFFFF)
        self.cpu.set("al", 0)

    def _system(self, function: int) -> None:
        cpu = self.cpu
        if function == 0x86:
            microseconds = cpu.get("cx") << 16 | cpu.get("dx")
            threading.Event().wait(microseconds / 1e6)
            self._result(0)
        elif function == 0x53:
            self._apm(cpu.get("al"))
        else:
            self._result(_UNSUPPORTED)

    def _apm(self, function: int) -> None:
        cpu = self.cpu
        if function == 0x07 and cpu.get("bx") == 0x0001 and cpu.get("cx") == 0x0003:
            raise PowerOff
        if function == 0x00:
            cpu.set("ax", 0x0102)
            cpu.set("bx", int.from_bytes(b"PM", "big"))
            cpu.set("cx", 0x0003)
        cpu.flag(carry=False)

    def _disk(self, function: int) -> int:
        if self.cpu.get("dl") != _DRIVE:
            return _INVALID
        services: dict[int, Callable[[], int]] = {
            0x00: lambda: 0,
            0x01: lambda: 0,
            0x02: lambda: self._by_geometry(write=False),
            0x03: lambda: self._by_geometry(write=True),
            0x08: self._geometry,
            0x0D: lambda: 0,
            0x41: self._extensions,
            0x42: lambda: self._by_packet(write=False),
            0x43: lambda: self._by_packet(write=True),
        }
        return services.get(function, lambda: _INVALID)()

    def _extensions(self) -> int:
        if self.cpu.get("bx") != 0x55AA:
            return _INVALID
        self.cpu.set("bx", 0xAA55)
        self.cpu.set("cx", 0x0001)
        return 0

    def _by_geometry(self, *, write: bool) -> int:
        cpu = self.cpu
        cx = cpu.get("cx")
        cylinder, sector = cx >> 8 | (cx & 0xC0) << 2, cx & 0x3F
        if sector == 0:
            return _INVALID
        block = (cylinder * _HEADS + cpu.get("dh")) * _SECTORS + sector - 1
        return self._transfer(block, cpu.get("al"), cpu.get("es") * 16 + cpu.get("bx"), write=write)

    def _geometry(self) -> int:
        cylinders = min(self._blocks() // (_HEADS * _SECTORS) + 1, 1024) - 1
        self.cpu.set("cx", (cylinders & 0xFF) << 8 | (cylinders >> 2) & 0xC0 | _SECTORS)
        self.cpu.set("dx", (_HEADS - 1) << 8 | 1)
        return 0

    def _by_packet(self, *, write: bool) -> int:
        packet = self.cpu.get("ds") * 16 + self.cpu.get("si")
        size, count, offset, segment, block = struct.unpack("<BxHHHQ", self.cpu.read(packet, 16))
        if size < 16:
            return _INVALID
        return self._transfer(block, count, segment * 16 + offset, write=write)

    def _blocks(self) -> int:
        return self.disk.seek(0, 2) // SECTOR

    def _transfer(self, block: int, count: int, address: int, *, write: bool) -> int:
        if block + count > self._blocks():
            return _NOT_READY
        self.disk.seek(block * SECTOR)
        if write:
            self.disk.write(self.cpu.read(address, count * SECTOR))
            self.disk.flush()
        else:
            self.cpu.write(address, self.disk.read(count * SECTOR))
        return 0
