"""Judge gpg's status lines, block by block (pure).

gpg ends with 0 for expired and revoked keys, and VALIDSIG stands in their blocks too; so a verdict is made
from all keywords of each NEWSIG block, never from the exit code (gnupg doc/DETAILS).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_ovirt_release.release.model import Strict

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_ovirt_release.checks.signers import SignerPolicy

GOOD = "good-signature"
BAD = "bad-signature"
TOLERABLE = frozenset({"unknown-signer", "not-authorised"})
"""Blocks by others: reported, and passed over only when the policy says so."""

BAD_KEYWORDS = frozenset({"BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "KEYREVOKED"})
DIGESTS = {
    1: "MD5", 2: "SHA-1", 3: "RIPEMD-160", 8: "SHA-256", 9: "SHA-384", 10: "SHA-512", 11: "SHA-224",
    12: "SHA3-256", 14: "SHA3-512",
}  # fmt: skip
STRONG_DIGESTS = frozenset({8, 9, 10, 12, 14})
CLOCK_SKEW = timedelta(minutes=10)
"""How far in the future a signature may be dated: clocks of signer and tester differ."""

NO_PUBLIC_KEY = "9"
_PLAIN_REFUSALS = (
    ("BADSIG", BAD),
    ("REVKEYSIG", "revoked-key"),
    ("KEYREVOKED", "revoked-key"),
    ("EXPSIG", "expired-signature"),
)
_UID_KEYWORDS = ("GOODSIG", "BADSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}([0-9A-F]{24})?")
_VALIDSIG_FIELDS = 10

WORST_FIRST = (
    "bad-signature", "revoked-key", "unverifiable", "weak-digest", "wrong-class", "expired-signature", "expired-key",
    "expired-key-lived", "future-dated", "too-early", "not-authorised", "unknown-signer",
)  # fmt: skip


class SignatureBlock(Strict):
    """One signature of the file: reason code, who made it (key and primary fingerprint, user id), when, how."""

    code: str
    primary: str | None = None
    key: str | None = None
    uid: str = ""
    signed_at: datetime | None = None
    digest: str = ""
    signature_class: str = ""
    keywords: tuple[str, ...] = ()


def judge_status(
    status: bytes, policy: SignerPolicy, *, now: datetime, classes: Collection[str], expected: int
) -> tuple[str, tuple[SignatureBlock, ...]]:
    """Return a reason code (`good-signature` when accepted) and every block's own judgement.

    `classes` are the accepted signature classes (`00` binary, `01` text); `expected` is how many signatures
    the file holds: gpg must have judged each of them.
    """
    preamble, groups = _split(status)
    blocks = tuple(_judge_block(lines, policy, now, classes) for lines in groups)
    if not blocks:
        return "not-a-signature", blocks
    if {words[0] for words in preamble} & (BAD_KEYWORDS | {"GOODSIG", "VALIDSIG"}):
        return "unverifiable", blocks
    refused = {b.code for b in blocks} - {GOOD}
    if policy.tolerate_others and any(b.code == GOOD for b in blocks):
        refused -= TOLERABLE
    if refused:
        return min(refused, key=WORST_FIRST.index), blocks
    if len(blocks) != expected:
        return "ambiguous-signatures", blocks
    if len({b.primary for b in blocks if b.code == GOOD}) < max(1, policy.required):
        return "too-few-signers", blocks
    return GOOD, blocks


def _split(status: bytes) -> tuple[list[list[str]], list[list[list[str]]]]:
    """Split into lines before the first NEWSIG and one group per NEWSIG; only a line feed ends a line."""
    preamble: list[list[str]] = []
    groups: list[list[list[str]]] = []
    for line in status.split(b"\n"):
        if not line.startswith(b"[GNUPG:] "):
            continue
        words = line.removeprefix(b"[GNUPG:] ").decode("utf-8", "replace").rstrip("\r").split(" ")
        if words[0] == "NEWSIG":
            groups.append([])
        elif groups:
            groups[-1].append(words)
        else:
            preamble.append(words)
    return preamble, groups


def _judge_block(
    lines: Sequence[Sequence[str]], policy: SignerPolicy, now: datetime, classes: Collection[str]
) -> SignatureBlock:
    keywords = tuple(words[0] for words in lines)
    uid = next((unquote(" ".join(words[2:])) for words in lines if words[0] in _UID_KEYWORDS), "")
    valid = [words[1:] for words in lines if words[0] == "VALIDSIG"]
    facts = _facts(valid[0]) if len(valid) == 1 and len(valid[0]) >= _VALIDSIG_FIELDS else None
    code = _refusal(lines, keywords, facts) or ("unverifiable" if facts is None else None)
    if code is None and facts is not None:
        code = _policy_refusal(facts, int(valid[0][7]), policy, now, classes) or GOOD
    known = facts or _errsig_facts(lines)
    return known.model_copy(update={"code": code, "uid": uid, "keywords": keywords})


def _refusal(
    lines: Sequence[Sequence[str]], keywords: tuple[str, ...], facts: SignatureBlock | None
) -> str | None:
    """What gpg itself holds against the signature."""
    plain = next((code for keyword, code in _PLAIN_REFUSALS if keyword in keywords), None)
    if plain is not None:
        return plain
    if "EXPKEYSIG" in keywords:
        return _expired_key(lines, facts)
    if "ERRSIG" in keywords:
        fields = next(words[1:] for words in lines if words[0] == "ERRSIG")
        return _errsig(fields)
    if keywords.count("GOODSIG") != 1 or keywords.count("VALIDSIG") != 1:
        return "unverifiable"
    return None


def _expired_key(lines: Sequence[Sequence[str]], facts: SignatureBlock | None) -> str:
    """Tell a key that had expired when it signed from one that expired afterwards."""
    ends = [_moment(words[1]) for words in lines if words[0] == "KEYEXPIRED" and len(words) > 1]
    known = [end for end in ends if end is not None]
    if facts is not None and facts.signed_at is not None and known and facts.signed_at < min(known):
        return "expired-key-lived"
    return "expired-key"


def _errsig(fields: Sequence[str]) -> str:
    code_field, digest_field = 5, 2
    if len(fields) > code_field and fields[code_field] == NO_PUBLIC_KEY:
        return "unknown-signer"
    if len(fields) > digest_field and _number(fields[digest_field]) not in STRONG_DIGESTS:
        return "weak-digest"
    return "unverifiable"


def _policy_refusal(
    facts: SignatureBlock, digest: int, policy: SignerPolicy, now: datetime, classes: Collection[str]
) -> str | None:
    """What the policy holds against a signature that gpg calls good."""
    if facts.primary not in policy.fingerprints:
        return "not-authorised"
    if digest not in STRONG_DIGESTS:
        return "weak-digest"
    if facts.signature_class not in classes:
        return "wrong-class"
    if facts.signed_at is None or facts.signed_at > now + CLOCK_SKEW:
        return "future-dated"
    if policy.not_before is not None and facts.signed_at < policy.not_before:
        return "too-early"
    return None


def _facts(fields: Sequence[str]) -> SignatureBlock | None:
    """Read VALIDSIG: fpr, date, time, expiry, version, reserved, key algorithm, digest, class, primary fpr."""
    digest = _number(fields[7])
    if not _FINGERPRINT.fullmatch(fields[0]) or not _FINGERPRINT.fullmatch(fields[9]) or digest is None:
        return None
    return SignatureBlock(
        code="unverifiable",
        key=fields[0],
        primary=fields[9],
        signed_at=_moment(fields[2]),
        digest=DIGESTS.get(digest, f"digest {digest}"),
        signature_class=fields[8],
    )


def _errsig_facts(lines: Sequence[Sequence[str]]) -> SignatureBlock:
    fields = next((words[1:] for words in lines if words[0] == "ERRSIG"), [])
    digest = _number(fields[2]) if len(fields) > 2 else None  # noqa: PLR2004 - field 3 is the digest
    return SignatureBlock(
        code="unverifiable",
        key=fields[0] if fields else None,
        digest=DIGESTS.get(digest, f"digest {digest}") if digest is not None else "",
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None  # noqa: PLR2004 - 64 bits


def _moment(text: str) -> datetime | None:
    """Read gpg's time: seconds since 1970, or ISO 8601 basic format."""
    seconds = _number(text)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
