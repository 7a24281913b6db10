"""The guest's source, its answer function, and what a disk read back is called."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.checks import guest
from pytest_ovirt_release.checks.guest import BLOCK, Challenge, answer_block, disk_image, read_answer

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 4 * BLOCK


@pytest.fixture
def challenge() -> Challenge:
    return Challenge.new(2)


def with_answer(image: bytes, block: bytes) -> bytes:
    """Put a block where the guest writes its answer."""
    at = guest.ANSWER_LBA * BLOCK
    return image[:at] + block + image[at + BLOCK :]


def test_the_committed_program_is_what_nasm_makes_of_its_source(tmp_path: Path) -> None:
    nasm = shutil.which("nasm")
    if nasm is None:
        pytest.skip("nasm is not installed: the committed boot.bin cannot be compared with its source")
    with resources.as_file(resources.files(guest) / "boot.asm") as source:
        made = tmp_path / "boot.bin"
        subprocess.run([nasm, "-f", "bin", "-o", str(made), str(source)], check=True, timeout=30)
    assert made.read_bytes() == guest.boot_sector()


def test_the_program_is_one_bootable_sector_without_a_partition() -> None:
    sector = guest.boot_sector()
    assert len(sector) == BLOCK
    assert sector[510:] == b"\x55\xaa"
    assert not any(sector[446:510])


def test_two_challenges_are_never_the_same() -> None:
    first, second = Challenge.new(0), Challenge.new(0)
    assert first.id != second.id
    assert first.nonce != second.nonce
    assert len(first.nonce) * 8 >= 128


@pytest.mark.parametrize("hold", [-1, 3601])
def test_a_hold_time_outside_its_limits_is_refused(hold: float) -> None:
    with pytest.raises(ValueError, match="hold time"):
        Challenge.new(hold)


@pytest.mark.parametrize("size", [0, BLOCK * 2, BLOCK * 3 + 1])
def test_a_disk_that_cannot_hold_the_blocks_is_refused(challenge: Challenge, size: int) -> None:
    with pytest.raises(ValueError, match="disk of"):
        disk_image(challenge, size)


def test_the_disk_is_as_large_as_asked_and_hold_time_is_never_cut_short(challenge: Challenge) -> None:
    assert len(disk_image(challenge)) == 1024 * 1024
    assert challenge.hold_seconds >= 2


@given(bit=st.integers(0, BLOCK * 8 - 1))
def test_the_answer_depends_on_every_bit_of_the_challenge(bit: int) -> None:
    challenge = Challenge(b"i" * 16, b"n" * 32, 40)
    flipped = bytearray(challenge.block)
    flipped[bit // 8] ^= 1 << bit % 8
    before, after = guest.expected_answer(challenge.block), guest.expected_answer(bytes(flipped))
    differing = (int.from_bytes(before, "big") ^ int.from_bytes(after, "big")).bit_count()
    assert differing > 64, "one bit of the challenge changes about half of the answer's 256 bits"


@given(nonce=st.binary(min_size=32, max_size=32))
def test_the_answer_is_not_in_the_challenge(nonce: bytes) -> None:
    block = Challenge(b"i" * 16, nonce, 0).block
    assert guest.expected_answer(block) not in block


def test_the_right_answer_proves_the_run(challenge: Challenge) -> None:
    answer = read_answer(with_answer(disk_image(challenge, SIZE), answer_block(challenge)), challenge, SIZE)
    assert answer.outcome == "proven"
    assert answer.proven


MINE, OTHER = Challenge(b"mine" * 4, b"m" * 32, 40), Challenge(b"else" * 4, b"e" * 32, 40)
UPLOADED = disk_image(MINE, SIZE)
RIGHT = with_answer(UPLOADED, answer_block(MINE))


@pytest.mark.parametrize(
    ("image", "outcome", "says"),
    [
        pytest.param(UPLOADED, "unchanged", "as it was uploaded", id="unchanged"),
        pytest.param(
            with_answer(UPLOADED, bytes(BLOCK)), "zeros", "answer block .* only zeros", id="lost answer"
        ),
        pytest.param(bytes(SIZE), "zeros", "challenge and answer block .* only zeros", id="lost disk"),
        pytest.param(with_answer(UPLOADED, MINE.block), "echo", "echoed", id="copied block"),
        pytest.param(
            with_answer(UPLOADED, answer_block(MINE)[:32] + MINE.nonce + bytes(448)),
            "echo",
            "echoed",
            id="copied challenge",
        ),
        pytest.param(RIGHT[: 2 * BLOCK + 9], "truncated", "1033 of at least 2048", id="cut in the answer"),
        pytest.param(RIGHT[: 3 * BLOCK], "truncated", "1536 of at least 2048", id="cut behind the answer"),
        pytest.param(b"", "truncated", "0 of at least", id="nothing"),
        pytest.param(
            with_answer(UPLOADED, answer_block(OTHER)), "other-run", OTHER.id.hex(), id="other answer"
        ),
        pytest.param(
            with_answer(disk_image(OTHER, SIZE), answer_block(OTHER)),
            "other-run",
            OTHER.id.hex(),
            id="other disk",
        ),
        pytest.param(disk_image(OTHER, SIZE), "other-run", OTHER.id.hex(), id="other disk without answer"),
        pytest.param(with_answer(UPLOADED, b"x" * BLOCK), "wrong", "something else", id="noise"),
        pytest.param(
            with_answer(UPLOADED, answer_block(MINE)[:-1] + b"x"),
            "wrong",
            "something else",
            id="noise behind",
        ),
        pytest.param(
            RIGHT[: BLOCK + 40] + b"?" + RIGHT[BLOCK + 41 :], "wrong", "not the one", id="spoilt challenge"
        ),
    ],
)
def test_every_other_disk_is_told_apart(image: bytes, outcome: str, says: str) -> None:
    answer = read_answer(image, MINE, SIZE)
    assert answer.outcome == outcome
    assert not answer.proven
    assert re.search(says, answer.sentence)
