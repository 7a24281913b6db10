"""What the lab does not do: every such exchange must be answered 501 with its name, and is counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lab.contract.model import Exchange, Topic, Watch


@dataclass(frozen=True)
class Outside:
    """Operations the lab leaves out: method, path below /ovirt-engine/api, and why."""

    method: str
    path: str
    why: str


TOPICS = {"static-09-users-permissions": "permissions and users beyond login"}
"""Whole topics that are not replayed."""

TABLE: tuple[Outside, ...] = (
    Outside(".*", r"/(users|groups|domains|roles|permissions)(/.*)?", "permissions and users beyond login"),
    Outside(".*", r"/.*/permissions(/.*)?", "permissions and users beyond login"),
    Outside(".*", r"/.*tags(/.*)?", "tags"),
    Outside(".*", r"/instancetypes(/.*)?", "instance types"),
    Outside(".*", r"/vms/[^/]+/(graphicsconsoles|ticket)(/.*)?", "consoles"),
    Outside("POST|PUT|DELETE", r"/templates(/.*)?", "templates beyond Blank"),
    Outside(".*", r"/vms/[^/]+/snapshots(/.*)?", "snapshots"),
)

WATCHES = {
    "10-vm-nfs/snapshot": "snapshots",
    "10-vm-nfs/template": "templates beyond Blank",
}
"""Objects the lab does not have: TOPIC/WATCH."""

SPANS: dict[str, tuple[tuple[float, float], ...]] = {"10-vm-nfs": ((99.85, 111.2), (124.2, 141.38))}
"""Seconds of a topic in which what is left out (a snapshot, a template) made states of other objects."""


def states(topic: Topic, watch: Watch) -> tuple[tuple[float, str], ...]:
    """Return the states of a watched object, but those that something out of scope made."""
    if f"{topic.name}/{watch.name}" in WATCHES:
        return ()
    spans = SPANS.get(topic.name, ())
    return tuple(state for state in watch.states if not any(a <= state[0] <= b for a, b in spans))


def outside(exchange: Exchange) -> str | None:
    """Return why an exchange is out of scope, None where it is not."""
    path = exchange.path.split("?")[0]
    if not path.startswith("/ovirt-engine/api"):
        return None
    path = path.removeprefix("/ovirt-engine/api").removeprefix("/v4")
    kinds = exchange.headers.get("Accept", ""), exchange.headers.get("Content-Type", "")
    if exchange.status not in (401, 404) and any(kind.startswith("application/json") for kind in kinds):
        return "JSON bodies"
    for row in TABLE:
        if re.fullmatch(row.method, exchange.method) and re.fullmatch(row.path, path):
            return row.why
    return None
