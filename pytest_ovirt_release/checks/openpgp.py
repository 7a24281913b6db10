"""OpenPGP signatures judged by a policy: who may sign, with which key, when, how strongly.

The rules: keys pinned by digest, never the user's keyring, no keyserver; each signature block good and valid
and nothing held against it; the primary key holds the role; a strong digest; the right signature class; a
plausible date; exactly the bytes we hashed. gpg computes, we judge (`openpgp_status`).
"""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.gpg_command import gpg, home_with
from pytest_ovirt_release.checks.openpgp_packets import CLEARSIGNED, NotOpenPgp, packets, signature_packets
from pytest_ovirt_release.checks.openpgp_prefix import signs_these_bytes
from pytest_ovirt_release.checks.openpgp_reasons import LARGEST_SIGNATURE, SENTENCES
from pytest_ovirt_release.checks.openpgp_status import BAD, GOOD, SignatureBlock, judge_status
from pytest_ovirt_release.checks.signers import KeyPin, SignerPolicy, SignerUnassigned, keyring
from pytest_ovirt_release.errors import CheckFailed
from pytest_ovirt_release.release.model import Strict

if TYPE_CHECKING:
    from pytest_ovirt_release.release.page import Page

__all__ = [
    "LARGEST_SIGNATURE", "KeyPin", "SignatureBlock", "SignatureVerdict", "SignerPolicy", "SignerUnassigned", "judge", "policy_for",
    "sha256_of", "verify_clearsigned",
]  # fmt: skip

LARGEST_CLEARSIGNED = 8 * 1024 * 1024
SIGNATURE_BEGINS = b"-----BEGIN PGP SIGNATURE-----"
BINARY = frozenset({"00"})
TEXT = frozenset({"00", "01"})
"""A clearsigned text is signed as text (01); some tools mark it binary (00)."""


class SignatureVerdict(Strict):
    """Whether a signature is accepted, and everything that was learnt about it.

    `signer` is the primary fingerprint of an accepted signature. `data_sha256` is of the very bytes that gpg
    verified. `uids` are all user ids gpg named, accepted or not: what this connection *met*.
    """

    accepted: bool
    code: str
    sentence: str
    signer: str | None = None
    signed_at: datetime | None = None
    blocks: tuple[SignatureBlock, ...] = ()
    data_sha256: str = ""
    signature_sha256: str = ""
    uids: tuple[str, ...] = ()

    def as_evidence(self) -> dict[str, object]:
        """Return what the report keeps: who signed when, with which digest, over which bytes."""
        return {
            "code": self.code,
            "signer": self.signer,
            "user ids": list(self.uids),
            "signed at": self.signed_at.isoformat() if self.signed_at else None,
            "digests": [b.digest for b in self.blocks],
            "data sha256": self.data_sha256,
            "signature sha256": self.signature_sha256,
        }

    def must_be_accepted(self, what: str) -> None:
        """Raise CheckFailed with this verdict's code unless it is accepted; `what` names the signed file."""
        if not self.accepted:
            raise CheckFailed(self.code, f"{what}: {self.sentence}")


def policy_for(page: Page, role: str) -> SignerPolicy:
    """Return the policy of a role on a loaded page, whose key paths are absolute."""
    return SignerPolicy.of(page, role, Path("/"))


def judge(
    signature: Path, data: Path, policy: SignerPolicy, *, now: datetime, deadline: float
) -> SignatureVerdict:
    """Judge a detached signature of a file; takes at most `deadline` seconds.

    Raises:
        SignerUnassigned: nobody holds the policy's role.
        ReleaseError: gpg is not installed, or a pinned key file is missing or differs.
        OutOfTime: gpg did not finish.
    """
    try:
        with signature.open("rb") as file:
            raw = file.read(LARGEST_SIGNATURE + 1)
    except FileNotFoundError:
        return _refused("signature-missing", policy)
    if len(raw) > LARGEST_SIGNATURE:
        return _refused("signature-too-large", policy)
    try:
        binary, count = signature_packets(raw)
    except NotOpenPgp as error:
        return _refused(error.code, policy, str(error))
    policy.must_be_assigned()
    ring = keyring(policy)
    with home_with(ring) as home, ThreadPoolExecutor(1) as pool:
        (home / "signature.gpg").write_bytes(binary)
        digest = pool.submit(sha256_of, data)
        words = ["--verify", "--", str(home / "signature.gpg"), str(data.absolute())]
        code, status, complaint = gpg(home, words, deadline)
        data_sha256 = digest.result()
    verdict = _verdict(status, code, complaint, policy, now, expected=count, clearsigned=False)
    if verdict.code == BAD:
        verdict = _damaged_or_of_other_bytes(verdict, binary, data, policy)
    return verdict.model_copy(
        update={"data_sha256": data_sha256, "signature_sha256": hashlib.sha256(raw).hexdigest()}
    )


