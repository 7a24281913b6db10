"""What one run of the guest left behind, and its judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.guest import Answer

FROM_WITHIN = "from within the guest"
"""Stands in the engine's event when a guest has powered itself off."""


@dataclass(frozen=True)
class GuestProof:
    """What one run of the guest left behind.

    `hosts_seen` are the ids of the hosts it was seen on, `host_names` their names; seconds are per step.
    """

    vm_name: str
    firmware: str
    pinned_to: str | None
    challenge: str
    answer: Answer
    hosts_seen: tuple[str, ...]
    states: tuple[str, ...]
    events: tuple[str, ...]
    end: str
    crashed: bool
    still_up: bool
    seconds: dict[str, float] = field(default_factory=dict)
    host_names: dict[str, str] = field(default_factory=dict)

    def named(self, host_id: str | None) -> str:
        """Return a host's name with its id, or the id alone."""
        name = self.host_names.get(host_id or "")
        return f"{name} ({host_id})" if name else str(host_id)

    @property
    def clean_exit(self) -> bool:
        """Whether the guest itself powered the VM off."""
        return not self.crashed and not self.still_up and FROM_WITHIN in self.end

    def as_evidence(self) -> dict[str, Any]:
        """Return plain values for the report, by name."""
        machine = {
            "vm": self.vm_name,
            "firmware": self.firmware,
            "pinned to host": self.named(self.pinned_to) if self.pinned_to else None,
            "seen on hosts": [self.named(host) for host in self.hosts_seen],
            "states": list(self.states),
            "end": self.end,
            "seconds": {step: round(seconds, 2) for step, seconds in self.seconds.items()},
        }
        return {
            "challenge": self.challenge,
            "answer": {"outcome": self.answer.outcome, "says": self.answer.sentence},
            "virtual machine": machine,
            "events": list(self.events),
        }


def judge(proof: GuestProof, *, on_host: str | None = None) -> None:
    """Raise CheckFailed unless the guest answered, ended cleanly, and ran where it had to (`on_host`: id)."""
    circumstances = (
        f"the VM's states were {', '.join(proof.states)}; it ended: {proof.end or 'without a word'}"
    )
    if not proof.answer.proven:
        raise CheckFailed(
            f"guest-{proof.answer.outcome}",
            f"nothing proves that the VM ran: {proof.answer.sentence}; {circumstances}",
        )
    if proof.still_up:
        raise CheckFailed(
            "guest-still-up", f"the guest answered but never powered the VM off; {circumstances}"
        )
    if not proof.clean_exit:
        raise CheckFailed(
            "no-clean-exit", f"the guest answered but the VM did not end cleanly; {circumstances}"
        )
    if not proof.hosts_seen:
        raise CheckFailed("never-seen-running", f"the VM was never seen on any host; {circumstances}")
    if on_host is not None and set(proof.hosts_seen) != {on_host}:
        seen = ", ".join(map(proof.named, proof.hosts_seen))
        raise CheckFailed(
            "wrong-host",
            f"the VM was pinned to host {proof.named(on_host)} but ran on {seen}; {circumstances}",
        )
