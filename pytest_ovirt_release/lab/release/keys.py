"""OpenPGP keys made at start, and signatures by them; the secret keys live and die in a scratch home."""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal, Self

import gnupg

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.target.brand import LAB_BRAND

DEADLINE = 30
"""Seconds that gpgconf may take to end the agent."""

Form = Literal["detached", "armored", "clear"]
"""A binary detached signature, an armored one, or a clearsigned copy."""

log = logging.getLogger(__name__)


class KeyMaker:
    """Makes ed25519 keys without a passphrase and signs files with them.

    Use as a context manager: at its end the agent is gone and the home, with every secret key, is removed.
    Its methods block; several threads may sign at a time.
    """

    def __init__(self) -> None:
        # Short and below /tmp whatever TMPDIR says: the agent's socket path may have no more than 107 bytes.
        self._home = Path(tempfile.mkdtemp(prefix="orl-gpg-", dir="/tmp"))
        # Else the agent looks for a smart card before each signature, in a process of its own.
        (self._home / "gpg-agent.conf").write_text("disable-scdaemon\n", encoding="ascii")
        try:
            self._gpg = gnupg.GPG(gnupghome=str(self._home))
        except OSError as error:
            shutil.rmtree(self._home)
            raise ReleaseError(
                "the lab needs gpg, and gpg is not installed: install the package `gnupg`"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def make(self, owner: str, *, created: str | None = None) -> str:
        """Make a key whose user id carries the lab's brand; return its fingerprint.

        Args:
            owner: Whom the user id names.
            created: Its creation date as 20100101T000000; now if None. It has no expiry date.
        """
        wanted = [
            "%no-protection",
            "Key-Type: EDDSA",
            "Key-Curve: ed25519",
            "Key-Usage: sign",
            f"Name-Real: {owner}",
            f"Name-Comment: {LAB_BRAND}",
            f"Name-Email: {owner.lower().replace(' ', '-')}@ovirt.invalid",
            "Expire-Date: 0",
            *([f"Creation-Date: {created}"] if created else []),
            "%commit",
        ]
        made = self._gpg.gen_key("\n".join(wanted) + "\n")
        if not made.fingerprint:
            raise ReleaseError(f"gpg made no key for {owner}: {_last_line(made.stderr)}")
        return str(made.fingerprint)

    def sign(
        self,
        fingerprint: str,
        source: Path,
        output: Path,
        form: Form = "detached",
    ) -> None:
        """Sign a file into `output`: a detached signature (binary or armored) or a clearsigned copy."""
        output.parent.mkdir(parents=True, exist_ok=True)
        # Opened here: a file that python-gnupg opens itself it closes after 0.01 s, and signs what it has read by then.
        with source.open("rb") as file:
            done = self._gpg.sign_file(
                file,
                keyid=fingerprint,
                detach=form != "clear",
                clearsign=form == "clear",
                binary=form == "detached",
                output=str(output),
            )
        if done.status != "signature created" or not output.is_file():
            raise ReleaseError(f"gpg did not sign {source.name}: {_last_line(done.stderr)}")

    def expire(self, fingerprint: str, *, at: str, pretended: str) -> None:
        """Give a key an expiry date that has passed.

        gpg takes no such date, so it is told a time (`pretended`) at which `at` was still to come; both are
        texts as 20110201T000000.
        """
        _run(
            self._words,
            ["--faked-system-time", pretended, "--quick-set-expire", fingerprint, at],
        )

    def revoke(self, fingerprint: str) -> None:
        """Revoke a key by the certificate that gpg made with it; nothing can be signed with it afterwards."""
        made = self._home / "openpgp-revocs.d" / f"{fingerprint}.rev"
        # gpg puts a colon before the armor so that nobody revokes a key by importing a file by mistake.
        text = made.read_text(encoding="ascii").replace(":-----BEGIN", "-----BEGIN")
        usable = self._home / f"{fingerprint}.asc"
        usable.write_text(text[text.index("-----BEGIN") :], encoding="ascii")
        _run([*self._words, "--import"], [str(usable)])

    def public_key(self, fingerprint: str) -> bytes:
        """Return the armored public key."""
        exported = self._gpg.export_keys(fingerprint)
        if not exported:
            raise ReleaseError(f"gpg did not export the key {fingerprint}")
        return str(exported).encode("ascii")

    @property
    def _words(self) -> list[str]:
        return ["gpg", "--homedir", str(self._home), "--batch", "--no-tty", "--quiet"]

    def close(self) -> None:
        """End the agent and remove the home."""
        try:
            _run(["gpgconf", "--homedir", str(self._home)], ["--kill", "all"])
        except ReleaseError as error:
            log.warning("gpg-agent was not ended: %s", error)
        shutil.rmtree(self._home, ignore_errors=True)


def _run(program: list[str], words: list[str]) -> None:
    try:
        done = subprocess.run(
            [*program, *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReleaseError(f"{program[0]} {words[0]}: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        raise ReleaseError(f"{program[0]} {words[0]} ended with {done.returncode}: {_last_line(said)}")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "gpg said nothing"
