"""One machine over SSH: a pinned host key, commands as lists of words, an end to everything.

A connection that is lost in mid-command gives an empty output and no exception in paramiko; here it raises.
Nothing of the tester's own SSH setup is used: no agent, no keys of theirs, no known_hosts.
"""

from __future__ import annotations

import math
import select
import shlex
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko

from pytest_ovirt_release.checks import waiting
from pytest_ovirt_release.checks.ssh_keys import family, fingerprint, pinned_key, private_key
from pytest_ovirt_release.checks.ssh_pulse import Pulse
from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.local.capped import Capped
from pytest_ovirt_release.target.credentials import read_secret

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from pytest_ovirt_release.target.model import SshTarget

LARGEST_OUTPUT = 256 * 1024
"""Bytes kept of each of stdout and stderr: the first half and the last half."""
CHUNK = 32 * 1024
TICK = 0.1
REUSE_SECONDS = 5.0
"""How long a connection that was kept may take for a new session."""
LOST = -1
TIMED_OUT = 124


class HostKeyChanged(ReleaseError):  # noqa: N818 - reads as what happened
    """The machine shows another host key than the target file pins: somebody else, or a new installation."""


class ConnectionLost(Unreachable):
    """The connection ended in mid-command; what the command did is not known."""


@dataclass(frozen=True)
class Result:
    """How a command ended; texts are capped and decoded as UTF-8."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the command ended with status 0."""
        return self.status == 0

    def __str__(self) -> str:
        said = " ".join(f"{self.stdout} {self.stderr}".split())[-500:]
        return f"`{shlex.join(self.argv)}` ended with status {self.status}: {said or 'no output'}"


