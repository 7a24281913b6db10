"""What kind of OpenPGP packets a file holds (RFC 9580 sections 4.2 and 6.2), so that gpg only ever sees the kind we mean.

A "detached signature" that is really a signed message verifies itself and says nothing about the data file;
so everything but signature packets is refused before gpg is asked.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = 2
PUBLIC_KEY_PACKETS = frozenset({2, 6, 12, 13, 14, 17})
"""Signature, public key, trust (only in local keyrings), user id, public subkey, user attribute."""

CLEARSIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----"

_ARMOR = re.compile(
    rb"-----BEGIN PGP (?P<kind>[A-Z ]+)-----[ \t]*\r?\n"
    rb"(?P<headers>(?:[A-Za-z]+: [^\r\n]*\r?\n)*)[ \t]*\r?\n"
    rb"(?P<body>[A-Za-z0-9+/=\r\n \t]*?)\r?\n?"
    rb"(?:=[A-Za-z0-9+/]{4}[ \t]*\r?\n)?"
    rb"-----END PGP (?P=kind)-----"
)


class NotOpenPgp(Exception):  # noqa: N818 - reads as what it says
    """The bytes are not the OpenPGP packets that were wanted; `code` is the reason code."""

    def __init__(self, code: str, text: str) -> None:
        """Take the reason code and a sentence without a subject."""
        self.code = code
        super().__init__(text)


def signature_packets(data: bytes) -> tuple[bytes, int]:
    """Return the binary signature packets of a detached signature and how many they are.

    Raises:
        NotOpenPgp: empty, a web page, clearsigned text, or anything that holds other packets.
    """
    stripped = data.strip()
    if not stripped:
        raise NotOpenPgp("signature-empty", "the signature file is empty")
    if stripped.startswith(CLEARSIGNED):
        raise NotOpenPgp("signature-is-clearsigned", "it is a clearsigned text, not a detached signature")
    if (
        stripped[:512]
        .lower()
        .lstrip(b"\xef\xbb\xbf")
        .startswith((b"<!doctype", b"<html", b"<?xml", b"<head"))
    ):
        raise NotOpenPgp("signature-is-web-page", "it is a web page, not a signature")
    binary = _binary(data, b"SIGNATURE")
    tags = list(packet_tags(binary))
    strange = sorted(set(tags) - {SIGNATURE})
    if strange or not tags:
        raise NotOpenPgp("not-a-signature", f"it holds packets of type {strange}, not signatures only")
    return binary, len(tags)


def key_packets(data: bytes) -> bytes:
    """Return the binary packets of a public key file; NotOpenPgp when it holds anything else."""
    binary = _binary(data, b"PUBLIC KEY BLOCK")
    tags = set(packet_tags(binary))
    if tags - PUBLIC_KEY_PACKETS or 6 not in tags:  # noqa: PLR2004 - 6 is the public key packet
        raise NotOpenPgp("not-a-key", f"it holds packets of type {sorted(tags)}, not public keys only")
    return binary


def packet_tags(data: bytes) -> Iterator[int]:
    """Yield the type of each packet; NotOpenPgp when the lengths do not add up."""
    return (tag for tag, _ in packets(data))


def packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each packet; NotOpenPgp when the lengths do not add up."""
    at = 0
    while at < len(data):
        first = data[at]
        if not first & 0x80:
            raise NotOpenPgp("not-a-signature", f"byte {at} starts no OpenPGP packet")
        if first & 0x40:
            tag, (length, header) = first & 0x3F, _new_length(data, at + 1)
        else:
            tag, (length, header) = (first >> 2) & 0x0F, _old_length(data, at + 1, first & 0x03)
        at += 1 + header + length
        if at > len(data):
            raise NotOpenPgp("not-a-signature", "its last packet is cut off")
        yield tag, data[at - length : at]


def _binary(data: bytes, kind: bytes) -> bytes:
    if data[:1] and data[0] & 0x80:
        return data
    parts = []
    end = 0
    for block in _ARMOR.finditer(data):
        if data[end : block.start()].strip() or block["kind"] != kind:
            break
        end = block.end()
        try:
            parts.append(base64.b64decode(b"".join(block["body"].split()), validate=True))
        except binascii.Error as error:
            raise NotOpenPgp("not-a-signature", f"its armour cannot be decoded: {error}") from error
    if not parts or data[end:].strip():
        raise NotOpenPgp("not-a-signature", f"it is not one PGP {kind.decode().lower()} and nothing else")
    return b"".join(parts)


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    one, two, last_two_octet = 192, 224, 255
    first = data[at] if at < len(data) else last_two_octet - 1
    if first < one:
        return first, 1
    if first < two and at + 1 < len(data):
        return ((first - one) << 8) + data[at + 1] + one, 2
    if first == last_two_octet:
        return int.from_bytes(data[at + 1 : at + 5], "big"), 5
    raise NotOpenPgp("not-a-signature", "a packet has a partial or missing length")


def _old_length(data: bytes, at: int, kind: int) -> tuple[int, int]:
    indeterminate = 3
    size = 1 << kind
    if kind == indeterminate or at + size > len(data):
        raise NotOpenPgp("not-a-signature", "a packet has no length")
    return int.from_bytes(data[at : at + size], "big"), size
