"""How a host is installed: the engine's key put on it, the play, the reboot; approve, install and add all come here."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.fault import Fault, bad
from pytest_ovirt_release.lab.engine.hosts import PLAY_SECONDS, PLAY_TASKS
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import Host

LOGIN_SECONDS = 0.1
REBOOT_SECONDS = 30.0
"""The engine probes a rebooting host every 30 s and it is back at the first probe."""

ID_TASK = "Fetch vdsm id"
"""The task of the play from which the engine learns the unique id of a host that did not register."""

METHODS = ("password", "publickey")


class InstallFailed(Exception):  # noqa: N818 - what the engine calls it
    """An installation that ended; event 505 has said why."""


@dataclass(frozen=True)
class Login:
    """How the engine is to get into a host: with a password, or with its own key that is there already."""

    user: str
    password: str | None
    by_key: bool

    @property
    def empty(self) -> bool:
        """Return whether it asks for a password and has none."""
        return not self.by_key and not self.password


def login(body: Body) -> Login:
    """Read the login from a document: `root_password`, or `ssh` with its user and method."""
    method = body.one_of("ssh/authentication_method", "SshAuthenticationMethod", METHODS)
    user, password = body.text("ssh/user/user_name"), body.text("ssh/user/password")
    return Login(user or "root", password or body.text("root_password"), method == "publickey")


def no_password() -> Fault:
    """Return the refusal of an installation without a password."""
    return bad("Cannot install Host with empty password.")


def fingerprint(key: str) -> str:
    """Return the fingerprint of a public key's OpenSSH line, as the engine writes it."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


async def meet(core: Core, host: Host) -> None:
    """Learn the host's own key; ConnectionError when it is not the one that was expected."""
    key = " ".join((await core.ssh.host_key(host.address, host.ssh_port)).split()[:2])
    if host.ssh_fingerprint not in (None, fingerprint(key)):
        raise ConnectionError("the host's key is not the one that was given")
    host.ssh_key, host.ssh_fingerprint = key, fingerprint(key)


async def copy_key(core: Core, host: Host, how: Login, correlation: str) -> None:
    """Put the engine's key on a host with the password that came with an action; InstallFailed when that fails."""
    where = f"'{how.user}@{host.address}'"
    try:
        await core.sleep(LOGIN_SECONDS)
        await meet(core, host)
        await core.ssh.authorize(host.address, host.ssh_port, how.user, how.password)
    except PermissionError as error:
        why = f"SSH authentication to {where} failed. Please verify provided credentials. Make sure host is configured for password authentication."
        raise failed(core, host, correlation, f"ssh-copy-id command failed: {why}") from error
    except OSError as error:
        raise failed(
            core, host, correlation, f"ssh-copy-id command failed: SSH connection to {where} failed"
        ) from error


async def play(core: Core, host: Host, correlation: str, *, fetch_id: bool = False) -> None:
    """Run the play: a real login with the engine's key; what goes wrong is told by event 505 only."""
    started = f"Ansible host-deploy playbook execution has started on host {host.name}."
    core.event(560, started, correlation, user="nobody", host=host)
    await core.sleep(PLAY_SECONDS / 2)
    _task(core, host, PLAY_TASKS[0], correlation)
    try:
        if "approve-fails" in core.faults:
            raise VdsmError(1, "the package repository holds no vdsm for this release")  # noqa: TRY301 - one way out
        await core.ask(core.ssh.deploy(host.address, host.ssh_port))
        if fetch_id:
            host.unique_id = (await core.ask(core.node(host).host_get_capabilities())).uuid
    except Exception as error:
        # Whatever a login or the remote command ran into, the installation failed; the log keeps the cause.
        log_file = _write_log(core, host, correlation, f"{type(error).__name__}: {error}")
        text = f"Task {PLAY_TASKS[1]} failed to execute. Please check logs for more details: {log_file}."
        host.reinstallation_required = True
        raise failed(core, host, correlation, text) from error
    for task in (*PLAY_TASKS[1:], *([ID_TASK] if fetch_id else [])):
        _task(core, host, task, correlation)
    await core.sleep(PLAY_SECONDS / 2)
    text = f"Ansible host-deploy playbook execution has successfully finished on host {host.name}."
    core.event(561, text, correlation, user="nobody", host=host)


def failed(core: Core, host: Host, correlation: str, why: str) -> InstallFailed:
    """Let an installation fail, and say so in the log."""
    host.status = "install_failed"
    core.event(505, f"Host {host.name} installation failed. {why}", correlation, host=host)
    return InstallFailed(why)


def _task(core: Core, host: Host, task: str, correlation: str) -> None:
    core.event(559, f"Installing Host {host.name}. {task}.", correlation, user="nobody", host=host)


def _write_log(core: Core, host: Host, correlation: str, text: str) -> str:
    when = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    folder = core.folder / "host-deploy"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"ovirt-host-deploy-ansible-{when}-{host.address}-{correlation}.log"
    path.write_text(text + "\n", encoding="utf-8")
    return str(path)


async def reboot(core: Core, host: Host) -> None:
    """Restart a host and wait until it can be there again."""
    with core.job("SshHostReboot"):
        # The play logs in on its own account; this is where the engine itself first sees the host's key.
        with contextlib.suppress(OSError):
            await meet(core, host)
        host.status = "reboot"
    await core.sleep(REBOOT_SECONDS)
    text = f"Host {host.name} was restarted using SSH by the engine."
    core.event(197, text, user="SYSTEM", own=True, host=host)
