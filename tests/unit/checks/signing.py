"""Real keys and signatures for tests, made by gpg in a short-lived home."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import gnupg

from pytest_ovirt_release.checks.openpgp import KeyPin, SignerPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class KeyRoom:
    """A gpg home in which keys are made and signatures written."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="kr-", dir="/tmp"))
        self._gpg = gnupg.GPG(gnupghome=str(self.home), env={**os.environ, "LC_ALL": "C"})

    def make_key(self, name: str, *, expires: str = "0", at: str | None = None) -> str:
        """Make an ed25519 key and return its fingerprint; `at` is gpg's idea of now (`20200101T000000`)."""
        batch = (
            f"%no-protection\nKey-Type: eddsa\nKey-Curve: ed25519\nKey-Usage: sign\n"
            f"Name-Real: {name}\nName-Email: {name.split(maxsplit=1)[0].lower()}@example.org\nExpire-Date: {expires}\n%commit\n"
        )
        if at is None:
            return str(self._gpg.gen_key(batch).fingerprint)
        parameters = self.home / "batch"
        parameters.write_text(batch, encoding="utf-8")
        status = self.gpg("--status-fd", "1", "--gen-key", str(parameters), at=at)
        return next(line.split()[3] for line in status.splitlines() if "KEY_CREATED" in line)

    def export(self, fingerprint: str, *, armor: bool = True) -> bytes:
        """Return the public key."""
        data = self._gpg.export_keys(fingerprint, armor=armor)
        return data.encode() if isinstance(data, str) else bytes(data)

    def sign(
        self,
        data: Path,
        *signers: str,
        at: str | None = None,
        options: Sequence[str] = (),
        armor: bool = False,
    ) -> Path:
        """Write a detached signature beside a file and return its path."""
        out = data.with_name(data.name + ".sig")
        users = [word for signer in signers for word in ("--local-user", signer)]
        mode = ["--armor"] if armor else []
        self.gpg(
            *users, *options, *mode, "--yes", "--output", str(out), "--detach-sign", "--", str(data), at=at
        )
        return out

    def clearsign(self, data: Path, signer: str, out: Path) -> Path:
        """Write a clearsigned copy of a text."""
        self.gpg("--local-user", signer, "--yes", "--output", str(out), "--clearsign", "--", str(data))
        return out

    def revoke(self, fingerprint: str) -> None:
        """Revoke a key with the certificate gpg made for it."""
        text = (self.home / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text(encoding="utf-8")
        self._gpg.import_keys(text.replace(":-----BEGIN", "-----BEGIN"))

    def pin(self, folder: Path, *fingerprints: str) -> tuple[KeyPin, ...]:
        """Write one key file per fingerprint and pin it."""
        return tuple(pin(folder / f"{f}.asc", self.export(f)) for f in fingerprints)

    def policy(
        self,
        folder: Path,
        *holders: str,
        also_known: Sequence[str] = (),
        not_before: datetime | None = None,
        tolerate_others: bool = False,
        required: int = 1,
    ) -> SignerPolicy:
        """Give a role to some keys; `also_known` are pinned but hold no role."""
        keys = self.pin(folder, *holders, *also_known)
        return SignerPolicy(
            "release-signer",
            holders,
            keys,
            not_before=not_before,
            tolerate_others=tolerate_others,
            required=required,
            page="page-1",
        )

    def gpg(self, *words: str, at: str | None = None) -> str:
        """Run gpg in this home."""
        time = ["--faked-system-time", f"{at}!"] if at else []
        argv = [
            "gpg",
            "--homedir",
            str(self.home),
            "--batch",
            "--no-tty",
            "--quiet",
            "--pinentry-mode",
            "loopback",
        ]
        done = subprocess.run([*argv, *time, *words], check=True, capture_output=True, text=True, timeout=60)
        return done.stdout

    def close(self) -> None:
        """End what gpg left running and remove the home."""
        argv = ["gpgconf", "--homedir", str(self.home), "--kill", "all"]
        subprocess.run(argv, check=False, capture_output=True, timeout=30)
        shutil.rmtree(self.home, ignore_errors=True)


def pin(path: Path, data: bytes) -> KeyPin:
    """Write a key file and pin it by its digest."""
    path.write_bytes(data)
    return KeyPin(path, hashlib.sha256(data).hexdigest())
