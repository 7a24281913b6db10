"""Proof of run: a VM that boots our guest from the storage under test, watched, read back and removed again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks import removal, transfer
from pytest_ovirt_release.checks.engine import EngineFault
from pytest_ovirt_release.checks.engine.vms import FIRMWARE
from pytest_ovirt_release.checks.guest import Challenge, disk_image, read_answer
from pytest_ovirt_release.checks.ledger import Entry
from pytest_ovirt_release.checks.logs import where_of_vm
from pytest_ovirt_release.checks.proof import GuestProof
from pytest_ovirt_release.checks.waiting import WaitFailed, wait_until
from pytest_ovirt_release.errors import CheckFailed, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_ovirt_release.checks.engine import Engine, Event, Vm
    from pytest_ovirt_release.checks.ledger import Ledger

MEMORY = 256 * 1024 * 1024
HOLD_SECONDS = 2.0
"""How long the guest lives on after its answer, so that it is seen running and on which host."""
EVENT_SECONDS = 10.0
"""How long the engine may take to log an end that it already shows."""
DOWN, DOWN_WITH_ERROR, START_FAILED = 61, 119, 54
NOT_YET = "down, not started yet"


@dataclass(frozen=True)
class Place:
    """Where the VM is to run: cluster, storage domain, and the one host it is pinned to (None: any)."""

    cluster_id: str
    domain_id: str
    host_id: str | None = None


class GuestRun:
    """One VM with one disk, made, run, read back and removed again."""

    def __init__(
        self, engine: Engine, ledger: Ledger, place: Place, *, name: str, cells: Sequence[str]
    ) -> None:
        """Take the parts of the run, the place, a short name for the objects and the cells they belong to."""
        self._engine = engine
        self._ledger = ledger
        self._place = place
        self._name = ledger.name(name)
        self._cells = tuple(cells)
        self._entries: list[Entry] = []
        self._seconds: dict[str, float] = {}
        self._clock = time.monotonic()

    def prove(self) -> GuestProof:
        """Do it all; what was made is removed again however it ends, unless the run was told to stop.

        Raises:
            CheckFailed: a step was refused or the engine changed the firmware. Unproven: no answer.
        """
        try:
            return self._prove()
        except EngineFault as fault:
            raise CheckFailed("engine-refused", str(fault)) from fault
        finally:
            # An interrupted worker has seconds to live: its controller removes what the ledger names.
            if not self._engine.flag.is_set():
                removal.remove_all(self._engine, self._ledger, self._entries)

    def _prove(self) -> GuestProof:
        challenge = Challenge.new(HOLD_SECONDS)
        image = disk_image(challenge)
        first_event = self._engine.events.last()
        disk_id = self._make_disk(len(image))
        transfer.upload(self._engine, disk_id, image)
        self._lap("disk uploaded")
        vm_id, firmware = self._make_vm(disk_id)
        hosts, states, still_up = self._run(vm_id, first_event)
        events = self._events(vm_id, first_event)
        self._lap("guest ran")
        found, _ = transfer.download(self._engine, disk_id, len(image))
        self._lap("disk read back")
        ends = [e for e in events if e.code in {DOWN, DOWN_WITH_ERROR, START_FAILED}]
        return GuestProof(
            vm_name=self._name,
            firmware=firmware,
            pinned_to=self._place.host_id,
            challenge=challenge.id.hex(),
            answer=read_answer(found, challenge, len(image)),
            hosts_seen=hosts,
            states=states,
            events=tuple(str(e) for e in events),
            end=ends[-1].text if ends else "",
            crashed=any(e.code in {DOWN_WITH_ERROR, START_FAILED} for e in ends),
            still_up=still_up,
            seconds=self._seconds,
            host_names={h.id: h.name for h in self._engine.hosts.list()},
        )

    def _make_disk(self, size: int) -> str:
        vms, place, comment = self._engine.vms, self._place, self._ledger.name("run")
        return self._create(
            "disk", lambda: vms.add_disk(self._name, comment, domain_id=place.domain_id, size=size)
        )

    def _make_vm(self, disk_id: str) -> tuple[str, str]:
        vms, place, comment = self._engine.vms, self._place, self._ledger.name("run")
        vm_id = self._create(
            "vm",
            lambda: vms.add(
                self._name, comment, cluster_id=place.cluster_id, memory=MEMORY, pinned_to=place.host_id
            ),
        )
        self._engine.vms.attach_disk(vm_id, disk_id)
        made = self._engine.vms.get(vm_id)
        if made is None or made.firmware != FIRMWARE:
            kept = "nothing" if made is None else made.firmware
            raise CheckFailed(
                "firmware-changed",
                f"VM {self._name} was made with bios.type {FIRMWARE}, the engine kept {kept}: a boot sector never "
                "runs on that",
            )
        self._lap("VM made")
        return vm_id, made.firmware

    def _run(self, vm_id: str, first_event: int) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """Start the VM and watch it until it is down; returns hosts, states, and whether it had to be stopped."""
        try:
            self._engine.vms.start(vm_id)
        except EngineFault as fault:
            raise CheckFailed("vm-start-refused", str(fault)) from fault
        hosts: list[str] = []

        def probe() -> tuple[str, Vm | None]:
            vm = self._engine.vms.get(vm_id)
            if vm is None:
                return "gone", None
            if vm.host_id is not None and vm.host_id not in hosts:
                hosts.append(vm.host_id)
            # For a moment after the start the VM is still shown as down.
            if vm.status == "down" and not hosts and not self._ended(vm_id, first_event):
                return NOT_YET, vm
            return vm.status, vm

        try:
            waited = wait_until(
                probe,
                what=f"VM {self._name} to power itself off",
                deadline=self._engine.deadlines.guest,
                wanted=("down",),
                failing=("gone",),
                events=lambda: self._said(vm_id, first_event),
                flag=self._engine.flag,
            )
        except WaitFailed as failed:
            if failed.terminal or failed.state == NOT_YET:
                raise CheckFailed("vm-never-ran", f"{failed}; {where_of_vm(self._name)}") from failed
            self._stop(vm_id)
            return tuple(hosts), tuple(map(str, failed.history)), True
        return tuple(hosts), tuple(map(str, waited.history)), False

    def _said(self, vm_id: str, first_event: int) -> list[str]:
        return [str(e) for e in self._engine.events.since(first_event) if e.vm_id == vm_id]

    def _ended(self, vm_id: str, first_event: int) -> bool:
        ends = {DOWN, DOWN_WITH_ERROR, START_FAILED}
        return any(e.vm_id == vm_id and e.code in ends for e in self._engine.events.since(first_event))

    def _stop(self, vm_id: str) -> None:
        """Pull the plug, so that the disk can be read all the same."""
        self._engine.vms.stop(vm_id)
        try:
            wait_until(
                lambda: (getattr(self._engine.vms.get(vm_id), "status", "gone"), None),
                what=f"VM {self._name} down after it was stopped",
                deadline=self._engine.deadlines.guest,
                wanted=("down", "gone"),
                events=self._engine.said,
                flag=self._engine.flag,
            )
        except WaitFailed as failed:
            raise Unproven(f"{failed}; {where_of_vm(self._name)}") from failed

    def _events(self, vm_id: str, first_event: int) -> list[Event]:
        """Return the VM's events, once the one that tells its end is there (or does not come)."""

        def probe() -> tuple[str, list[Event]]:
            events = [e for e in self._engine.events.since(first_event) if e.vm_id == vm_id]
            ended = any(e.code in {DOWN, DOWN_WITH_ERROR, START_FAILED} for e in events)
            return ("told" if ended else "not told"), events

        try:
            waited = wait_until(
                probe,
                what="the end's event",
                deadline=EVENT_SECONDS,
                wanted=("told",),
                flag=self._engine.flag,
            )
        except WaitFailed:
            return probe()[1]
        return waited.value

    def _create(self, what: str, add: Callable[[], str]) -> str:
        """Create one object through the ledger; what the engine refuses was never there."""
        domain_id = self._place.domain_id
        key = self._ledger.intent(what, self._name, cells=self._cells, domain_id=domain_id)
        self._entries.append(Entry(key, what, self._name, self._cells))
        try:
            object_id = add()
        except EngineFault:
            self._ledger.removed(key)
            del self._entries[-1]
            raise
        self._ledger.created(key, object_id)
        self._entries[-1] = Entry(key, what, self._name, self._cells, id=object_id)
        return object_id

    def _lap(self, step: str) -> None:
        now = time.monotonic()
        self._seconds[step], self._clock = now - self._clock, now
