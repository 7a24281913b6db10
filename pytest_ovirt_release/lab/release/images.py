"""Publishes an ISO image, such as ovirt-node's, with what the page says vouches for it."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.release.plan import version_of
from pytest_ovirt_release.release.candidate import CandidatePackage
from pytest_ovirt_release.release.resolved import fill_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.lab.release.keys import Form
    from pytest_ovirt_release.lab.release.plan import Places
    from pytest_ovirt_release.release.page import Distribution, Page

    Sign = Callable[[Path, Path, Form], None]

OLDER = "0.9"
"""The version whose volume the image holds under the fault `image-of-other-release`."""


def publish(
    page: Page,
    distribution: Distribution,
    places: Places,
    signs: tuple[Sign, Sign],
    faults: frozenset[str],
) -> tuple[CandidatePackage, ...]:
    """Write the image, its checksums and signatures; return it as the candidate names it.

    `signs` are the repository signer and whoever signs the image itself: the same, but for one fault.
    """
    (name,) = distribution.packages
    version = version_of(page, name)
    values = {
        **places.addresses,
        "name": name,
        "version": version,
        "release": page.version,
        "architecture": distribution.architecture,
    }

    def fill(pattern: str, **other: str) -> str:
        return fill_in(pattern, {**values, **other}, f"page {page.id}, distribution {distribution.name}")

    held = OLDER if "image-of-other-release" in faults else version
    path = places.path(fill(distribution.url))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(build(fill(distribution.volume_id or "{name}", version=held)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    by_role, image_by = signs
    if distribution.signature:
        image_by(path, places.path(fill(distribution.signature)), "detached")
    if distribution.checksums:
        sums = places.path(fill(distribution.checksums))
        sums.parent.mkdir(parents=True, exist_ok=True)
        sums.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
        if distribution.checksums_signature:
            by_role(sums, places.path(fill(distribution.checksums_signature)), "detached")
    return (
        CandidatePackage(
            distribution=distribution.name,
            name=name,
            version=version,
            architecture=distribution.architecture,
            sha256=digest,
        ),
    )


def build(volume_id: str) -> bytes:
    """Return a small ISO 9660 image with one file in it."""
    # Imported here: a lab whose page has no image does not wait for it.
    from pycdlib import PyCdlib  # noqa: PLC0415 - see above

    image, out = PyCdlib(), io.BytesIO()
    image.new(vol_ident=volume_id, interchange_level=3)
    kernel = b"what a kernel would be\n"
    image.add_fp(io.BytesIO(kernel), len(kernel), "/VMLINUZ.;1")
    image.write_fp(out)
    image.close()
    return out.getvalue()