def verify_clearsigned(
    path: Path, out: Path, policy: SignerPolicy, *, now: datetime, deadline: float
) -> SignatureVerdict:
    """Judge a clearsigned text; when it is accepted, `out` holds what gpg says was signed, and only that.

    Raises as `judge` does. `out` is written only for an accepted text.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_CLEARSIGNED + 1)
    except FileNotFoundError:
        return _refused("signature-missing", policy)
    problem, count = _clearsigned_problem(raw), 0
    if not problem:
        try:
            _, count = signature_packets(raw[raw.rindex(SIGNATURE_BEGINS) :])
        except NotOpenPgp as error:
            problem = str(error)
    if problem:
        return _refused("not-clearsigned", policy, problem)
    policy.must_be_assigned()
    ring = keyring(policy)
    with home_with(ring) as home:
        text, copy = home / "signed.txt", home / "message.asc"
        copy.write_bytes(raw)
        words = ["--output", str(text), "--verify", "--", str(copy)]
        code, status, complaint = gpg(home, words, deadline)
        verdict = _verdict(status, code, complaint, policy, now, expected=count, clearsigned=True)
        if not verdict.accepted:
            return verdict
        signed = text.read_bytes()
        out.write_bytes(signed)
    return verdict.model_copy(
        update={
            "data_sha256": hashlib.sha256(signed).hexdigest(),
            "signature_sha256": hashlib.sha256(raw).hexdigest(),
        }
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hex, reading it once in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verdict(  # noqa: PLR0913 - one call each from two entry points
    status: bytes,
    exit_code: int,
    complaint: str,
    policy: SignerPolicy,
    now: datetime,
    *,
    expected: int,
    clearsigned: bool,
) -> SignatureVerdict:
    classes = TEXT if clearsigned else BINARY
    code, blocks = judge_status(status, policy, now=now, classes=classes, expected=expected)
    if code == GOOD and exit_code != 0 and all(b.code == GOOD for b in blocks):
        code = "unverifiable"
    accepted = code == GOOD
    block = next((b for b in blocks if b.code == code), blocks[0] if blocks else None)
    sentence = _sentence(code, policy, block)
    if not accepted and complaint and code in ("unverifiable", "not-a-signature", "ambiguous-signatures"):
        sentence = f"{sentence} ({complaint})"
    return SignatureVerdict(
        accepted=accepted,
        code=code,
        sentence=sentence,
        signer=block.primary if block and accepted else None,
        signed_at=block.signed_at if block else None,
        blocks=blocks,
        uids=tuple(dict.fromkeys(b.uid for b in blocks if b.uid)),
    )


def _damaged_or_of_other_bytes(
    verdict: SignatureVerdict, binary: bytes, data: Path, policy: SignerPolicy
) -> SignatureVerdict:
    bodies = [body for _, body in packets(binary)]
    bad = [i for i, block in enumerate(verdict.blocks) if block.code == BAD]
    if len(bodies) != len(verdict.blocks) or not all(signs_these_bytes(bodies[i], data) for i in bad):
        return verdict
    code = "damaged-signature"
    return verdict.model_copy(
        update={"code": code, "sentence": _sentence(code, policy, verdict.blocks[bad[0]])}
    )


def _sentence(code: str, policy: SignerPolicy, block: SignatureBlock | None) -> str:
    who = "an unknown key"
    if block is not None and (block.primary or block.key):
        who = f"{block.uid or 'key'} {block.primary or block.key}".strip()
    return SENTENCES[code].format(
        signer=who,
        role=policy.role,
        instead=policy.roles_of(block.primary if block else None),
        digest=block.digest if block else "",
        signature_class=block.signature_class if block else "",
        signed_at=block.signed_at.isoformat() if block and block.signed_at else "at an unknown time",
    )


def _refused(code: str, policy: SignerPolicy, text: str = "") -> SignatureVerdict:
    return SignatureVerdict(accepted=False, code=code, sentence=text or _sentence(code, policy, None))


def _clearsigned_problem(raw: bytes) -> str:
    """Return why a file is not exactly one clearsigned text, or nothing when it is."""
    if len(raw) > LARGEST_CLEARSIGNED:
        return f"it is larger than {LARGEST_CLEARSIGNED} bytes"
    if not raw.startswith(CLEARSIGNED):
        return "it does not begin with a PGP signed message: text before it would be unsigned"
    marks = [line.rstrip() for line in raw.split(b"\n") if line.startswith(b"-----")]
    wanted = [CLEARSIGNED, SIGNATURE_BEGINS, b"-----END PGP SIGNATURE-----"]
    if marks != wanted or not raw.rstrip().endswith(wanted[-1]) or b"\0" in raw:
        return "it is not one PGP signed message and nothing else"
    head = re.split(rb"\r?\n[ \t]*\r?\n", raw, maxsplit=1)[0].split(b"\n")[1:]
    if not all(re.fullmatch(rb"Hash: [A-Za-z0-9, -]+\r?", line) for line in head):
        return "its PGP signed message has headers other than Hash"
    return ""
