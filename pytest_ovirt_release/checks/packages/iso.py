"""ISO images, such as ovirt-node's: the candidate's bytes, signed themselves or by a signed checksum file, the right volume.

The volume id is read by pycdlib in a process of its own: it must be a readable image, whole, and of this release.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.checksums import LARGEST_CHECKSUMS, must_be_listed
from pytest_ovirt_release.checks.download import NotThere, download, local_name
from pytest_ovirt_release.checks.openpgp import (
    LARGEST_SIGNATURE,
    SignatureVerdict,
    judge,
    verify_clearsigned,
)
from pytest_ovirt_release.checks.packages.common import Chain, Listed, PackageSeen, Repository
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unproven
from pytest_ovirt_release.local import processes

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.download import Downloaded
    from pytest_ovirt_release.release.candidate import CandidatePackage

READER = Path(processes.__file__).with_name("iso_volume.py")
LARGEST_IMAGE = 16 * 1024**3
READ_DEADLINE = 120.0
LIMITS = processes.Limits(cpu_seconds=60, file_size=1 << 20, address_space=2 << 30)
NO_IMAGE = 3
BEGINS_CLEARSIGNED = b"-----BEGIN PGP SIGNED MESSAGE"


def check(repository: Repository) -> Chain:
    """Judge the one image of a distribution entry; CheckFailed names what is wrong, Unproven what nobody said."""
    under_test = repository.under_test
    if len(under_test.packages) != 1:
        raise ReleaseError(
            f"distribution {under_test.name}: an iso entry has exactly one image in the candidate"
        )
    if not under_test.signature and not under_test.checksums:
        raise Unproven(
            f"page {under_test.name} names neither a signature nor a signed checksum file of {under_test.url}, "
            "so nobody vouches for the image"
        )
    (wanted,) = under_test.packages
    got = _get(repository, under_test.url, "image-missing", LARGEST_IMAGE)
    _must_be_the_candidates(got, wanted)
    # Judged before the image is read by anything that understands more of it than its bytes.
    metadata, verdict = _vouched(repository, got)
    volume = read_volume(got.path, deadline=READ_DEADLINE)
    _must_be_the_volume(got, volume, under_test.volume_id)
    got.path.unlink()
    seen = PackageSeen(
        name=wanted.name,
        version=wanted.version,
        architecture=wanted.architecture,
        url=got.url,
        sha256=got.sha256,
        size=got.size,
        volume_id=str(volume["volume_id"]),
    )
    dated = repository.must_be_fresh(verdict.signed_at)
    return Chain(verdict=verdict, dated=dated, metadata=metadata, packages=(seen,))


def read_volume(path: Path, *, deadline: float) -> dict[str, str | int]:
    """Return an image's volume id and size in bytes.

    Raises:
        CheckFailed: `image-broken`; an image without end meets the limit of computing time.
        Unproven: it was not read within `deadline` seconds.
    """
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-I", str(READER), str(path)]
    done = processes.run(command, deadline=deadline, env=env, cwd=Path("/"), limits=LIMITS)
    if done.status not in {0, NO_IMAGE} and "ModuleNotFoundError" in done.output:
        raise ReleaseError(f"pycdlib is not installed for {sys.executable}, so no image can be read")
    if done.timed_out:
        raise Unproven(f"{path.name} could not be read as an ISO image within {deadline:g} s")
    if done.status != 0:
        why = done.output.strip()[-300:] or "it takes too much"
        raise CheckFailed("image-broken", f"{path.name} cannot be read as an ISO image: {why}")
    return dict(json.loads(done.output))


def _vouched(repository: Repository, got: Downloaded) -> tuple[tuple[Listed, ...], SignatureVerdict]:
    """Return the checksum file, if the page names one, and the verdict on what vouches for the image."""
    under_test = repository.under_test
    listed: tuple[Listed, ...] = ()
    verdict: SignatureVerdict | None = None
    if under_test.checksums:
        sums, verdict = _checksums(repository, under_test.checksums)
        text = sums.read_text(encoding="utf-8", errors="replace")
        must_be_listed(text, under_test.url.rpartition("/")[2], got.sha256, under_test.checksums)
        listed = (Listed(place=under_test.checksums, digest=verdict.data_sha256, size=sums.stat().st_size),)
    if under_test.signature:
        signature = _get(repository, under_test.signature, "signature-missing", LARGEST_SIGNATURE)
        verdict = judge(
            signature.path, got.path, repository.policy, now=repository.now, deadline=repository.deadline
        )
        verdict.must_be_accepted(under_test.url)
        if verdict.data_sha256 != got.sha256:
            raise CheckFailed("file-changed", f"{got.path} changed between download and signature check")
    if verdict is None:
        raise AssertionError("an entry without signature and checksums was not refused")
    return listed, verdict


def _checksums(repository: Repository, url: str) -> tuple[Path, SignatureVerdict]:
    """Return the signed text of a checksum file: clearsigned, or with a detached signature beside it."""
    got = _get(repository, url, "checksums-missing", LARGEST_CHECKSUMS)
    how = {"now": repository.now, "deadline": repository.deadline}
    with got.path.open("rb") as file:
        is_clearsigned = file.read(len(BEGINS_CLEARSIGNED)) == BEGINS_CLEARSIGNED
    if is_clearsigned:
        signed = got.path.with_name("checksums.signed")
        verdict = verify_clearsigned(got.path, signed, repository.policy, **how)  # type: ignore[arg-type] # a date and a number
        verdict.must_be_accepted(url)
        return signed, verdict
    beside = repository.under_test.checksums_signature
    if not beside:
        raise CheckFailed(
            "signature-missing", f"{url} is not signed, and the page names no signature beside it"
        )
    signature = _get(repository, beside, "signature-missing", LARGEST_SIGNATURE)
    verdict = judge(signature.path, got.path, repository.policy, **how)  # type: ignore[arg-type] # as above
    verdict.must_be_accepted(url)
    return got.path, verdict


def _get(repository: Repository, url: str, code: str, largest: int) -> Downloaded:
    try:
        return download(
            url, repository.folder / local_name(url), deadline=repository.deadline, largest=largest
        )
    except NotThere as error:
        raise CheckFailed(code, str(error)) from error


def _must_be_the_candidates(got: Downloaded, wanted: CandidatePackage) -> None:
    if wanted.sha256 is None:
        raise Unproven(
            f"the candidate gives no SHA-256 of {wanted.name}, so it may be any image: write it down"
        )
    if got.sha256 != wanted.sha256:
        raise CheckFailed(
            "digest-differs", f"{got.url} has SHA-256 {got.sha256}, the candidate says {wanted.sha256}"
        )


def _must_be_the_volume(got: Downloaded, volume: dict[str, str | int], wanted: str | None) -> None:
    if int(volume["size"]) > got.size:
        raise CheckFailed(
            "image-truncated", f"{got.url} says that it has {volume['size']} bytes, there are {got.size}"
        )
    if wanted is not None and volume["volume_id"] != wanted:
        raise CheckFailed(
            "wrong-volume-id",
            f"{got.url} has the volume id {volume['volume_id']!r}, the page says {wanted!r}",
        )
