"""What the lab and a real engine may differ in, one row each, with the reason; everything else must agree."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Ignored:
    """Lines of an answer that are not compared; `where` is a regular expression over the whole line."""

    where: str
    why: str


LONG_PAGE = "<long page>"
"""Of a page for people only the kind is compared: the lab's pages are its own."""

ANSWERS: tuple[Ignored, ...] = ()

VALUES: tuple[Ignored, ...] = (
    Ignored(
        r"(.*/)?(memory|max_scheduling_memory|total|free|used|available)", "sizes of the machine at hand"
    ),
    Ignored(r"\$\.access_token", "another one each time"),
    Ignored(r"\$\.exp", "a moment, in milliseconds"),
    Ignored(r"api/product_info/name", "the lab's name says that it is no engine"),
    Ignored(r"api/product_info/version/full_version", "recorded from a build between releases"),
    Ignored(r"host/certificate/(organization|subject)", "the organization is that of the CA at hand"),
    Ignored(
        r"vm/initialization/configuration/data",
        "nine kilobytes of the engine's own archive, the lab's is shorter",
    ),
    Ignored(r"vm/display/certificate/(content|organization|subject)", "the CA at hand"),
    Ignored(r"(nics/)?nic/mac/address", "the next free one of the pool: it depends on what came before"),
)
"""Elements that must be there, with any text."""

HEADERS: dict[str, str] = {}

EXCHANGES: dict[str, str] = {
    "static-01-health/006-welcome": "a browser gets the lab's own page, which says that this is no engine; other clients the recorded redirect",
    "static-01-health/012-apidoc": "four megabytes of documentation are no part of the lab",
    "10-vm-nfs/074-templates": "lists a template that was made, which is out of scope",
    "static-08-faults/045-post-xml-entity": "the lab reads no document with a DOCTYPE: whoever sends one is refused",
}
"""Whole exchanges, as TOPIC/EXCHANGE."""

EVENTS: dict[int, str] = {
    30: "the recorder's own sessions, which ended and began anew in the midst of a scenario",
    10802: "a lost first frame on the recorded engine's plain connection to its simulated hosts",
    980: "a data center of an earlier scenario, whose host had left it",
    506: "the same lost frame",
    31: "the same clients left",
    114: "another client tried wrong passwords while a scenario ran",
    13000: "another client asked for version 3 while a scenario ran",
}

STATES: dict[str, str] = {
    "detaching": "a local domain detaches in less than the 0.2 s between two looks",
    "unattached": "a local domain that is removed is so for less than 0.2 s",
}
"""States the lab may show between two recorded ones: `state` -> why (the recording looked every 0.2 s)."""


COLLECTION = re.compile(r"^[a-z_]+s/[a-z_]+/")
"""What a collection held is another engine's past; how each item is built is compared, and every object by itself."""


def normal(line: str) -> str | None:
    """Return the line as it is compared, None where it is not."""
    if any(re.fullmatch(row.where, line) for row in ANSWERS):
        return None
    path, equals, _ = line.partition("=")
    if equals and "@" not in path and COLLECTION.match(path):
        return None
    if equals and "@" not in path and any(re.fullmatch(row.where, path) for row in VALUES):
        return f"{path}=…"
    return line
