"""DSSE envelopes, read as if an enemy had sent them: nothing of a payload is looked at before its signature fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field, StringConstraints, ValidationError
from pydantic_core import from_json
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecureSystemsError

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.model import Strict
from pytest_ovirt_release.verdict.pinned_key import UnfitKey
from pytest_ovirt_release.verdict.statement import PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ovirt_release.verdict.pinned_key import Part, PublicKey

LARGEST_ENVELOPE = 16 * 1024 * 1024
"""Bytes of an envelope at most; one of 1,000 runs and 100 files is about 250 KiB."""
LONGEST_SAID = 200
"""Characters of anything untrusted that a message repeats."""

Hex = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{2})+$", max_length=16_384)]
ModelT = TypeVar("ModelT", bound=Strict)

_FIRST_OCTETS = {"rsa": "04000108", "eddsa": "04001608"}
"""How the signed part of an OpenPGP signature begins: version 4, of binary data, algorithm, SHA-256."""


class AttestationBad(ReleaseError):  # noqa: N818 - reads as what happened
    """An attestation that does not fit: its signature, what it says, or what lies beside it."""


class _Signature(Strict):
    """One signature as securesystemslib writes it; `other_headers` is what OpenPGP signs beside the data."""

    keyid: Hex
    sig: Annotated[str, StringConstraints(max_length=16_384)]
    other_headers: Hex


class _File(Strict):
    """An envelope's JSON."""

    payload: str
    payload_type: str = Field(alias="payloadType")
    signatures: Annotated[tuple[_Signature, ...], Field(min_length=1, max_length=64)]


def read_envelope(data: bytes) -> Envelope:
    """Return an envelope that is well-formed and of our payload type. Its signatures are not yet looked at.

    Raises:
        AttestationBad: it is not.
    """
    given = _json(data, "the envelope")
    kind = given.get("payloadType")
    if "payload" in given and kind != PAYLOAD_TYPE:
        raise AttestationBad(f"the envelope's payload type is {said(kind)}, not {PAYLOAD_TYPE!r}")
    file = _validated(_File, data, "the envelope")
    if len({signature.keyid for signature in file.signatures}) < len(file.signatures):
        raise AttestationBad(
            "the envelope holds two signatures by one key, of which only one can be looked at"
        )
    try:
        return Envelope.from_dict(file.model_dump(by_alias=True))
    except ValueError as error:
        raise AttestationBad("the envelope's payload, or a signature in it, is not base64") from error


def signer_of(envelope: Envelope, key: PublicKey) -> Part:
    """Return the part of a key (the primary, or a subkey of it) by which an envelope is signed.

    Signatures of other people's keys are neither needed nor looked at; each of this key's own must fit.

    Raises:
        AttestationBad: it is not signed by this key, or that part may not sign, or the signature does not fit.
    """
    parts = [part for keyid in envelope.signatures if (part := key.part(keyid))]
    if not parts:
        by = ", ".join(keyid.upper() for keyid in list(envelope.signatures)[:3])
        raise AttestationBad(
            f"it is signed by {said(by)}, not by the pinned key {key.fingerprint} ({key.uid})"
        )
    for part in parts:
        _must_fit(envelope, key, part)
    return parts[0]


def statement_in(envelope: Envelope) -> Statement:
    """Return the statement in an envelope; to be called once its signature is known to fit.

    Raises:
        AttestationBad: it is not exactly our statement with our predicate.
    """
    given = _json(envelope.payload, "the statement")
    for name, wanted in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if given.get(name) != wanted:
            raise AttestationBad(f"the statement's {name} is {said(given.get(name))}, not {wanted!r}")
    return _validated(Statement, envelope.payload, "the statement")


def said(given: object) -> str:
    """Return something untrusted for a message: printable, on one line, not too long."""
    text = ascii(given)
    return text if len(text) <= LONGEST_SAID else f"{text[:LONGEST_SAID]}…"


def _must_fit(envelope: Envelope, key: PublicKey, part: Part) -> None:
    name = (
        f"key {key.fingerprint} ({key.uid})"
        if part.fingerprint == key.fingerprint
        else f"subkey {part.fingerprint} of key {key.fingerprint} ({key.uid})"
    )
    try:
        public = part.verifier()
    except UnfitKey as error:
        raise AttestationBad(f"it is signed by {name}, which {error}") from error
    headers = envelope.signatures[part.keyid].unrecognized_fields["other_headers"]
    if not headers.startswith(_FIRST_OCTETS[public.keytype]):
        # securesystemslib would take a signature over a key or a text just as well.
        raise AttestationBad(f"the signature by {name} is no signature of data with SHA-256")
    try:
        envelope.verify([public], 1)
    except (SecureSystemsError, ValueError) as error:
        raise AttestationBad(
            f"the signature by {name} does not fit: the payload or the signature was changed"
        ) from error


def _json(data: bytes, what: str) -> Mapping[str, Any]:
    try:
        given = from_json(data, allow_inf_nan=False)
    except ValueError as error:  # bad UTF-8, too deep, cut short
        raise AttestationBad(f"{what} is no JSON: {said(str(error))}") from None
    if not isinstance(given, dict):
        raise AttestationBad(f"{what} is no JSON object")
    return given


def _validated(model: type[ModelT], data: bytes, what: str) -> ModelT:
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise AttestationBad(
            f"{what} is not as this program writes it: {said(where)}: {first['msg']}"
        ) from None
