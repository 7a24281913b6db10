"""One release file and everything that speaks for it: candidate's digest, checksum file, signatures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.checksums import LARGEST_CHECKSUMS, must_be_listed
from pytest_ovirt_release.checks.download import (
    Downloaded,
    NotThere,
    TooLarge,
    addresses,
    download_any,
    local_name,
)
from pytest_ovirt_release.checks.openpgp import LARGEST_SIGNATURE, SignatureVerdict, judge
from pytest_ovirt_release.checks.openpgp_reasons import SENTENCES
from pytest_ovirt_release.checks.openpgp_status import BAD
from pytest_ovirt_release.errors import CheckFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pytest_ovirt_release.checks.signers import SignerPolicy
    from pytest_ovirt_release.release.candidate import CandidateFile

LARGEST_FILE = 2 * 1024**3
"""Bytes."""


class RefusedSignature(CheckFailed):
    """A refusal by signature; it still knows whom it met."""

    def __init__(self, verdict: SignatureVerdict, what: str) -> None:
        """Take the verdict and the address of what was signed."""
        super().__init__(verdict.code, f"{what}: {verdict.sentence}")
        self.uids = verdict.uids


@dataclass(frozen=True)
class Site:
    """How files come: to which folder, from which mirrors besides, within how many seconds each; who may sign."""

    folder: Path
    policy: SignerPolicy
    now: datetime
    deadline: float
    mirrors: Sequence[tuple[str, Sequence[str]]] = field(default=())

    def get(self, url: str, missing: str, largest: int, sha256: str | None = None) -> Downloaded:
        """Download a file; CheckFailed(`missing`) when it is not there."""
        path = self.folder / "files" / local_name(url)
        urls = addresses(url, self.mirrors)
        try:
            return download_any(urls, path, deadline=self.deadline, largest=largest, sha256=sha256)
        except NotThere as error:
            raise CheckFailed(missing, str(error)) from error

    def release_file(self, url: str, kind: str, wanted: CandidateFile | None) -> Downloaded:
        """Download a file that has to be the candidate's; `not-in-candidate`, `{kind}-missing`, `digest-differs`."""
        if wanted is None:
            raise CheckFailed("not-in-candidate", f"the candidate names no such file as {url}")
        got = self.get(url, f"{kind}-missing", LARGEST_FILE, wanted.sha256)
        if got.sha256 != wanted.sha256:
            raise CheckFailed(
                "digest-differs",
                f"{got.url} has SHA-256 {got.sha256} and {got.size} bytes, "
                f"the candidate says {wanted.sha256} and {wanted.size} bytes",
            )
        return got

    def signed(self, got: Downloaded, signature_url: str, *, recorded: bool) -> SignatureVerdict:
        """Judge the detached signature of a downloaded file.

        `recorded` says that its digest is the candidate's: then it was not changed, and a signature that does not
        fit is of another file.
        """
        try:
            signature = self.get(signature_url, "signature-missing", LARGEST_SIGNATURE)
        except TooLarge as error:
            raise CheckFailed("signature-too-large", f"{error}; so it is no signature") from error
        verdict = judge(signature.path, got.path, self.policy, now=self.now, deadline=self.deadline)
        if verdict.code == BAD and recorded:
            code = "signature-of-other-file"
            verdict = verdict.model_copy(update={"code": code, "sentence": SENTENCES[code]})
        if not verdict.accepted and signature.url != signature_url:
            raise Unreachable(
                f"{signature_url} did not answer, and what its mirror {signature.url} has is refused: {verdict.sentence}"
            )
        if not verdict.accepted:
            raise RefusedSignature(verdict, got.url)
        if verdict.data_sha256 != got.sha256:
            raise CheckFailed("file-changed", f"{got.path} changed between download and signature check")
        return verdict

    def listed(
        self, got: Downloaded, name: str, checksums: str, signature: str | None
    ) -> SignatureVerdict | None:
        """Check that a checksum file, signed if `signature` is its address, gives the file's digest."""
        sums = self.get(checksums, "checksums-missing", LARGEST_CHECKSUMS)
        verdict = self.signed(sums, signature, recorded=False) if signature else None
        text = sums.path.read_text(encoding="utf-8", errors="replace")
        must_be_listed(text, name, got.sha256, checksums)
        return verdict
