"""What the lab and a real engine may differ in, one row each, with the reason; everything else must agree."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Ignored:
    """What is not compared: `where` is a regular expression over a whole path, or over the text of an event."""

    where: str
    why: str


LONG_PAGE = "<long page>"
"""Of a page for people only the kind is compared: the lab's pages are its own."""

VALUES: tuple[Ignored, ...] = (
    Ignored(
        r"(.*/)?(memory|max_scheduling_memory|total|free|used|available)", "sizes of the machine at hand"
    ),
    Ignored(r"\$\.access_token", "another one each time"),
    Ignored(r"\$\.exp", "a moment, in milliseconds"),
    Ignored(r"api/product_info/name", "the lab's name says that it is no engine"),
    Ignored(r"api/product_info/version/full_version", "recorded from a build between releases"),
    Ignored(
        r"vm/initialization/configuration/data",
        "nine kilobytes of the engine's own archive, the lab's is shorter",
    ),
    Ignored(r"vm/display/certificate/content", "the CA at hand"),
    Ignored(r"(nics/)?nic/mac/address", "the next free one of the pool: it depends on what came before"),
    Ignored(r"(.*/)?summary/(active|migrating)", "the simulated hosts always told that they run no VM"),
    Ignored(r"(.*/)?certificate/(organization|subject)", "the lab's certificates name the lab"),
    Ignored(r"(.*/)?ssh/(fingerprint|public_key)", "every host has a key of its own"),
)
"""Elements that must be there, with any text."""

EXCHANGES: dict[str, str] = {
    "static-01-health/006-welcome": "a browser gets the lab's own page, which says that this is no engine; other clients the recorded redirect",
    "static-01-health/012-apidoc": "four megabytes of documentation are no part of the lab",
    "10-vm-nfs/074-templates": "lists a template that was made, which is out of scope",
    "01-add-host/037-job": "the oldest job of the recorded engine was another scenario's",
    "02-register-approve/019-host-up": "a race of the engine: `up` was stored, the capabilities were not yet",
    "static-08-faults/045-post-xml-entity": "the lab reads no document with a DOCTYPE: whoever sends one is refused",
}
"""Whole exchanges, as TOPIC/EXCHANGE."""

EVENTS: dict[int, str] = {
    835: "besides the first host of a cluster, the engine said so after some returns and not after others alike",
    10802: "a lost first frame on the recorded engine's plain connection to its simulated hosts",
    980: "a data center of an earlier scenario, whose host had left it",
    506: "the same lost frame",
    114: "another client tried wrong passwords while a scenario ran",
    **dict.fromkeys((45, 68), "snapshots are out of scope"),
    **dict.fromkeys((48, 50, 51, 251), "templates beyond Blank are out of scope"),
    164: "consoles are out of scope",
}

EVENT_TEXTS: tuple[Ignored, ...] = (
    Ignored(
        r"Installing Host \S+\. Fetch vdsm id\.", "a task that the simulated play got between two recordings"
    ),
    Ignored(
        r"User \S+ connect(ing|ed) from .*", "logins of the recorder's pollers and of a client beside it"
    ),
    Ignored(r'Client from address "127.0.0.1" is using version 3 .*', "the client beside the recorder"),
    Ignored(r"Failed to run VM <UNKNOWN> .*", "the client beside the recorder"),
)
"""Events of which a text tells that they are not the scenario's."""

LATE: dict[int, str] = {53: "comes by the engine's clock, while the requests of a replay follow more quickly"}
"""Events that must be there, at any place."""

STATES: dict[str, str] = {
    "detaching": "a local domain detaches in less than the 0.2 s between two looks",
    "unattached": "a local domain that is removed is so for less than 0.2 s",
}
"""States the lab may show between two recorded ones: `state` -> why (the recording looked every 0.2 s)."""


def same_event(code: int, text: str) -> bool:
    """Return whether an event is compared."""
    return code not in EVENTS and not any(re.fullmatch(row.where, text) for row in EVENT_TEXTS)


COLLECTION = re.compile(r"^[a-z_]+s/[a-z_]+/")
"""What a collection held is another engine's past; how each item is built is compared, and every object by itself."""


def normal(line: str) -> str | None:
    """Return the line as it is compared, None where it is not."""
    path, equals, _ = line.partition("=")
    if equals and "@" not in path and COLLECTION.match(path):
        return None
    if equals and "@" not in path and any(re.fullmatch(row.where, path) for row in VALUES):
        return f"{path}=…"
    return line
