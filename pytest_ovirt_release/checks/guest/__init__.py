"""Proof of run: a 512-byte guest, the challenge it is given, and the judgement of its answer.

    challenge = Challenge.new(hold_seconds=5)
    upload(disk_image(challenge))          # boot a VM from it, wait until it has powered itself off
    answer = read_answer(download(), challenge)
    assert answer.proven, answer.sentence

`boot.asm` is the program's source, `boot.bin` what nasm makes of it.
"""

from pytest_ovirt_release.checks.guest.answer import (
    Answer,
    Outcome,
    answer_block,
    expected_answer,
    read_answer,
)
from pytest_ovirt_release.checks.guest.challenge import (
    ANSWER_LBA,
    BLOCK,
    CHALLENGE_LBA,
    TICKS_PER_SECOND,
    Challenge,
    boot_sector,
    disk_image,
)

__all__ = [
    "ANSWER_LBA",
    "BLOCK",
    "CHALLENGE_LBA",
    "TICKS_PER_SECOND",
    "Answer",
    "Challenge",
    "Outcome",
    "answer_block",
    "boot_sector",
    "disk_image",
    "expected_answer",
    "read_answer",
]
