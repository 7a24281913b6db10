"""A component's tarball, accepted once per run: downloaded, digests agree, signature judged, unpacked safely."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import FileLock, Timeout
from pydantic import ValidationError

from pytest_ovirt_release.checks.checksums import LARGEST_CHECKSUMS, must_be_listed
from pytest_ovirt_release.checks.download import Downloaded, NotThere, TooLarge, download, local_name
from pytest_ovirt_release.checks.openpgp import (
    LARGEST_SIGNATURE,
    SignatureVerdict,
    SignerPolicy,
    SignerUnassigned,
    judge,
    sha256_of,
)
from pytest_ovirt_release.checks.unpacking import unpack
from pytest_ovirt_release.errors import Blocked, CheckFailed, Unreachable
from pytest_ovirt_release.release.model import Strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.release.candidate import CandidateFile
    from pytest_ovirt_release.release.resolved import ComponentUnderTest
    from pytest_ovirt_release.target.model import Deadlines

LARGEST_TARBALL = 2 * 1024**3
"""Bytes."""


class SignedTarball(Strict):
    """A tarball that was accepted in this run: the file, its digests, who signed it, where it was unpacked."""

    component: str
    path: Path
    folder: Path
    source: Path
    verdict: SignatureVerdict
    sha256: str
    size: int
    url: str
    checksum_file: str | None = None

    def unpack_again(self, folder: Path) -> Path:
        """Unpack the accepted bytes once more, to a tree that no script has run in; return its top folder."""
        if sha256_of(self.path) != self.sha256:
            raise CheckFailed(
                "file-changed", f"{self.path} is not the file any more that was accepted in this run"
            )
        return unpack(self.path, folder, self.source.name)


class _Outcome(Strict):
    """What one process found, for the others: accepted, or the error it raised."""

    kind: Literal["accepted", "failed", "unassigned"]
    tarball: SignedTarball | None = None
    code: str = ""
    sentence: str = ""
    uids: tuple[str, ...] = ()


class _Refused(CheckFailed):
    """A refusal by signature; it still knows whom it met."""

    def __init__(self, verdict: SignatureVerdict, what: str) -> None:
        super().__init__(verdict.code, f"{what}: {verdict.sentence}")
        self.uids = verdict.uids


def accept(
    component: ComponentUnderTest, policy: SignerPolicy, folder: Path, deadlines: Deadlines, *, now: datetime
) -> SignedTarball:
    """Download a component's source tarball and everything that speaks for it, and judge all of it.

    Raises:
        CheckFailed: tarball or signature is missing, a digest differs, the signature is refused, or the tarball
            is not one safe top folder.
        SignerUnassigned: nobody may sign, so the signature could not be judged.
        Unreachable: the site did not answer.
    """
    return _accept(component, "tarball", policy, folder, deadlines, now=now)


def accept_binary(
    component: ComponentUnderTest, policy: SignerPolicy, folder: Path, deadlines: Deadlines, *, now: datetime
) -> SignedTarball:
    """Do for the binary tarball what `accept` does for the source; raises the same."""
    return _accept(component, "binary-tarball", policy, folder, deadlines, now=now)


def accepted_once(
    component: ComponentUnderTest,
    policy: SignerPolicy,
    folder: Path,
    deadlines: Deadlines,
    met: Callable[[str, str], None],
) -> SignedTarball:
    """Accept a component's source tarball, or say again what the first process of this run found.

    `folder` belongs to the run; its lock is held while the first process works. Raises as `accept`.
    """
    place = folder / component.name
    place.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(place / "lock", timeout=4 * deadlines.download):
            outcome = _read(place / "outcome.json")
            if outcome is None:
                outcome = _first(component, policy, place, deadlines)
                (place / "outcome.json").write_text(outcome.model_dump_json(), encoding="utf-8")
    except Timeout as error:
        raise Unreachable(
            f"another process has been busy with {component.name}'s tarball for too long"
        ) from error
    for uid in outcome.uids:
        met("openpgp", uid)
    if outcome.tarball is not None:
        return outcome.tarball
    if outcome.kind == "unassigned":
        raise SignerUnassigned(outcome.sentence)
    raise CheckFailed(outcome.code, outcome.sentence)


def for_scripts(
    component: ComponentUnderTest,
    policy: SignerPolicy,
    folder: Path,
    deadlines: Deadlines,
    met: Callable[[str, str], None],
) -> SignedTarball:
    """Return a tarball whose scripts may be run; Blocked(`source-tarball-signed`) when it was not accepted.

    Its `source` is a tree of the caller's own: scripts write where they stand, and others are reading too.
    """
    try:
        tarball = accepted_once(component, policy, folder, deadlines, met)
        own = Path(tempfile.mkdtemp(prefix="scripts-", dir=tarball.folder))
        return tarball.model_copy(update={"source": tarball.unpack_again(own)})
    except (CheckFailed, SignerUnassigned) as error:
        why = f"unverified: scripts of {component.name} run only from an accepted tarball; {error}"
        raise Blocked("source-tarball-signed", why) from error


def _first(
    component: ComponentUnderTest, policy: SignerPolicy, place: Path, deadlines: Deadlines
) -> _Outcome:
    try:
        tarball = accept(component, policy, place, deadlines, now=datetime.now(UTC))
    except CheckFailed as error:
        uids = error.uids if isinstance(error, _Refused) else ()
        return _Outcome(kind="failed", code=error.code, sentence=str(error), uids=uids)
    except SignerUnassigned as error:
        return _Outcome(kind="unassigned", code=error.code, sentence=str(error))
    return _Outcome(kind="accepted", tarball=tarball, uids=tarball.verdict.uids)


def _read(path: Path) -> _Outcome | None:
    """Return the stored outcome; None when there is none, or its process died while writing it."""
    try:
        return _Outcome.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def _accept(  # noqa: PLR0913 - two entry points say the same by name
    component: ComponentUnderTest,
    kind: Literal["tarball", "binary-tarball"],
    policy: SignerPolicy,
    folder: Path,
    deadlines: Deadlines,
    *,
    now: datetime,
) -> SignedTarball:
    source = kind == "tarball"
    url = component.tarball if source else component.binary_tarball
    signature_url = component.signature if source else component.binary_signature
    if url is None or signature_url is None:
        raise CheckFailed(
            f"{kind}-missing", f"the page names no {kind} of {component.name} or no signature of it"
        )
    got = _get(url, folder, f"{kind}-missing", LARGEST_TARBALL, deadlines)
    _must_be_the_candidates(got, component.files.get(kind))
    if source and component.checksums:
        sums = _get(component.checksums, folder, "checksums-missing", LARGEST_CHECKSUMS, deadlines)
        text = sums.path.read_text(encoding="utf-8", errors="replace")
        must_be_listed(text, url.rpartition("/")[2], got.sha256, component.checksums)
    signature = _signature(signature_url, folder, deadlines)
    verdict = judge(signature, got.path, policy, now=now, deadline=deadlines.download)
    if not verdict.accepted:
        raise _Refused(verdict, url)
    if verdict.data_sha256 != got.sha256:
        raise CheckFailed("file-changed", f"{got.path} changed between download and signature check")
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    top = unpack(got.path, unpacked, component.top_folder)
    return SignedTarball(
        component=component.name,
        path=got.path,
        folder=folder,
        source=top,
        verdict=verdict,
        sha256=got.sha256,
        size=got.size,
        url=url,
        checksum_file=component.checksums if source else None,
    )


def _get(url: str, folder: Path, code: str, largest: int, deadlines: Deadlines) -> Downloaded:
    try:
        return download(url, folder / "files" / local_name(url), deadline=deadlines.download, largest=largest)
    except NotThere as error:
        raise CheckFailed(code, str(error)) from error


def _signature(url: str, folder: Path, deadlines: Deadlines) -> Path:
    try:
        return _get(url, folder, "signature-missing", LARGEST_SIGNATURE, deadlines).path
    except TooLarge as error:
        raise CheckFailed("signature-too-large", f"{error}; so it is no signature") from error


def _must_be_the_candidates(got: Downloaded, wanted: CandidateFile | None) -> None:
    if wanted is None:
        raise CheckFailed("not-in-candidate", f"the candidate names no such file as {got.url}")
    if got.sha256 != wanted.sha256:
        raise CheckFailed(
            "digest-differs",
            f"{got.url} has SHA-256 {got.sha256} and {got.size} bytes, "
            f"the candidate says {wanted.sha256} and {wanted.size} bytes",
        )
