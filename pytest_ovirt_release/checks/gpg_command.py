"""Call gpg with a keyring of our own and nothing else: no user's settings, no agent, no keyserver, a deadline."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.local.processes import ask

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def home_with(ring: bytes) -> Iterator[Path]:
    """A short (gpg's socket paths must be), fresh, private home for one gpg call, holding the policy's keyring."""
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    try:
        (home / "policy.gpg").write_bytes(ring)
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def gpg(home: Path, words: list[str], deadline: float) -> tuple[int, bytes, str]:
    """Return exit code, status lines and last complaint of one gpg call in a home made by `home_with`."""
    argv = [
        "gpg", "--homedir", str(home), "--no-options", "--no-autostart", "--disable-dirmngr", "--no-auto-key-retrieve",
        "--no-auto-check-trustdb", "--trust-model", "always", "--no-default-keyring", "--keyring", str(home / "policy.gpg"),
        "--batch", "--no-tty", "--status-fd", "1", *words,
    ]  # fmt: skip
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LC_ALL": "C", "LANG": "C"}
    done = ask(argv, deadline=deadline, env=env)
    return done.status, done.out, done.complaint
