"""A component's tarball, accepted once per run: downloaded, digests agree, signature judged, unpacked safely."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import FileLock, Timeout
from pydantic import ValidationError

from pytest_ovirt_release.checks.openpgp import SignatureVerdict, SignerPolicy, SignerUnassigned, sha256_of
from pytest_ovirt_release.checks.release_file import RefusedSignature, Site
from pytest_ovirt_release.checks.tree_version import must_be_version
from pytest_ovirt_release.checks.unpacking import unpack
from pytest_ovirt_release.errors import Blocked, CheckFailed, Unreachable
from pytest_ovirt_release.release.model import Strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.release.resolved import ComponentUnderTest
    from pytest_ovirt_release.target.model import Deadlines


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
    checksum_signer: str | None = None

    def unpack_again(self, folder: Path, deadline: float) -> Path:
        """Unpack the accepted bytes once more, to a tree that no script has run in; return its top folder."""
        if sha256_of(self.path) != self.sha256:
            raise CheckFailed(
                "file-changed", f"{self.path} is not the file any more that was accepted in this run"
            )
        return unpack(self.path, folder, self.source.name, deadline)


class _Outcome(Strict):
    """What one process found, for the others: accepted, or the error it raised."""

    kind: Literal["accepted", "failed", "unassigned"]
    tarball: SignedTarball | None = None
    code: str = ""
    sentence: str = ""
    uids: tuple[str, ...] = ()


def accept(
    component: ComponentUnderTest, policy: SignerPolicy, folder: Path, deadlines: Deadlines, *, now: datetime
) -> SignedTarball:
    """Download a component's source tarball and everything that speaks for it, and judge all of it.

    Raises:
        CheckFailed: tarball or signature is missing, a digest differs, the signature is refused, or the tarball
            is not one safe top folder.
        SignerUnassigned: nobody may sign, so the signature could not be judged.
        Unreachable: the site did not answer.
        Unproven: it could not be unpacked in the time that a download may take.
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
        return tarball.model_copy(update={"source": tarball.unpack_again(own, deadlines.download)})
    except (CheckFailed, SignerUnassigned) as error:
        why = f"unverified: scripts of {component.name} run only from an accepted tarball; {error}"
        raise Blocked("source-tarball-signed", why) from error


def _first(
    component: ComponentUnderTest, policy: SignerPolicy, place: Path, deadlines: Deadlines
) -> _Outcome:
    try:
        tarball = accept(component, policy, place, deadlines, now=datetime.now(UTC))
    except CheckFailed as error:
        uids = error.uids if isinstance(error, RefusedSignature) else ()
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
    site = Site(folder, policy, now, deadlines.download, component.mirrors)
    got = site.release_file(url, kind, component.files.get(kind))
    sums = None
    if source and component.checksums:
        name = url.rpartition("/")[2]
        sums = site.listed(got, name, component.checksums, component.checksums_signature)
    verdict = site.signed(got, signature_url, recorded=True)
    unpacked = folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    top = unpack(got.path, unpacked, component.top_folder, deadlines.download)
    if source:
        must_be_version(top, component.version, component.version_file, component.spec)
    return SignedTarball(
        component=component.name,
        path=got.path,
        folder=folder,
        source=top,
        verdict=verdict,
        sha256=got.sha256,
        size=got.size,
        url=got.url,
        checksum_file=component.checksums if source else None,
        checksum_signer=sums.signer if sums else None,
    )
