"""Whether a host that came up stayed up, and is the machine that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.checks.engine import Event, Host

SET_UP = 13
LEFT_UP = frozenset({12, 127, 141, 154, 156, 517, 519})
"""Events of a host that stopped being up: 12 not responding, 517/519 and the version, network and CPU ones."""


def after_first_up(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events from the first one on that tells of a host being up; all of them when none does."""
    first = next((number for number, event in enumerate(events) if event.code == SET_UP), 0)
    return events[first:]


def same_machine(host: Host, own_ids: Sequence[str]) -> bool:
    """Return whether the engine's hardware id is one of the node's own; unknown ids contradict nothing."""
    return not host.uuid or not own_ids or host.uuid.casefold() in own_ids
