"""An OpenPGP key and what it may sign, as gpg sees it: pinned by its full fingerprint, read from a file.

gpg says which subkeys belong to a key and what is revoked or expired, which securesystemslib does not look at;
securesystemslib gets the bare numbers of the parts that are left. It can read key files by itself, but then finds
no subkey of an ed25519 key, nor one whose lifetime was ever extended.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from securesystemslib.signer import GPGKey  # type: ignore[attr-defined] # documented so, but not marked as exported

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.local.processes import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_KEY_FILE = 4 * 1024 * 1024
DEADLINE = 30.0
"""Seconds that one call of gpg may take; a look at a key takes 0.01."""

LISTING = ("--with-colons", "--fixed-list-mode", "--with-key-data")
"""Options of a listing that `parse` reads."""

_FINGERPRINT = re.compile(r"[0-9A-F]{40}(?:[0-9A-F]{24})?")
_RSA, _EDDSA = "1", "22"
_WEAKEST_RSA = 2048
_ED25519, _POINT = "092B06010401DA470F01", re.compile("40([0-9A-F]{64})")
_UNFIT = {"r": "is revoked", "d": "is disabled", "i": "is not valid"}


class UnfitKey(ReleaseError):  # noqa: N818 - reads as what it is
    """A key that is not the pinned one, or may not sign."""


@dataclass
class _Record:
    """One key or subkey of a listing; `numbers` are the numbers of its public key, in upper-case hex."""

    fields: list[str]
    fingerprint: str = ""
    numbers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """The primary key, or a subkey of it: `problem` says why it may not sign; nothing else is wrong with it.

    `created` is in seconds since 1970. `secret`: whether the secret part is at hand (only in a listing of such).
    `public` is how securesystemslib knows it, where it can use it at all.
    """

    fingerprint: str
    created: int
    problem: str
    secret: bool
    public: GPGKey | None

    @property
    def keyid(self) -> str:
        """Return what an envelope calls it."""
        return self.fingerprint.lower()

    def verifier(self) -> GPGKey:
        """Return what verifies its signatures; UnfitKey when it may make none."""
        if self.problem or self.public is None:
            raise UnfitKey(self.problem or "cannot be used")
        return self.public


@dataclass(frozen=True)
class PublicKey:
    """A key: fingerprint and first user id of the primary key, and all parts, the primary first.

    `problem` is what makes the whole key unfit.
    """

    fingerprint: str
    uid: str
    problem: str
    parts: tuple[Part, ...]

    def part(self, keyid: str) -> Part | None:
        """Return the part that an envelope calls so."""
        return next((part for part in self.parts if part.keyid == keyid), None)

    def must_be_fit(self) -> None:
        """Raise UnfitKey when it is revoked, expired or disabled as a whole."""
        if self.problem:
            raise UnfitKey(f"key {self.fingerprint} ({self.uid}) {self.problem}")


def full_fingerprint(text: str) -> str:
    """Return a fingerprint in upper case and without blanks; ReleaseError when it is not a full one."""
    plain = "".join(text.split()).upper()
    if not _FINGERPRINT.fullmatch(plain):
        raise ReleaseError(
            f"{text!r} is no full fingerprint; give all 40 (or 64) hex digits, as `gpg --fingerprint` shows them: "
            "a key id can be forged"
        )
    return plain


def read_key(data: bytes, fingerprint: str) -> PublicKey:
    """Return the one key that the bytes of a key file hold; no keyring but a scratch one is touched.

    Raises:
        UnfitKey: it is not the pinned key, not the only one, or is revoked or expired.
        ReleaseError: gpg is not installed.
        OutOfTime: gpg did not finish.
    """
    with _scratch_home() as home:
        file = home / "key"
        file.write_bytes(data)
        options = ("--no-options", "--no-autostart", "--disable-dirmngr", "--no-auto-key-retrieve")
        env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LC_ALL": "C"}
        command = ("gpg", "--homedir", str(home), "--batch", "--no-tty", "--trust-model", "always", *options)
        ask([*command, "--import", "--", str(file)], deadline=DEADLINE, env=env)
        # What the import made of the file shows in the listing; its exit code is 2 for many a harmless reason.
        listed = ask([*command, *LISTING, "--list-keys"], deadline=DEADLINE, env=env)
    keys = parse(listed.output)
    if len(keys) != 1:
        held = ", ".join(key.fingerprint for key in keys[:3])
        raise UnfitKey(
            f"holds {len(keys)} keys ({held}); name a file that holds {fingerprint} alone"
            if keys
            else "holds no public key that gpg can read; `gpg --export --armor FINGERPRINT` writes one"
        )
    key = keys[0]
    if key.fingerprint != fingerprint:
        role = ", whose subkey that is: pin the primary key" if key.part(fingerprint.lower()) else ""
        raise UnfitKey(f"holds key {key.fingerprint} ({key.uid}), not the pinned {fingerprint}{role}")
    key.must_be_fit()
    return key


def parse(listing: str) -> list[PublicKey]:
    """Return the keys of a listing of gpg's (public or secret ones), made with LISTING."""
    keys: list[tuple[list[_Record], list[str]]] = []
    for line in listing.splitlines():
        fields = line.split(":")
        if fields[0] in ("pub", "sec"):
            keys.append(([_Record(fields)], []))
        elif not keys:
            continue
        elif fields[0] in ("sub", "ssb"):
            keys[-1][0].append(_Record(fields))
        elif fields[0] == "fpr":
            keys[-1][0][-1].fingerprint = fields[9]
        elif fields[0] == "pkd":
            keys[-1][0][-1].numbers.append(fields[3])
        elif fields[0] == "uid":
            keys[-1][1].append(fields[9].replace(r"\x3a", ":"))
    return [_key(records, uids) for records, uids in keys]


