"""What the checks say of real tarballs: `python -m tests.real.judge FOLDER` prints a Markdown table.

FOLDER holds what these commands brought (nothing is downloaded here):

    apt-get source --download-only gzip hello ...      # tarball, its .asc, and a .debian.tar with the upstream key
    pip download --no-deps --no-binary :all: ovirt-imageio ovirt-engine-sdk-python
"""

from __future__ import annotations

import hashlib
import lzma
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.openpgp import SignerPolicy, judge
from pytest_ovirt_release.checks.tarball import accept
from pytest_ovirt_release.errors import CheckFailed, Unproven
from pytest_ovirt_release.release.candidate import CandidateFile
from pytest_ovirt_release.target.model import Deadlines
from tests.corpus.frame import reason
from tests.unit.checks.releases import component
from tests.unit.checks.signing import pin
from tests.unit.checks.web import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.checks.web import Web

KEY = "debian/upstream/signing-key.asc"
DEADLINE = 60.0


@dataclass(frozen=True)
class Found:
    """A real tarball, its signature and key where it has them, and the folder and version that its name promises."""

    tarball: Path
    top: str
    version: str
    signature: bytes | None = None
    key: bytes | None = None


def found_in(folder: Path) -> Iterator[Found]:
    """Yield every upstream tarball of a Debian source package, and every sdist."""
    for tarball in sorted(folder.rglob("*.orig.tar.*")):
        if tarball.suffix == ".asc":
            continue
        name, version = tarball.name.partition(".orig.tar")[0].split("_")
        signature = tarball.with_name(f"{tarball.name}.asc")
        (packaging,) = folder.rglob(f"{name}_*.debian.tar.xz")
        with lzma.open(packaging) as stream, tarfile.open(fileobj=stream) as archive:
            file = archive.extractfile(KEY)
            key = file.read() if file else None
        said = signature.read_bytes() if signature.exists() else None
        yield Found(tarball, f"{name}-{version}", version, said, key)
    for tarball in sorted(folder.rglob("*.tar.gz")):
        if ".orig." not in tarball.name:
            top = tarball.name.removesuffix(".tar.gz")
            yield Found(tarball, top, top.rpartition("-")[2])


def verdicts(found: Found, web: Web, folder: Path, *, changed: bool) -> list[str]:
    """Return what acceptance says, and the signature alone; `changed` flips one bit in the middle first."""
    original = found.tarball.read_bytes()
    at = len(original) // 2
    data = original[:at] + bytes([original[at] ^ 1]) + original[at + 1 :] if changed else original
    url = web.put(found.tarball.name, data)
    if found.signature is not None:
        web.put(f"{found.tarball.name}.asc", found.signature)
    recorded = CandidateFile(
        kind="tarball",
        name=found.tarball.name,
        sha256=hashlib.sha256(original).hexdigest(),
        size=len(original),
    )
    wanted = component(
        web.url, tarball=url, signature=f"{url}.asc", version=found.version, version_file=None, top_folder=found.top,
        files={"tarball": recorded},
    )  # fmt: skip
    policy, now = signers(found, folder), datetime.now(UTC)
    told = [said(lambda: accept(wanted, policy, folder / "files", Deadlines(download=DEADLINE), now=now))]
    signature = folder / "alone.asc"
    if found.signature is not None:
        signature.write_bytes(found.signature)
        verdict = judge(signature, web.root / found.tarball.name, policy, now=now, deadline=DEADLINE)
        digests = ", ".join(block.digest for block in verdict.blocks if block.digest)
        told.append(f"{verdict.code} ({digests})" if digests else verdict.code)
    else:
        told.append("-")
    return told


def signers(found: Found, folder: Path) -> SignerPolicy:
    """Let the keys that Debian pins for this package sign; for a file without any, one that never signed."""
    path = folder / "key.asc"
    pinned = pin(path, found.key or b"")
    argv = ["gpg", "--homedir", str(folder), "--batch", "--no-tty", "--with-colons", "--show-keys", str(path)]
    listed = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=DEADLINE).stdout
    lines = [line.split(":") for line in listed.splitlines()]
    primary = tuple(after[9] for line, after in pairwise(lines) if line[0] == "pub" and after[0] == "fpr")
    return SignerPolicy("release-signer", primary or ("0" * 40,), (pinned,))


def said(call: object) -> str:
    """Return the reason code with which a call refuses, else that it accepts."""
    try:
        call()  # type: ignore[operator]  # a lambda of this module
    except (CheckFailed, Unproven) as error:
        return reason(error)
    return "accepted"


def main(folder: Path) -> None:
    """Print one line for each tarball."""
    print("| tarball | as it is | its signature | one bit changed | its signature |\n|---|---|---|---|---|")
    for found in found_in(folder):
        with tempfile.TemporaryDirectory(prefix="real-", dir="/tmp") as name:
            root = Path(name)
            (root / "site").mkdir()
            for web in running(root / "site"):
                (root / "a").mkdir(mode=0o700)
                (root / "b").mkdir(mode=0o700)
                row = [found.tarball.name, *verdicts(found, web, root / "a", changed=False)]
                row += verdicts(found, web, root / "b", changed=True)
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
