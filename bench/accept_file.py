"""Accept one release file as the suite does; a process of its own, so that its memory can be told."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from pytest_ovirt_release.checks.release_file import Site
from pytest_ovirt_release.checks.signers import KeyPin, SignerPolicy
from pytest_ovirt_release.release.candidate import CandidateFile


def main() -> None:
    """Take address, SHA-256, size, fingerprint, key file and a folder."""
    url, sha256, size, fingerprint, key, folder = sys.argv[1:]
    pin = KeyPin(Path(key), hashlib.sha256(Path(key).read_bytes()).hexdigest())
    site = Site(
        Path(folder), SignerPolicy("release-signer", (fingerprint,), (pin,)), datetime.now(UTC), deadline=300
    )
    wanted = CandidateFile(kind="tarball", name="big.tar", sha256=sha256, size=int(size))
    got = site.release_file(url, "tarball", wanted)
    site.signed(got, f"{url}.sig", recorded=True)
    # The peak since this program began; what a parent is told of a child counts the parent's own memory too.
    (line,) = (each for each in Path("/proc/self/status").read_text("ascii").splitlines() if "VmHWM" in each)
    (Path(folder) / "peak").write_text(line.split()[1], "ascii")


if __name__ == "__main__":
    main()
