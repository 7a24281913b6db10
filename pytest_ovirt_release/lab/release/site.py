"""The lab's release site: what the release page asks for, built at start and served over HTTP."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.release import files, git, images, repositories
from pytest_ovirt_release.lab.release.files import Signing
from pytest_ovirt_release.lab.release.http import Site
from pytest_ovirt_release.lab.release.keys import KeyMaker
from pytest_ovirt_release.lab.release.plan import Places, plan_components
from pytest_ovirt_release.release.candidate import Candidate, CandidateComponent
from pytest_ovirt_release.release.page import KeyFile, Signer

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.release.sources import Tree
    from pytest_ovirt_release.release.candidate import CandidatePackage
    from pytest_ovirt_release.release.page import Distribution, Page

BUILDERS = 4
"""Threads that build at a time; most of them wait for git or gpg."""

RELEASE_SIGNER, REPOSITORY_SIGNER = "release-signer", "repository-signer"
STRANGERS = frozenset({"tarball-signed-by-stranger", "image-signed-by-stranger"})
"""Faults for which a key is made that holds no role."""


class ReleaseSite:
    """Git repositories, downloads and package repositories of one page, on 127.0.0.1.

    `places` is known at once; `candidate` and `signers` once `start` has returned. Public keys are written to
    `folder`/keys, what is served to `folder`/site. The paths of `signers` start at `folder`.
    """

    def __init__(self, *, page: Page, folder: Path, faults: frozenset[str], scripts: Tree) -> None:
        """Take the page, the lab's folder, fault names, and the release scripts' part of the source tree."""
        self._page = page
        self._folder = folder
        self._faults = faults
        self._scripts = scripts
        self._http = Site(folder / "site")
        self.places = {name: f"{self._http.base}/{name}" for name in ("git", "downloads", "packages")}
        self.candidate: Candidate
        self.signers: tuple[Signer, ...] = ()

    async def start(self) -> None:
        """Build everything in threads, then serve it; ReleaseError says what could not be built."""
        await asyncio.to_thread(self.build)
        await self._http.start()

    async def stop(self) -> None:
        """Stop serving."""
        await self._http.stop()

    def build(self) -> None:
        """Write repositories, files, keys; fill in `candidate` and `signers`. Blocks for about half a second."""
        places = Places(self.places, self._folder / "site")
        plans = plan_components(self._page, places, self._scripts)
        with KeyMaker() as keys, ThreadPoolExecutor(BUILDERS) as pool:
            commits = pool.map(
                lambda p: git.make_repository(places.path(p.repository), p, self._faults), plans
            )
            expiring = "expired-signing-key" in self._faults
            signer = keys.make("oVirt release", created="20100101T000000" if expiring else None)
            repository_signer = keys.make("oVirt repositories")
            stranger = keys.make("Somebody Else") if STRANGERS & self._faults else ""
            signing = Signing(keys, signer, stranger)
            published = pool.map(lambda p: files.publish(p, places, signing, self._faults), plans)
            packages = pool.map(
                lambda d: self._distribution(d, places, keys, repository_signer, stranger),
                self._page.distributions,
            )
            components = tuple(
                CandidateComponent(name=p.name, version=p.version, tag=p.tag, commit=commit, files=named)
                for p, commit, named in zip(plans, commits, published, strict=True)
            )
            files.write_checksums(plans, places)
            listed = tuple(package for repository in packages for package in repository)
            if expiring:
                # Signed today by a key that ended in 2011: gpg signs with a key only while it lives.
                keys.expire(signer, at="20110201T000000", pretended="20110101T000000")
            if "revoked-signing-key" in self._faults:
                keys.revoke(signer)
            self.signers = (
                self._role(RELEASE_SIGNER, "Signs the lab's tarballs", signer, keys),
                self._role(
                    REPOSITORY_SIGNER, "Signs the lab's package repositories", repository_signer, keys
                ),
            )
        self.candidate = _candidate(self._page, components, listed)

    def _distribution(
        self, distribution: Distribution, places: Places, keys: KeyMaker, signer: str, stranger: str
    ) -> tuple[CandidatePackage, ...]:
        sign = functools.partial(keys.sign, signer)
        if distribution.kind != "iso":
            return repositories.publish(self._page, distribution, places, sign, self._faults)
        other = functools.partial(keys.sign, stranger)
        signs = (sign, other if "image-signed-by-stranger" in self._faults else sign)
        return images.publish(self._page, distribution, places, signs, self._faults)

    def _role(self, role: str, title: str, fingerprint: str, keys: KeyMaker) -> Signer:
        content = keys.public_key(fingerprint)
        path = Path("keys") / f"{role}.asc"
        (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / path).write_bytes(content)
        pinned = KeyFile(path=str(path), sha256=hashlib.sha256(content).hexdigest())
        return Signer(role=role, title=title, fingerprints=(fingerprint,), keys=(pinned,))


def _candidate(
    page: Page, components: tuple[CandidateComponent, ...], packages: tuple[CandidatePackage, ...]
) -> Candidate:
    return Candidate(
        schema_name="ovirt-release-candidate/1",
        page=page.id,
        version=page.version,
        created=datetime.now(UTC).replace(microsecond=0),
        components=components,
        packages=packages,
    )
