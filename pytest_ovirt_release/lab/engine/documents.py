"""Which elements the API's documents may have, and of which kind: one that does not fit is refused as a whole."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.fault import malformed

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.document import Body

ALWAYS = {"actions": "", "link": ""}
"""Of every document that was read before it is sent back."""

ENUMERATIONS = {
    "FirewallType": ("iptables", "firewalld"),
    "QuotaModeType": ("enabled", "disabled", "audit"),
    "StorageFormat": ("v1", "v2", "v3", "v4", "v5"),
    "SwitchType": ("legacy", "ovs"),
    "VmType": ("desktop", "server", "high_performance"),
}
"""Values in the order of the API's description; the operations that read other enumerations know those."""


def _read() -> dict[str, dict[str, str]]:
    table = (files(__package__) / "documents.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return {
        tag: ALWAYS | dict(element.partition(":")[::2] for element in elements.split())
        for tag, elements in rows
    }


ELEMENTS = _read()
"""Elements of each document by its own name and their kinds, as version 4 of the API has them (first level only)."""


def check(body: Body) -> None:
    """Return when all elements are known and hold what they can hold; the first that does not is told."""
    known = ELEMENTS.get(body.tag)
    if known is None:
        return
    for child in body.element:
        if child.tag not in known:
            raise malformed(body.usage)
        kind = known[child.tag]
        if kind == "boolean":
            body.flag(child.tag)
        elif kind == "number":
            body.number(child.tag)
        elif kind in ENUMERATIONS:
            body.one_of(child.tag, kind, ENUMERATIONS[kind])
