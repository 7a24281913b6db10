"""Read the bytes of an annotated tag: what it names, what it calls itself, and the signature inside it (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pytest_ovirt_release.errors import CheckFailed

Form = Literal["openpgp", "ssh", "x509"]

_BEGINS: tuple[tuple[bytes, Form], ...] = (
    (b"-----BEGIN PGP SIGNATURE-----", "openpgp"),
    (b"-----BEGIN PGP MESSAGE-----", "openpgp"),
    (b"-----BEGIN SSH SIGNATURE-----", "ssh"),
    (b"-----BEGIN SIGNED MESSAGE-----", "x509"),
)
_HEAD = re.compile(rb"object [0-9a-f]{40,64}\ntype (?P<kind>[a-z]+)\ntag (?P<name>[^\n]+)\n")


@dataclass(frozen=True)
class TagObject:
    """What an annotated tag calls itself, what it names, the signed part, and the signature with its form."""

    name: str
    kind: str
    payload: bytes
    signature: bytes | None = None
    form: Form | None = None


def parse_tag(raw: bytes) -> TagObject:
    """Read a tag object as git does: the last line that begins a signature begins it.

    Raises:
        CheckFailed: `tag-broken`.
    """
    head = _HEAD.match(raw)
    if head is None:
        raise CheckFailed("tag-broken", "the tag's object does not begin with object, type and tag")
    name, kind = head["name"].decode("utf-8", "replace"), head["kind"].decode()
    at, form = -1, None
    for mark, its_form in _BEGINS:
        found = raw.rfind(b"\n" + mark) + 1
        if found > max(at, 0):
            at, form = found, its_form
    if form is None:
        return TagObject(name, kind, raw)
    return TagObject(name, kind, raw[:at], raw[at:], form)
