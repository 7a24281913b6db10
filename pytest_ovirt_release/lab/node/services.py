"""Commands that act on the machine: its services, its power, its firewall.

With them a tester brings a node of the lab into trouble as one does on a real node:

    systemctl stop vdsmd                                 the engine's connections are refused; VMs go on
    systemctl kill --signal=SIGSTOP vdsmd                vdsm hangs (SIGCONT lets it go on)
    reboot                                               VMs and connections are gone, the node comes back
    iptables -A OUTPUT -p tcp --dport 2049 -j DROP       no NFS server answers any more (-D takes it back)
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.node.shell import INACTIVE, USAGE, Result

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.node.shell import Shell

NO_NFS = ["OUTPUT", "-p", "tcp", "--dport", "2049", "-j", "DROP"]


async def systemctl(shell: Shell, arguments: list[str]) -> Result:
    """Tell of a service, or act on vdsmd."""
    vdsm = shell.machine.vdsm
    words = [word.removesuffix(".service") for word in arguments if not word.startswith("-")]
    match words:
        case ["is-active", "vdsmd"]:
            return _active(shell.configured and vdsm.running)
        case ["is-active", name]:
            return _active(name == "sshd")
        case [("start" | "restart"), "vdsmd"]:
            vdsm.start()
        case ["stop", "vdsmd"]:
            vdsm.stop()
        case ["kill", "vdsmd"] if "--signal=SIGSTOP" in arguments:
            vdsm.hang()
        case ["kill", "vdsmd"] if "--signal=SIGCONT" in arguments:
            vdsm.resume()
        case ["reboot"]:
            shell.machine.begin_reboot()
        case _:
            return Result(1, stderr=f"Failed to run: systemctl {shlex.join(arguments)}\n")
    return Result(0)


def _active(active: bool) -> Result:  # noqa: FBT001 - the one thing it says
    return Result(0, "active\n") if active else Result(INACTIVE, "inactive\n")


async def reboot(shell: Shell, _arguments: list[str]) -> Result:
    """Reboot the node."""
    shell.machine.begin_reboot()
    return Result(0)


async def iptables(shell: Shell, arguments: list[str]) -> Result:
    """Block the way to NFS servers, or open it again."""
    match arguments:
        case ["-A", *rule] if rule == NO_NFS:
            shell.machine.lose_storage()
        case ["-D", *rule] if rule == NO_NFS:
            shell.machine.regain_storage()
        case _:
            return Result(USAGE, stderr=f"iptables: this node knows one rule: {shlex.join(NO_NFS)}\n")
    return Result(0)
