"""SSH keys: the pinned public key of a machine, fingerprints, and the tester's private key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import socket
from typing import TYPE_CHECKING

import paramiko
from paramiko.pkey import UnknownKeyType

from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.target.credentials import learned

if TYPE_CHECKING:
    from pathlib import Path

# Its thread logs every failure with a traceback, which Python prints where no handler is; our errors say it in a line.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

LARGEST_KEY = 64 * 1024
"""Bytes of a private key file that are looked at."""
SHORTEST_LINE = 16


def shown_key(address: str, port: int, seconds: float) -> str:
    """Return the public key line that a machine shows, for a person to compare; nobody logs in.

    Raises:
        Unreachable: nothing answers there, or no SSH server.
    """
    transport: paramiko.Transport | None = None
    try:
        transport = paramiko.Transport(socket.create_connection((address, port), timeout=seconds))
        transport.banner_timeout = transport.handshake_timeout = seconds
        transport.start_client(timeout=seconds)
        key = transport.get_remote_server_key()
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise Unreachable(f"no SSH server answers at {address}:{port}: {error}") from error
    finally:
        if transport is not None:
            transport.close()
    return f"{key.get_name()} {key.get_base64()}"


def pinned_key(line: str, where: str) -> tuple[str, bytes]:
    """Return kind and bytes of a public key line (`ssh-ed25519 AAAA…`); ReleaseError when it is none."""
    words = line.split()
    try:
        kind, blob = words[0], base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error, ValueError) as error:
        raise ReleaseError(f"{where}: host_key is no public key line such as `ssh-ed25519 AAAA…`") from error
    return kind, blob


def fingerprint(key: bytes) -> str:
    """Return a key's fingerprint as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def family(algorithm: str) -> str:
    """Return the kind of key that a signature algorithm belongs to: RSA keys sign under several names."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2") else algorithm


def private_key(path: Path, where: str) -> paramiko.PKey:
    """Read a private key file of any kind; ReleaseError when that is not possible."""
    try:
        _learn(path)
        return paramiko.PKey.from_path(path)
    except (OSError, ValueError, TypeError, paramiko.SSHException, UnknownKeyType) as error:
        raise ReleaseError(f"{where}: key_file {path} cannot be used: {error}") from error


def _learn(path: Path) -> None:
    """Keep the lines of a private key out of everything that is written: a traceback may show what was read."""
    with path.open("rb") as file:
        text = file.read(LARGEST_KEY).decode("ascii", "replace")
    for line in text.splitlines():
        if len(line) >= SHORTEST_LINE and "-----" not in line:
            learned(line)
