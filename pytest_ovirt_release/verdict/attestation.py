"""Attest a verdict, and hold an attestation against what it is about.

An attestation is one in-toto statement in a DSSE envelope, signed by an OpenPGP key. To verify one takes no network
and no keyring: the envelope, the public key's file, and the fingerprint that is trusted.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release import loading
from pytest_ovirt_release.release.loading import read_bounded
from pytest_ovirt_release.verdict.bundle import SUFFIX, read_bundle
from pytest_ovirt_release.verdict.contents import CANDIDATE, LARGEST_INPUT
from pytest_ovirt_release.verdict.decision import DECISION_FILE, Decision, confirmed
from pytest_ovirt_release.verdict.envelope import (
    LARGEST_ENVELOPE,
    AttestationBad,
    read_envelope,
    said,
    signer_of,
    statement_in,
)
from pytest_ovirt_release.verdict.merge import BUNDLES, again
from pytest_ovirt_release.verdict.model import Verdict
from pytest_ovirt_release.verdict.pinned_key import LARGEST_KEY_FILE, UnfitKey, full_fingerprint, read_key
from pytest_ovirt_release.verdict.recompute import AHEAD
from pytest_ovirt_release.verdict.serial import LARGEST_VERDICT, VERDICT_FILE, verdict_json
from pytest_ovirt_release.verdict.signing import sign
from pytest_ovirt_release.verdict.statement import PAYLOAD_TYPE, facts, state, subjects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.verdict.pinned_key import Part, PublicKey
    from pytest_ovirt_release.verdict.statement import Predicate, Statement

__all__ = ["ATTESTATION_FILE", "AttestationBad", "Verified", "attest", "verify"]

ATTESTATION_FILE = "attestation.dsse.json"
LARGEST_DECISION = 4 * 1024 * 1024


@dataclass(frozen=True)
class Verified:
    """An attestation that fits: who signed it, with which part of the key, and what was held against it.

    `beside` are the names of the files beside the envelope that fit, `files` the release files that were given, each
    with the name of its subject; `remarks` are sentences about what it does not cover.
    """

    statement: Statement
    key: PublicKey
    part: Part
    beside: tuple[str, ...]
    files: tuple[tuple[Path, str], ...]
    remarks: tuple[str, ...]


def attest(folder: Path, fingerprint: str, home: Path | None = None, *, now: datetime | None = None) -> str:
    """Return an attestation, as JSON, of the verdict in a folder (of a run, or of a merge), whatever it says.

    `fingerprint` is the signing key's, full, of the primary key; `home` gpg's home (default: gpg's own).

    Raises:
        ReleaseError: the runs beside the verdict do not give it (or give another today), its candidate is not there
            or lists no file, or the key cannot or may not sign.
    """
    named = full_fingerprint(fingerprint)
    now = now or datetime.now(UTC).replace(microsecond=0)
    verdict = confirmed(folder)
    _must_still_hold(folder, verdict, now)
    facts(verdict)  # one without a candidate is refused before anybody looks for its file
    data, where = _candidate_of(folder)
    if verdict.candidate is None or hashlib.sha256(data).hexdigest() != verdict.candidate.sha256:
        raise ReleaseError(f"{where}: is not the candidate that was judged; judge the runs again")
    statement = state(
        verdict,
        loading.parse_candidate(data, Path(where)),
        verdict_json=verdict_json(verdict).encode(),  # `confirmed` found these very bytes in the file
        decision=_decision(folder / DECISION_FILE),
        now=now,
    )
    envelope = sign(statement.to_bytes(), PAYLOAD_TYPE, named, home)
    return json.dumps(envelope.to_dict(), indent=2) + "\n"


def verify(path: Path, files: Sequence[Path] = (), *, fingerprint: str, key_file: Path) -> Verified:
    """Hold an attestation (a file, or the one in a folder) against the files beside it and some release files.

    In a folder verdict.json has to be there, and decision.json if the attestation names one; beside a file that was
    named itself they are looked at where they are. Signatures by a valid subkey of the pinned key count as its own.

    Raises:
        AttestationBad: something does not fit; the text says what.
        ReleaseError: the fingerprint is not a full one, the key file is not there, or gpg is not installed.
        OutOfTime: gpg did not finish.
    """
    pin = full_fingerprint(fingerprint)
    key_data = read_bounded(key_file, LARGEST_KEY_FILE)
    is_folder = path.is_dir()
    folder, file = (path, path / ATTESTATION_FILE) if is_folder else (path.parent, path)
    envelope = read_envelope(_bytes(file, LARGEST_ENVELOPE))
    try:
        key = read_key(key_data, pin)
    except UnfitKey as error:
        raise AttestationBad(f"{key_file}: {error}") from error
    part = signer_of(envelope, key)
    statement = statement_in(envelope)
    beside, remarks = _beside(folder, statement, required=is_folder)
    matched = tuple((given, _subject_of(given, statement)) for given in files)
    return Verified(statement, key, part, beside, matched, remarks)


def _must_still_hold(folder: Path, verdict: Verdict, now: datetime) -> None:
    """Raise ReleaseError when a verdict is of a moment to come, or would be another now: a waiver may have ended."""
    if datetime.fromisoformat(verdict.as_of) > now + AHEAD:
        raise ReleaseError(
            f"the verdict is as of {verdict.as_of}, a moment that has not come; judge the runs again"
        )
    if (today := again(folder, verdict, now).verdict) != verdict.verdict:
        raise ReleaseError(
            f"the verdict was {verdict.verdict} as of {verdict.as_of}, and is {today} now; judge the runs again"
        )


def _decision(path: Path) -> tuple[bytes, Literal["go", "no-go"]] | None:
    if not path.exists():
        return None
    data = read_bounded(path, LARGEST_DECISION)
    try:
        return data, Decision.model_validate_json(data).outcome
    except ValueError as error:
        raise ReleaseError(f"{path}: is no decision that this program wrote; move it away") from error


def _candidate_of(folder: Path) -> tuple[bytes, str]:
    """Return the bytes of the candidate that a run's or merge's folder was judged by, and how messages call it."""
    bundles = sorted((folder / BUNDLES).glob(f"*{SUFFIX}"))
    if not bundles:
        return read_bounded(folder / CANDIDATE, LARGEST_INPUT), str(folder / CANDIDATE)
    where = f"{bundles[0]}: {CANDIDATE}"
    data = read_bundle(bundles[0]).files.get(CANDIDATE)
    if data is None:
        raise ReleaseError(f"{where}: is not in it")
    return data, where


def _beside(folder: Path, statement: Statement, *, required: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Hold a statement against the files in a folder: return the names of those that fit, and remarks."""
    predicate, fits, remarks = statement.predicate, [], []
    if required or (folder / VERDICT_FILE).exists():
        _verdict_fits(folder / VERDICT_FILE, predicate)
        fits.append(VERDICT_FILE)
    else:
        remarks.append(f"{VERDICT_FILE} is not beside the envelope, so it was not looked at")
    decision = folder / DECISION_FILE
    if predicate.decision_sha256 is None:
        if decision.exists():
            remarks.append(f"{DECISION_FILE} is NOT covered: it was not there when this was attested")
    elif required or decision.exists():
        _digest_fits(decision, _bytes(decision, LARGEST_DECISION), predicate.decision_sha256)
        fits.append(DECISION_FILE)
    if (folder / CANDIDATE).exists():
        _candidate_fits(folder / CANDIDATE, statement)
        fits.append(CANDIDATE)
    return tuple(fits), tuple(remarks)


def _verdict_fits(file: Path, predicate: Predicate) -> None:
    data = _bytes(file, LARGEST_VERDICT)
    _digest_fits(file, data, predicate.verdict_sha256)
    try:
        stated = facts(Verdict.model_validate_json(data))
    except (ValidationError, ReleaseError) as error:
        raise AttestationBad(
            f"{file}: is attested, but is no verdict: {str(error).splitlines()[0]}"
        ) from error
    for name, wanted in stated.items():
        if (given := getattr(predicate, name)) != wanted:
            raise AttestationBad(
                f"{file}: says {name} {said(wanted)}, the attestation says {said(given)}: it attests what is not so"
            )


def _candidate_fits(file: Path, statement: Statement) -> None:
    data = _bytes(file, LARGEST_INPUT)
    _digest_fits(file, data, statement.predicate.candidate.sha256)
    try:
        listed = subjects(loading.parse_candidate(data, file))
    except ReleaseError as error:
        raise AttestationBad(f"{file}: is attested, but cannot be read: {error}") from error
    if listed != statement.subject:
        raise AttestationBad(f"{file}: lists other files than the attestation does")


def _digest_fits(file: Path, data: bytes, wanted: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise AttestationBad(f"{file}: its SHA-256 is {found}, the attestation is about {wanted}")


def _subject_of(file: Path, statement: Statement) -> str:
    """Return the name of the subject that a release file is."""
    if file.exists() and not file.is_file():  # a pipe would wait for a writer
        raise AttestationBad(f"{file}: is no regular file, hence no release file")
    try:
        found = loading.sha256_of(file)
    except ReleaseError as error:
        raise AttestationBad(str(error)) from error
    for subject in statement.subject:
        if subject.digest.sha256 == found:
            return subject.name
    named = [s.digest.sha256 for s in statement.subject if s.name == file.name]
    instead = f"; the one of that name has {named[0]}" if named else ""
    raise AttestationBad(
        f"{file}: its SHA-256 {found} is none of the {len(statement.subject)} files attested{instead}"
    )


def _bytes(file: Path, largest: int) -> bytes:
    try:
        return read_bounded(file, largest)
    except ReleaseError as error:
        raise AttestationBad(str(error)) from error
