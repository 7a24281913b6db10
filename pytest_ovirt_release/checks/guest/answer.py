"""The answer: the guest's answer function once more in Python, and the verdict on a disk read back."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from pytest_ovirt_release.checks.guest.challenge import (
    ANSWER_LBA,
    ANSWER_MAGIC,
    BLOCK,
    CHALLENGE_LBA,
    CHALLENGE_MAGIC,
    SMALLEST_IMAGE,
    Challenge,
)

Outcome = Literal["proven", "unchanged", "zeros", "echo", "truncated", "other-run", "wrong"]

_WORD = 0xFFFF_FFFF
_START = (0x7269766F, 0x65722D74, 0x7361656C, 0x33302D65)
_ANSWER_WORDS = 8
_ID = slice(16, 32)
_ANSWER = slice(32, 64)


@dataclass(frozen=True)
class Answer:
    """What a disk read back says about the run; `found` is the block at LBA 2 (shorter when truncated)."""

    outcome: Outcome
    sentence: str
    found: bytes

    @property
    def proven(self) -> bool:
        """Whether our program ran on this disk and answered this challenge."""
        return self.outcome == "proven"


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


def _stir(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    for _ in range(4):
        for turn_d, turn_b in ((16, 12), (8, 7)):
            a = (a + b) & _WORD
            d = _rotate(d ^ a, turn_d)
            c = (c + d) & _WORD
            b = _rotate(b ^ c, turn_b)
    return a, b, c, d


def expected_answer(challenge_block: bytes) -> bytes:
    """Return the 32 bytes that the guest answers to a 512-byte challenge block; boot.asm explains the function."""
    a, b, c, d = _START
    for (word,) in struct.iter_unpack("<I", challenge_block):
        a, b, c, d = _stir(a ^ word, b, c, d)
    words = []
    for _ in range(_ANSWER_WORDS):
        a, b, c, d = _stir(a, b, c, d)
        words.append(a)
    return struct.pack("<8I", *words)


def answer_block(challenge: Challenge) -> bytes:
    """Return the whole 512-byte block that the guest leaves at LBA 2 for this challenge."""
    return (ANSWER_MAGIC + challenge.id + expected_answer(challenge.block)).ljust(BLOCK, b"\0")


def read_answer(image: bytes, challenge: Challenge, size: int | None = None) -> Answer:
    """Judge a disk that was read back after the run.

    Args:
        image: the disk's bytes from its beginning; the first three sectors are looked at.
        challenge: what was uploaded.
        size: bytes that were uploaded, if the whole disk was read back: a shorter one is *truncated*.

    Returns:
        The outcome and one sentence fit for a failure message. Everything but *proven* means that nobody has
        shown that our program ran on this disk in this run.
    """
    wanted = max(SMALLEST_IMAGE, size or 0)
    found = image[ANSWER_LBA * BLOCK : (ANSWER_LBA + 1) * BLOCK]
    if len(image) < wanted:
        text = f"the disk read back is truncated: {len(image)} of at least {wanted} bytes"
        return Answer("truncated", text, found)
    asked = image[CHALLENGE_LBA * BLOCK : (CHALLENGE_LBA + 1) * BLOCK]
    outcome, sentence = _judge(asked, found, challenge)
    return Answer(outcome, sentence, found)


def _judge(asked: bytes, found: bytes, challenge: Challenge) -> tuple[Outcome, str]:
    if asked == challenge.block and found == answer_block(challenge):
        return "proven", f"the guest answered challenge {challenge.id.hex()}"
    if not any(found):
        where = "the answer block" if any(asked) else "challenge and answer block"
        return "zeros", f"{where} of the disk read back hold only zeros: what was written there is lost"
    for block, magic in ((asked, CHALLENGE_MAGIC), (found, ANSWER_MAGIC)):
        if block.startswith(magic) and block[_ID] != challenge.id:
            return "other-run", (
                f"the disk read back belongs to another run: it carries challenge {block[_ID].hex()}, "
                f"uploaded was {challenge.id.hex()}"
            )
    if found == challenge.unanswered_block:
        return "unchanged", (
            "the answer block is as it was uploaded: nothing that ran on this disk wrote an answer, "
            "or its writes did not reach the storage"
        )
    return _not_the_answer(asked, found, challenge)


def _not_the_answer(asked: bytes, found: bytes, challenge: Challenge) -> tuple[Outcome, str]:
    if found == challenge.block or found[_ANSWER] == challenge.nonce:
        return (
            "echo",
            "the answer is the challenge itself, echoed: something copied it, our program did not run",
        )
    if asked != challenge.block:
        return "wrong", "the challenge block of the disk read back is not the one that was uploaded"
    return "wrong", (
        f"the answer block holds something else than the answer: {found[_ANSWER].hex()} "
        f"instead of {expected_answer(challenge.block).hex()}"
    )