class Remote:
    """A machine reached over SSH. `met("ssh:<name>", banner)` is told who answered, once."""

    def __init__(
        self,
        ssh: SshTarget,
        *,
        name: str,
        met: Callable[[str, str], None],
        seconds: float = 60,
        flag: threading.Event | None = None,
    ) -> None:
        """Take where to log in, a name for messages, and the deadline in seconds of login and usual commands."""
        self.ssh = ssh
        self.name = name
        self.seconds = seconds
        self._met = met
        self._flag = waiting.stop if flag is None else flag
        self._transport: paramiko.Transport | None = None
        self._jump: Remote | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._jump is not None:
            self._jump.close()
            self._jump = None

    def run(self, argv: Sequence[str], deadline: float | None = None) -> Result:
        """Run a command; its words are quoted for the remote shell.

        Raises:
            Unreachable: no connection, deadline over. ConnectionLost: it ended without a status.
            HostKeyChanged, ReleaseError: the login is wrong.
        """
        seconds = self.seconds if deadline is None else deadline
        end, command = time.monotonic() + seconds, shlex.join(argv)
        channel = self._session(command)
        start = time.monotonic()
        try:
            # The machine's own deadline, so that nothing goes on there after we have given up.
            channel.exec_command(f"timeout -k 5 {math.ceil(seconds)} {command}")
            channel.shutdown_write()
            out, err = self._read(channel, end, command)
            status = channel.exit_status if channel.exit_status_ready() else LOST
        except (paramiko.SSHException, OSError) as error:
            self.close()
            raise ConnectionLost(f"{self._where}: connection lost during `{command}`: {error}") from error
        except ConnectionLost:
            self.close()
            raise
        finally:
            channel.close()
        if status == LOST:
            self.close()
            raise ConnectionLost(f"{self._where}: connection lost during `{command}`; it gave no exit status")
        if status == TIMED_OUT and time.monotonic() > end - 1:
            raise Unreachable(f"{self._where}: `{command}` did not end within {seconds:g} s")
        return Result(tuple(argv), status, out.text(), err.text(), time.monotonic() - start)

    def _session(self, command: str) -> paramiko.Channel:
        """Open a session; a connection that was kept and does not answer any more is replaced."""
        kept = self._transport is not None and self._transport.is_active()
        try:
            return self._connected().open_session(
                timeout=min(REUSE_SECONDS if kept else self.seconds, self.seconds)
            )
        except (paramiko.SSHException, OSError) as error:
            self.close()
            if kept:  # nothing was asked yet, so trying again is harmless
                return self._session(command)
            raise Unreachable(f"{self._where}: no session for `{command}`: {error}") from error

    @property
    def _where(self) -> str:
        return f"{self.name} ({self.ssh.user}@{self.ssh.address}:{self.ssh.port})"

    def _read(self, channel: paramiko.Channel, end: float, command: str) -> tuple[Capped, Capped]:
        out, err = Capped(LARGEST_OUTPUT), Capped(LARGEST_OUTPUT)
        pulse = Pulse(channel.get_transport())
        while True:
            while channel.recv_ready():
                out.add(channel.recv(CHUNK))
                pulse.heard()
            while channel.recv_stderr_ready():
                err.add(channel.recv_stderr(CHUNK))
                pulse.heard()
            ended = channel.exit_status_ready() and channel.eof_received
            if (ended or channel.closed) and not channel.recv_ready() and not channel.recv_stderr_ready():
                return out, err
            if self._flag.is_set():
                raise waiting.Interrupted(f"interrupted while {self.name} ran `{command}`")
            if time.monotonic() > end:
                raise Unreachable(
                    f"{self._where}: `{command}` did not end in time; so far it said: {out.text()[-300:]!r}"
                )
            if pulse.lost():
                raise ConnectionLost(f"{self._where}: no answer any more during `{command}`")
            if ended or channel.closed or channel.eof_received:
                self._flag.wait(TICK / 10)  # only the exit status is still on its way
            else:
                select.select([channel], [], [], TICK)

    def _connected(self) -> paramiko.Transport:
        if self._transport is not None and self._transport.is_active():
            return self._transport
        self.close()
        transport: paramiko.Transport | None = None
        try:
            sock = self._way()
            transport = paramiko.Transport(sock)
            self._greet(transport)
            self._log_in(transport)
        except BaseException as error:
            if transport is not None:
                transport.close()
            if isinstance(error, paramiko.SSHException | OSError | EOFError):
                raise Unreachable(f"{self._where}: no SSH connection: {error}") from error
            raise
        self._transport = transport
        return transport

    def _way(self) -> socket.socket | paramiko.Channel:
        """Return the way to the machine: its own port, or a channel through the machine that stands before it."""
        jump, there = self.ssh.proxy_jump, (self.ssh.address, self.ssh.port)
        if jump is None:
            return socket.create_connection(there, timeout=self.seconds)
        name = f"{self.name} by way of {jump.address}"
        self._jump = Remote(jump, name=name, met=self._met, seconds=self.seconds, flag=self._flag)
        through = self._jump._connected()  # noqa: SLF001 - one of us
        return through.open_channel("direct-tcpip", there, ("127.0.0.1", 0), timeout=self.seconds)

    def _greet(self, transport: paramiko.Transport) -> None:
        kind, pinned = pinned_key(self.ssh.host_key, self._where)
        transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = self.seconds
        options = transport.get_security_options()
        # The pinned kind first: a machine with several keys then shows the one that we know.
        options.key_types = sorted(options.key_types, key=lambda t: family(t) != kind)
        transport.start_client(timeout=self.seconds)
        shown = transport.get_remote_server_key()
        if shown.asbytes() != pinned:
            raise HostKeyChanged(
                f"{self._where} shows the host key {fingerprint(shown.asbytes())} ({shown.get_name()}), "
                f"but the target file pins {fingerprint(pinned)} ({kind}); if the machine was installed anew, "
                "read its key on the machine itself (/etc/ssh/ssh_host_*_key.pub) and put that line into host_key"
            )

    def _log_in(self, transport: paramiko.Transport) -> None:
        ssh = self.ssh
        try:
            if ssh.key_file is not None:
                transport.auth_publickey(ssh.user, private_key(ssh.key_file, self._where))
            elif ssh.password_file is not None or ssh.password_env is not None:
                secret = read_secret(ssh.password_file, ssh.password_env, f"the password of {self._where}")
                transport.auth_password(ssh.user, secret.reveal())
            else:
                raise ReleaseError(
                    f"{self._where}: the target file names neither key_file nor password_file nor password_env"
                )
        except paramiko.AuthenticationException as error:
            raise ReleaseError(
                f"{self._where} does not let {ssh.user} in: {error}; check user and key_file or password in the "
                "target file, and authorized_keys on the machine"
            ) from error
        banner = transport.get_banner() or b""
        self._met(
            f"ssh:{self.name}", f"{transport.remote_version} {banner.decode('utf-8', 'replace')}".strip()
        )
