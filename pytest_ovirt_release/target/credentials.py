"""Passwords: read from where the target file says, and never shown."""

from __future__ import annotations

import os
import stat
import weakref
from typing import TYPE_CHECKING, NoReturn, Protocol

from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from pathlib import Path

MASK = "***"
_watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()
LARGEST = 4096
"""Largest password file in bytes; a larger one is some other file."""


class Watcher(Protocol):
    """Whoever has to know every secret of this process, to keep it out of what it writes."""

    def add(self, secret: str) -> None:
        """Hide this secret from now on."""


def watch(watcher: Watcher) -> None:
    """Tell a watcher of every secret that this process comes to know, as long as the watcher lives."""
    _watchers.add(watcher)


def learned(secret: str) -> str:
    """Tell the watchers of a secret that was read, or given by an engine (a token); returns it."""
    for watcher in tuple(_watchers):
        watcher.add(secret)
    return secret


class Secret:
    """A secret that shows itself only to who asks for it by name.

    `warning` is a sentence about how it is kept (a file that others can read), or None.
    """

    __slots__ = ("_value", "warning")

    def __init__(self, value: str, warning: str | None = None) -> None:
        """Take the secret itself and, where there is one, a sentence about how it is kept."""
        self._value = value
        self.warning = warning

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        # A pickle would carry the value to wherever pickles go: caches, worker channels, crash dumps.
        raise TypeError("a secret cannot be pickled")


def read_secret(password_file: Path | None, password_env: str | None, what: str) -> Secret:
    """Return a password from a file (first line) or from an environment variable.

    `what` names its use in messages ("the engine's password"). Raises ReleaseError when neither or both are
    given, the file is not there, cannot be read, is empty or is no text, or the variable is unset or empty.
    """
    if (password_file is None) == (password_env is None):
        raise ReleaseError(f"{what}: give exactly one of password_file and password_env")
    if password_file is not None:
        return _from_file(password_file, what)
    value = os.environ.get(password_env or "", "")
    if not value:
        raise ReleaseError(
            f"{what}: environment variable {password_env} is not set or empty; set it and try again"
        )
    return Secret(learned(value))


def _from_file(path: Path, what: str) -> Secret:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ReleaseError(f"{what}: {path} is no regular file; put the password into a file of its own")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ReleaseError(f"{what}: {path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise ReleaseError(f"{what}: {path} is larger than {LARGEST} bytes; it should hold one password")
    try:
        value = content.decode("utf-8").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        # `from None`: the decoding error carries the bytes it stumbled over.
        raise ReleaseError(f"{what}: {path} is not UTF-8 text") from None
    if not value:
        raise ReleaseError(f"{what}: {path} is empty; its first line should be the password")
    readable = stat.S_IMODE(mode) & (stat.S_IRGRP | stat.S_IROTH)
    return Secret(
        learned(value), f"{what}: {path} can be read by others; chmod 600 {path}" if readable else None
    )
