"""A component's release files, good until a case spoils them."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.tarball import accept
from pytest_ovirt_release.release.candidate import CandidateFile
from pytest_ovirt_release.target.model import Deadlines
from tests.corpus.workshop import DEADLINE, Workshop
from tests.unit.checks.releases import component
from tests.unit.checks.tars import folder, member, tar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.checks.signers import SignerPolicy
    from tests.corpus.frame import Check

Member = tuple[tarfile.TarInfo, bytes]

NAME, TOP = "vdsm-4.9.3.tar.gz", "vdsm-4.9.3"
BASE = (folder(TOP), member(f"{TOP}/VERSION", b"4.9.3\n"))
SPEC = b"%global ver 4.9.3\nName: vdsm\nVersion: %{ver}\nRelease: 1\n"


class Release:
    """A tarball with its signature and checksum file on the server; the candidate recorded what it is."""

    def __init__(self, shop: Workshop, members: Sequence[Member] = BASE, packed: bytes | None = None) -> None:
        self.shop = shop
        self.data = gzip.compress(tar(*members), mtime=0) if packed is None else packed
        self.put(self.data)
        self.sign(shop.signer)
        self.sums(f"{self.digest}  {NAME}\n")
        self.recorded = CandidateFile(kind="tarball", name=NAME, sha256=self.digest, size=len(self.data))

    @property
    def digest(self) -> str:
        """The SHA-256 of what was built."""
        return hashlib.sha256(self.data).hexdigest()

    def put(self, data: bytes) -> None:
        """Serve these bytes as the tarball."""
        self.shop.web.put(NAME, data)

    def sign(self, signer: str, name: str = NAME) -> None:
        """Sign what is served under a name."""
        self.shop.room.sign(self.shop.web.root / name, signer)

    def sums(self, text: str) -> None:
        """Serve a checksum file, signed."""
        self.shop.web.put("SHA256SUMS", text.encode())
        self.sign(self.shop.signer, "SHA256SUMS")

    def remove(self, name: str) -> None:
        """Serve nothing under a name."""
        (self.shop.web.root / name).unlink()

    def check(self, policy: SignerPolicy | None = None, **fields: Any) -> Check:
        """Return the check that the suite makes."""
        url = self.shop.web.url
        sums = {"checksums": f"{url}/SHA256SUMS", "checksums_signature": f"{url}/SHA256SUMS.sig"}
        wanted = component(url, **{"files": {"tarball": self.recorded}, **sums, **fields})
        signers, deadlines = policy or self.shop.policy(), Deadlines(download=DEADLINE)
        return lambda: accept(wanted, signers, self.shop.folder / "files", deadlines, now=self.shop.now)