def _key(records: list[_Record], uids: list[str]) -> PublicKey:
    primary = records[0]
    parts = tuple(_part(record) for record in records)
    return PublicKey(primary.fingerprint, uids[0] if uids else "no user id", _why_unfit(primary), parts)


def _part(record: _Record) -> Part:
    public = _public(record)
    problem = _why_unfit(record)
    if not problem and "s" not in record.fields[11]:
        problem = "is not for signing"
    if not problem and public is None:
        problem = (
            f"is no RSA key of {_WEAKEST_RSA} bits or more, and no ed25519 key, and others are not accepted"
        )
    return Part(
        record.fingerprint,
        int(record.fields[5]) if record.fields[5].isdecimal() else 0,
        problem,
        record.fields[14] not in ("", "#"),
        public,
    )


def _why_unfit(record: _Record) -> str:
    validity, expires = record.fields[1], record.fields[6]
    if validity == "e":
        day = f"{datetime.fromtimestamp(int(expires), UTC):%Y-%m-%d}" if expires.isdecimal() else expires
        return f"expired on {day}"
    if "D" in record.fields[11]:
        return _UNFIT["d"]
    return _UNFIT.get(validity, "")


def _public(record: _Record) -> GPGKey | None:
    """Return a key as securesystemslib wants it, or nothing when it is of a kind that we do not accept."""
    algorithm, numbers = record.fields[3], record.numbers
    if algorithm == _RSA and len(numbers) > 1 and int(record.fields[2]) >= _WEAKEST_RSA:
        kind, scheme, public = "rsa", "pgp+rsa-pkcsv1.5", {"n": numbers[0].lower(), "e": numbers[1].lower()}
    elif algorithm == _EDDSA and len(numbers) > 1 and numbers[0] == _ED25519:
        if (point := _POINT.fullmatch(numbers[1])) is None:
            return None
        kind, scheme, public = "eddsa", "pgp+eddsa-ed25519", {"q": point[1].lower()}
    else:
        return None
    return GPGKey(record.fingerprint.lower(), kind, scheme, {"private": "", "public": public})


@contextmanager
def _scratch_home() -> Iterator[Path]:
    """A short (gpg's socket paths must be), fresh, private home."""
    home = Path(tempfile.mkdtemp(prefix="pin-", dir="/tmp"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
