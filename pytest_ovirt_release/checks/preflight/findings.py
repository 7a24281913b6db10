"""What preflight found, and the judgements behind it: pure functions of what machines answered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ovirt_release.checks.engine import Host
    from pytest_ovirt_release.checks.node import Result

State = Literal["works", "wrong", "not seen"]

ENGINE = "engine"
"""What every cell needs that talks to the engine."""

LARGEST_SKEW = 60.0
"""Seconds that two clocks may differ: certificates and tokens of a younger clock are not valid yet."""

LEAST_FREE = 6 * 1024**3
"""Bytes: below 5 GiB of free space an engine refuses new disks (its critical space, by default)."""

VDSM = 36
"""Uid and gid of vdsm on every node: storage must be writable for them."""

NO_COMMAND = (126, 127)
_NUMBERS = re.compile(r"\d+(\.\d+)*")
_FOLDER = re.compile(
    r"folder (?P<uid>\d+) (?P<gid>\d+) (?P<mode>[0-7]+)\n"
    r".*\n"  # df's heading; then file system, blocks, used, available, capacity, mount point
    r".*?\s\d+\s+\d+\s+(?P<free>\d+)\s+(?:\d+%|-)\s.*(?:\n|$)",
    re.ASCII,
)


def node_key(name: str) -> str:
    """Return the key of everything that a node's cells need."""
    return f"node {name}"


def storage_key(kind: str) -> str:
    """Return the key of everything that a kind of storage needs."""
    return f"storage {kind}"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `wrong` blocks what needs one of `blocks`; `not seen` blocks nothing.

    `what` names it as the target file does, `todo` says what to do about it.
    """

    what: str
    state: State
    sentence: str
    todo: str = ""
    blocks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}: {self.sentence}{f'; {self.todo}' if self.todo else ''}"


def blocking(findings: Iterable[Finding], needs: Sequence[str]) -> tuple[Finding, ...]:
    """Return what stands against a cell that needs these keys."""
    return tuple(f for f in findings if f.state == "wrong" and set(f.blocks) & set(needs))


def clock(what: str, theirs: float, before: float, after: float, blocks: tuple[str, ...]) -> Finding:
    """Compare a machine's clock with ours; `before` and `after` are when it was asked and had answered."""
    skew = max(before - theirs, theirs - after, 0.0)
    if skew > LARGEST_SKEW:
        side = "ahead of" if theirs > after else "behind"
        return Finding(
            what,
            "wrong",
            f"its clock is {skew:.0f} s {side} this machine's",
            f"let both follow one time server; {LARGEST_SKEW:.0f} s are tolerated",
            blocks,
        )
    return Finding(what, "works", f"its clock is within {max(skew, 1):.0f} s of this machine's")


def node_unknown(name: str, address: str, hosts: Iterable[Host]) -> Finding:
    """Return whether the engine does not know a node yet; one that waits for approval is as good."""
    what, known = f"node {name} in the engine", next((h for h in hosts if h.address == address), None)
    if known is None:
        return Finding(what, "works", f"{address} is not yet known to the engine")
    if known.status == "pending_approval":
        return Finding(what, "works", f"{address} waits for approval as host {known.name}")
    return Finding(
        what,
        "not seen",
        f"the engine knows {address} already, as host {known.name}, {known.status}: its node cells will be blocked",
        "remove that host from the engine, or name another node, to have them judged",
    )


def installed(what: str, found: str, wanted: str, blocks: tuple[str, ...]) -> Finding:
    """Compare an installed version (`4.5.7-1.el9`) with the candidate's (`4.5.7`): number by number."""
    numbers, asked = _NUMBERS.match(found), _NUMBERS.match(wanted)
    if numbers is None or asked is None:
        return Finding(
            what, "not seen", f"version {found!r} cannot be compared with the candidate's {wanted!r}"
        )
    mine, theirs = _padded(numbers.group()), _padded(asked.group())
    if mine != theirs:
        return Finding(
            what,
            "wrong",
            f"{found} is installed, but the candidate is {wanted}",
            "install the candidate there, or name the candidate that is installed",
            blocks,
        )
    return Finding(what, "works", f"{found} is installed, the candidate's version")


def _padded(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


@dataclass(frozen=True)
class Folder:
    """A storage folder as a node sees it: owner, group, mode, free bytes, and the first names in it."""

    uid: int
    gid: int
    mode: int
    free: int
    names: tuple[str, ...]


def read_folder(result: Result) -> Folder | None:
    """Read the answer of `machine_probe.FOLDER_SCRIPT`; None when it is not one."""
    answer = _FOLDER.match(result.stdout) if result.ok else None
    if answer is None:
        return None
    names = result.stdout[answer.end() :].splitlines()
    return Folder(
        uid=int(answer["uid"]),
        gid=int(answer["gid"]),
        mode=int(answer["mode"], 8),
        free=int(answer["free"]) * 1024,
        names=tuple(name for name in names if name),
    )


def folder_fits(what: str, path: str, folder: Folder, blocks: tuple[str, ...]) -> Finding:
    """Return whether a folder is empty, writable for vdsm, and has room."""
    if folder.names:
        return Finding(
            what,
            "wrong",
            f"{path} is not empty: it holds {', '.join(folder.names[:3])}",
            "name an empty folder; nothing in this one was touched",
            blocks,
        )
    if not _writable(folder):
        shown = f"{folder.uid}:{folder.gid} with mode {folder.mode:04o}"
        return Finding(
            what,
            "wrong",
            f"{path} belongs to {shown}: vdsm ({VDSM}:{VDSM}) cannot write there",
            f"chown {VDSM}:{VDSM} and chmod 0755 it where it is exported",
            blocks,
        )
    if folder.free < LEAST_FREE:
        return Finding(
            what,
            "wrong",
            f"{path} has {folder.free / 1024**3:.1f} GiB free; an engine refuses disks below 5 GiB",
            "make room, or name a larger one",
            blocks,
        )
    return Finding(what, "works", f"{path} is empty, writable for vdsm, {folder.free / 1024**3:.0f} GiB free")


def _writable(folder: Folder) -> bool:
    if folder.uid == VDSM:
        bits = folder.mode >> 6
    elif folder.gid == VDSM:
        bits = folder.mode >> 3
    else:
        bits = folder.mode
    return bits & 7 == 7  # noqa: PLR2004 - read, write and enter
