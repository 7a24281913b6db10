"""What stands on the disk is what runs: under QEMU and under the processor emulator, ours and any other."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_ovirt_release.checks.guest import BLOCK, Challenge, disk_image, read_answer
from pytest_ovirt_release.lab.node.hypervisor import (
    Bus,
    Ended,
    Execution,
    Guest,
    GuestDisk,
    HypervisorError,
    IdleExecution,
    choose,
)
from pytest_ovirt_release.lab.node.qemu import PROGRAM
from pytest_ovirt_release.lab.node.verbs import Firmware

OTHER = Path(__file__).with_name("other.asm")
HYPERVISORS = ("qemu", "unicorn")
DEADLINE = 60.0


@pytest.fixture(params=HYPERVISORS)
def hypervisor(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name == "qemu" and shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} is not installed")
    return name


def other_disk() -> bytes:
    return (OTHER.with_suffix(".bin").read_bytes() + bytes(range(256)) * 2).ljust(64 * BLOCK * 16, b"\0")


def other_answer(image: bytes) -> bytes:
    return bytes(255 - byte for byte in reversed(image[BLOCK : 2 * BLOCK]))


def a_guest(
    folder: Path, image: bytes, *, machine: str = "q35", bus: Bus = "virtio", firmware: Firmware = "bios"
) -> Guest:
    disk = folder / "disk, with a comma"
    disk.write_bytes(image)
    return Guest("a guest, ours", 64 << 20, firmware, machine, (GuestDisk(disk, bus, boots=True),), folder)


def run(hypervisor: str, guest: Guest) -> Ended:
    async def execute() -> Ended:
        execution = await choose(hypervisor).start(guest)
        try:
            return await asyncio.wait_for(execution.wait(), DEADLINE)
        finally:
            await execution.kill()

    return asyncio.run(execute())


@pytest.mark.parametrize("bus", ["virtio", "ide", "sata", "virtio_scsi"])
@pytest.mark.parametrize("machine", ["pc-i440fx-7.2", "pc-q35-rhel9.6.0"])
def test_the_guest_answers_on_qemu(tmp_path: Path, machine: str, bus: Bus) -> None:
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} is not installed")
    challenge = Challenge.new(0)
    guest = a_guest(tmp_path, disk_image(challenge), machine=machine, bus=bus)
    assert run("qemu", guest) == Ended(clean=True, message="User shut down from within the guest")
    answer = read_answer(guest.disks[0].path.read_bytes(), challenge)
    assert answer.proven, answer.sentence
    assert (tmp_path / "serial.log").read_text().strip() == "answered"


def test_the_guest_answers_on_the_emulated_processor(tmp_path: Path) -> None:
    challenge = Challenge.new(0.2)
    guest = a_guest(tmp_path, disk_image(challenge))
    assert run("unicorn", guest).clean
    answer = read_answer(guest.disks[0].path.read_bytes(), challenge)
    assert answer.proven, answer.sentence
    assert (tmp_path / "serial.log").read_text().strip() == "answered"


def test_another_program_gives_its_own_answer(tmp_path: Path, hypervisor: str) -> None:
    image = other_disk()
    guest = a_guest(tmp_path, image)
    assert run(hypervisor, guest).clean
    after = guest.disks[0].path.read_bytes()
    assert after[2 * BLOCK : 3 * BLOCK] == other_answer(image)
    assert (tmp_path / "serial.log").read_text() == "!"


def test_the_other_program_is_what_nasm_makes_of_its_source(tmp_path: Path) -> None:
    nasm = shutil.which("nasm")
    if nasm is None:
        pytest.skip("nasm is not installed: the committed other.bin cannot be compared with its source")
    made = tmp_path / "other.bin"
    subprocess.run([nasm, "-f", "bin", "-o", str(made), str(OTHER)], check=True, timeout=30)
    assert made.read_bytes() == OTHER.with_suffix(".bin").read_bytes()


def test_a_guest_without_a_challenge_writes_nothing_and_powers_off(tmp_path: Path, hypervisor: str) -> None:
    challenge = Challenge.new(0)
    image = disk_image(challenge)
    image = image[:BLOCK] + bytes(BLOCK) + image[2 * BLOCK :]
    guest = a_guest(tmp_path, image)
    assert run(hypervisor, guest).clean
    assert guest.disks[0].path.read_bytes() == image
    assert (tmp_path / "serial.log").read_text().strip() == "no challenge"


async def still_runs(execution: Execution, seconds: float) -> bool:
    waiting = asyncio.ensure_future(execution.wait())
    done, _ = await asyncio.wait((waiting,), timeout=seconds)
    await execution.kill()
    await waiting
    return not done


async def firmware_speaks(serial: Path) -> None:
    """Wait until the firmware has come up, which UEFI tells on the serial port."""
    async with asyncio.timeout(DEADLINE):
        while True:
            if (await asyncio.to_thread(serial.stat)).st_size:
                return
            await asyncio.sleep(0.1)


def test_with_uefi_nothing_of_the_disk_runs(tmp_path: Path, hypervisor: str) -> None:
    challenge = Challenge.new(0)
    image = disk_image(challenge)
    guest = a_guest(tmp_path, image, firmware="uefi")

    async def look() -> bool:
        execution = await choose(hypervisor).start(guest)
        if isinstance(execution, IdleExecution):
            return await still_runs(execution, 0.5)
        await firmware_speaks(tmp_path / "serial.log")
        return await still_runs(execution, 1.5)

    assert asyncio.run(look()), "a UEFI machine that finds nothing stays on"
    assert guest.disks[0].path.read_bytes() == image
    assert read_answer(image, challenge).outcome == "unchanged"


def test_a_disk_that_is_not_bootable_leaves_the_machine_on(tmp_path: Path, hypervisor: str) -> None:
    guest = a_guest(tmp_path, bytes(1 << 20))

    async def look() -> bool:
        return await still_runs(await choose(hypervisor).start(guest), 1.5)

    assert asyncio.run(look())


def test_a_guest_that_loops_forever_ends_when_the_plug_is_pulled(tmp_path: Path, hypervisor: str) -> None:
    loop = b"\xeb\xfe".ljust(510, b"\0") + b"\x55\xaa"
    guest = a_guest(tmp_path, loop.ljust(1 << 20, b"\0"))

    async def look() -> Ended:
        execution = await choose(hypervisor).start(guest)
        waiting = asyncio.ensure_future(execution.wait())
        await execution.press_power_button()
        await asyncio.wait((waiting,), timeout=0.5)
        assert not waiting.done(), "a guest without ACPI does not react to the power button"
        await execution.kill()
        return await waiting

    assert asyncio.run(look()).clean is False


def test_a_machine_that_cannot_start_says_why(tmp_path: Path) -> None:
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} is not installed")
    guest = a_guest(tmp_path, b"")
    guest.disks[0].path.unlink()
    with pytest.raises(HypervisorError, match=r"did not start: .*No such file"):
        run("qemu", guest)


def test_an_unknown_hypervisor_is_refused() -> None:
    with pytest.raises(HypervisorError, match="qemu and unicorn are possible"):
        choose("xen")
