"""Sign with a key of a gpg home: look first whether it may, then let securesystemslib sign."""

from __future__ import annotations

import os
import shlex
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from securesystemslib.dsse import Envelope
from securesystemslib.signer import GPGSigner  # type: ignore[attr-defined] # documented so, but not marked as exported

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.local.processes import ask
from pytest_ovirt_release.verdict.envelope import signer_of
from pytest_ovirt_release.verdict.pinned_key import DEADLINE, LISTING, UnfitKey, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_ovirt_release.verdict.pinned_key import Part, PublicKey

SIGNING_TIME = 10
"""Seconds that securesystemslib lets gpg sign, passphrase and all; it takes no other number."""


def sign(payload: bytes, payload_type: str, fingerprint: str, home: Path | None = None) -> Envelope:
    """Return a payload in an envelope signed by a key, given as its full primary fingerprint in upper case.

    `home` is gpg's home; without it gpg's own default. Of a key with subkeys for signing, the newest of those
    signs, as gpg itself would choose. A gpg-agent that this starts in `home` is ended again.

    Raises:
        UnfitKey: the key is not there, is revoked, expired or disabled, or has no part that may sign.
        ReleaseError: gpg did not sign.
    """
    where = home.absolute() if home else None
    if where is not None and not where.is_dir():
        raise ReleaseError(f"{where}: there is no such folder; --gnupg-home names gpg's home")
    with _agents_as_before(where):
        key = secret_key(fingerprint, where)
        key.must_be_fit()
        envelope = Envelope(payload, payload_type, {})
        _sign(envelope, _signing_part(key), where)
    signer_of(envelope, key)  # what nobody could verify is not handed out
    return envelope


def secret_key(fingerprint: str, home: Path | None) -> PublicKey:
    """Return a key of a gpg home, each part of it with whether its secret is at hand.

    Raises:
        UnfitKey: it is not there, or the fingerprint is a subkey's.
    """
    command = ["gpg", *_home(home), "--batch", "--no-tty", "--trust-model", "always", *LISTING]
    listed = ask([*command, "--list-secret-keys", fingerprint], deadline=DEADLINE, env=_env(home))
    keys = parse(listed.output)
    where = home or "gpg's default home"
    if not keys:
        raise UnfitKey(
            f"there is no secret key {fingerprint} in {where}; `gpg --list-secret-keys` shows what there is, "
            "--gnupg-home names another home"
        )
    if keys[0].fingerprint != fingerprint:
        raise UnfitKey(f"{fingerprint} is a subkey; name the primary key: {keys[0].fingerprint}")
    return keys[0]


def _signing_part(key: PublicKey) -> Part:
    """Return the part that gpg signs with: the newest subkey for signing, else the primary key."""
    primary, *subkeys = key.parts
    fit = [part for part in subkeys if part.secret and not part.problem]
    if fit:
        return max(fit, key=lambda part: part.created)
    if primary.problem:
        raise UnfitKey(
            f"key {key.fingerprint} ({key.uid}) {primary.problem}, and none of its subkeys can sign here either"
        )
    return primary


def _sign(envelope: Envelope, part: Part, home: Path | None) -> None:
    # securesystemslib splits its command line like a shell.
    signer = GPGSigner(part.verifier(), shlex.quote(str(home)) if home else None)
    how = f"try it by hand: gpg --local-user {part.fingerprint} --output /dev/null --detach-sign FILE"
    try:
        envelope.sign(signer)
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(
            f"gpg did not sign within {SIGNING_TIME} s; if it waits for a passphrase, unlock the key first, then run "
            f"this again: gpg --local-user {part.fingerprint} --output /dev/null --detach-sign FILE"
        ) from error
    except OSError as error:
        last = (str(error).strip().splitlines() or ["no reason given"])[-1]
        raise ReleaseError(f"gpg did not sign: {last}; {how}") from error
    except Exception as error:  # its documentation: a signer may raise anything
        raise ReleaseError(f"gpg's signature is of no use: {error}; {how}") from error


@contextmanager
def _agents_as_before(home: Path | None) -> Iterator[None]:
    """End the gpg-agent of a home afterwards, unless it ran before; the user's own in the default home stays."""
    if home is None:
        yield
        return
    asked = ["gpg-connect-agent", "--homedir", str(home), "--no-autostart", "GETINFO pid", "/bye"]
    ran = b"\nOK" in b"\n" + ask(asked, deadline=DEADLINE, env=_env(home)).out
    try:
        yield
    finally:
        if not ran:
            killed = ["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"]
            ask(killed, deadline=DEADLINE, env=_env(home))


def _home(home: Path | None) -> list[str]:
    return ["--homedir", str(home)] if home else []


def _env(home: Path | None) -> Mapping[str, str]:
    """Return what gpg needs to find its home, and nothing else."""
    names = ("PATH", "HOME") if home else ("PATH", "HOME", "GNUPGHOME")
    return {"LC_ALL": "C", **{name: os.environ[name] for name in names if name in os.environ}}
