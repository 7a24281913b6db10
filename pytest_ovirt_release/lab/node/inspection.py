"""What a tester looks at before the first change: a node's clock, its packages, and its folders as vdsm sees them.

All storage of a lab belongs to vdsm; its mode, what is in it and what fills it are real. The file systems are not the
machine's own, whose free space would decide what a rehearsal finds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node.capabilities import VDSM_VERSION
from pytest_ovirt_release.lab.node.shell import Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_ovirt_release.lab.node.shell import Shell

VDSM = 36
FILE_SYSTEM = 64 * 1024**3
"""Bytes of each file system; what lies on it counts with its full size, holes too."""
MOUNT_FAILED = 32


async def date(shell: Shell, arguments: list[str]) -> Result:
    """Tell the node's time in seconds, or set it: `date +%s`, `date -s @SECONDS`."""
    match arguments:
        case ["+%s"]:
            return Result(0, f"{int(time.time() + shell.ahead)}\n")
        case ["-s", moment] if moment[:1] == "@" and moment[1:].isdecimal():
            shell.ahead = int(moment[1:]) - time.time()
            return Result(0)
        case _:
            return Result(1, stderr=f"date: invalid date {arguments}\n")


async def rpm(_shell: Shell, arguments: list[str]) -> Result:
    """Tell which vdsm is installed."""
    if arguments == ["-q", "--qf", "%{VERSION}-%{RELEASE}", "vdsm"]:
        return Result(0, f"{VDSM_VERSION}-1.el9")
    return Result(1, f"package {arguments[-1] if arguments else ''} is not installed\n")


async def stat(shell: Shell, arguments: list[str]) -> Result:
    """Tell owner, group and mode: `stat -c FORMAT -- PATH` with %u, %g and %a."""
    match arguments:
        case ["-c", form, "--", name]:
            path = shell.files.path(name)
        case _:
            return Result(1, stderr="stat: this node knows `stat -c FORMAT -- PATH` only\n")
    if not path.exists():
        return Result(1, stderr=f"stat: cannot statx '{name}': No such file or directory\n")
    told = form.replace("%u", str(VDSM)).replace("%g", str(VDSM)).replace("%a", f"{_mode(path):o}")
    return Result(0, f"{told}\n")


async def df(shell: Shell, arguments: list[str]) -> Result:
    """Tell how full a path's file system is: `df -Pk -- PATH`."""
    match arguments:
        case ["-Pk", "--", name] if shell.files.path(name).exists():
            used = sum(
                f.lstat().st_size for f in shell.files.file_system(name).rglob("*") if not f.is_symlink()
            )
        case _:
            return Result(1, stderr=f"df: {arguments[-1]}: No such file or directory\n")
    free = max(0, FILE_SYSTEM - used)
    return Result(
        0,
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
        f"lab {FILE_SYSTEM // 1024} {used // 1024} {free // 1024} {100 * used // FILE_SYSTEM}% {name}\n",
    )


async def mount(shell: Shell, arguments: list[str]) -> Result:
    """Mount an export for this shell only: `mount -t nfs -o OPTIONS -- SERVER:/PATH FOLDER` below `unshare`."""
    match arguments:
        case ["-t", "nfs", "-o", _options, "--", export, name] if shell.unshared:
            folder = shell.machine.export(export)
        case _:
            return Result(1, stderr="mount: this node mounts NFS exports in a namespace of one's own only\n")
    if folder is None:
        return Result(MOUNT_FAILED, stderr=f"mount.nfs: {export}: no server gives it\n")
    shell.files = shell.files.with_mount(name, folder)
    return Result(0)


def denied_to_vdsm(shell: Shell, names: Sequence[str]) -> Result | None:
    """Return how a command of vdsm's fails that may not read these folders; None when it may."""
    for name in names:
        path = shell.files.path(name)
        if path.is_dir() and _mode(path) & 0o500 != 0o500:  # noqa: PLR2004 - read and enter, as its owner
            return Result(2, stderr=f"ls: cannot open directory '{name}': Permission denied\n")
    return None


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777
