"""The waiver file of the example of a merge: not all of it holds."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pytest_ovirt_release.release.waivers import Waiver
from tests.unit.report.example_beside import sha

if TYPE_CHECKING:
    from collections.abc import Iterator

CANDIDATE = sha("candidate")


def waivers() -> Iterator[Waiver]:
    """Yield the waivers of the example: two that are used, and one for every other way it can go."""
    yield _waiver(
        "nfs-on-robins-machine",
        ("vm-on-nfs",),
        "The NFS server of Robin's machine lost its disk that afternoon; the same test passed on Kim's.",
        accepts="disproven",
        expires=date(2026, 12, 31),
    )
    yield _waiver(
        "hardware-late",
        ("database-creation", "node-runs-vm[node-2]"),
        "The second node and the faster disks arrive on Thursday; both are tried again before the announcement.",
        expires=date(2026, 11, 30),
    )
    yield _waiver("ssl-by-hand", ("ssl-setup",), "Certificates are made by hand until the script is mended.")
    yield _waiver(
        "node-tarball",
        ("binary-tarball[ovirt-node]",),
        "The binary tarball of ovirt-node is uploaded later.",
    )
    yield _waiver(
        "notes-in-october",
        ("release-notes[vdsm]",),
        "VDSM's notes came after its branch.",
        expires=date(2026, 11, 1),
    )
    yield _waiver("by-somebody-else", ("database-creation",), "It worked yesterday.", approver="Sam Example")
    yield _waiver("unsigned-vdsm", ("source-tarball-signed[vdsm]",), "The signature follows by mail.")
    yield _waiver("of-alpha", ("vm-on-local",), "Known in the alpha.", candidate=sha("alpha"))


def _waiver(name: str, cells: tuple[str, ...], reason: str, **others: object) -> Waiver:
    return Waiver.model_validate(
        {
            "id": name,
            "candidate": CANDIDATE,
            "cells": cells,
            "accepts": "unproven",
            "reason": reason,
            "approver": "Alex Example",
            "approved": date(2026, 10, 20),
            "expires": date(2027, 1, 31),
            **others,
        }
    )
