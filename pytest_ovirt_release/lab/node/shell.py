"""What a command on a node sees, what it leaves, and the machine that it may act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.lab.node.files import NodeFiles
    from pytest_ovirt_release.lab.node.vdsm import Vdsm

NOT_FOUND, USAGE, INACTIVE, TIMED_OUT = 127, 2, 3, 124


class Machine(Protocol):
    """The machine under a shell: its vdsm, its power, its way to the storage."""

    @property
    def vdsm(self) -> Vdsm:
        """The service vdsmd."""

    def begin_reboot(self) -> None:
        """Go down and come back in a while; returns at once."""

    def lose_storage(self) -> None:
        """Reach no NFS server any more."""

    def regain_storage(self) -> None:
        """Reach the NFS servers again."""

    def export(self, path: str) -> Path | None:
        """Return the folder behind `server:/path`; None when no server gives it."""


@dataclass
class Shell:
    """The state of a node that commands see; `configured` once deploy was here.

    `ahead`: seconds that the node's clock is ahead of the machine's; `unshared`: mounts are seen by this shell only.
    """

    name: str
    address: str
    hardware_id: str
    files: NodeFiles
    machine: Machine
    ssh_port: int = 0
    configured: bool = False
    ahead: float = 0.0
    unshared: bool = False


@dataclass(frozen=True)
class Result:
    """What a command leaves: exit status and its two outputs."""

    status: int
    stdout: str = ""
    stderr: str = ""
