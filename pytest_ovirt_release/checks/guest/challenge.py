"""The challenge: what is uploaded before the guest runs, and the disk it is uploaded on."""

from __future__ import annotations

import math
import secrets
import struct
from dataclasses import dataclass
from importlib import resources

BLOCK = 512
"""Bytes of a sector."""

CHALLENGE_LBA, ANSWER_LBA = 1, 2
"""Blocks of the disk that the guest reads and writes."""

CHALLENGE_MAGIC = b"ovirt-challenge1"
ANSWER_MAGIC = b"ovirt-answer-001"
NO_ANSWER_MAGIC = b"ovirt-no-answer1"

TICKS_PER_SECOND = 1_193_182 / 65_536
"""Rate of the BIOS tick count: the PC's timer chip divided by 65,536."""

SMALLEST_IMAGE = (ANSWER_LBA + 1) * BLOCK
LONGEST_HOLD = 3600


@dataclass(frozen=True)
class Challenge:
    """One run's question: a random id (16 bytes), 32 random bytes and the hold time in BIOS ticks."""

    id: bytes
    nonce: bytes
    hold_ticks: int

    @classmethod
    def new(cls, hold_seconds: float) -> Challenge:
        """Make a fresh challenge whose guest stays alive for `hold_seconds` (0 to 3600) after it answered.

        Raises:
            ValueError: when the hold time is outside its limits.
        """
        if not 0 <= hold_seconds <= LONGEST_HOLD:
            raise ValueError(f"hold time {hold_seconds} s: 0 to {LONGEST_HOLD} s are possible")
        ticks = math.ceil(hold_seconds * TICKS_PER_SECOND)
        return cls(secrets.token_bytes(16), secrets.token_bytes(32), ticks)

    @property
    def hold_seconds(self) -> float:
        """Seconds the guest stays alive after it wrote its answer."""
        return self.hold_ticks / TICKS_PER_SECOND

    @property
    def block(self) -> bytes:
        """The 512 bytes of LBA 1, as boot.asm describes them."""
        head = CHALLENGE_MAGIC + self.id + self.nonce + struct.pack("<I", self.hold_ticks)
        return head.ljust(BLOCK, b"\0")

    @property
    def unanswered_block(self) -> bytes:
        """What is uploaded as LBA 2: neither zeros nor an answer, so that "untouched" can be told from "lost"."""
        return (NO_ANSWER_MAGIC + self.id).ljust(BLOCK, b"\0")


def boot_sector() -> bytes:
    """Return our 512-byte boot program, assembled from boot.asm."""
    return resources.files(__package__).joinpath("boot.bin").read_bytes()


def disk_image(challenge: Challenge, size: int = 1024 * 1024) -> bytes:
    """Return the raw disk to upload: boot sector, challenge, the unanswered block, zeros up to `size` bytes.

    Raises:
        ValueError: when `size` is below three sectors or not a multiple of a sector.
    """
    if size < SMALLEST_IMAGE or size % BLOCK:
        raise ValueError(
            f"disk of {size} bytes: a multiple of {BLOCK}, at least {SMALLEST_IMAGE}, is possible"
        )
    return (boot_sector() + challenge.block + challenge.unanswered_block).ljust(size, b"\0")
