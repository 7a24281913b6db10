"""Images read by pycdlib in a process of its own; damaged ones are refused, and an entry of a page is complete."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_ovirt_release.checks.packages import iso
from pytest_ovirt_release.checks.packages.iso import read_volume
from pytest_ovirt_release.errors import CheckFailed, Unproven
from pytest_ovirt_release.local.processes import Limits
from pytest_ovirt_release.release.candidate import Candidate, CandidatePackage
from pytest_ovirt_release.release.crosscheck import page_mistakes
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.page import Distribution
from pytest_ovirt_release.release.resolved import resolve_distribution
from tests.corpus.image_cases import VOLUME, image

PAGE = Path(__file__).parents[3] / "acceptance/releases/ovirt-3.0.toml"


def test_volume_id_and_size(tmp_path: Path) -> None:
    path = tmp_path / "node.iso"
    path.write_bytes(image())
    assert read_volume(path, deadline=60) == {"volume_id": VOLUME, "size": path.stat().st_size}


@pytest.mark.parametrize("seed", range(12))
def test_damaged_images_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    """Bytes of the volume descriptor, the path table and the directories; a new process for each, so only a dozen."""
    chance, content = random.Random(seed), bytearray(image())  # noqa: S311 - damage, not secrets
    for _ in range(1 + seed):
        content[chance.randrange(16 * 2048, 26 * 2048)] = chance.randrange(256)
    path = tmp_path / "node.iso"
    path.write_bytes(content)
    try:
        read_volume(path, deadline=60)
    except CheckFailed as error:
        assert error.code == "image-broken"  # noqa: PT017 - reading it is fine as well


def test_a_slow_machine_disproves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "node.iso"
    path.write_bytes(image())
    with pytest.raises(Unproven, match=r"within 0\.01 s"):
        read_volume(path, deadline=0.01)


def test_an_image_that_takes_too_much_computing_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass\n")
    monkeypatch.setattr(iso, "READER", endless)
    monkeypatch.setattr(iso, "LIMITS", Limits(cpu_seconds=1))
    with pytest.raises(CheckFailed, match="takes too much") as caught:
        read_volume(tmp_path / "node.iso", deadline=60)
    assert caught.value.code == "image-broken"


def iso_entry(**values: object) -> dict[str, object]:
    return {"distributions": [{"name": "node", "kind": "iso", "url": "u", "packages": ["n"], **values}]}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"packages": ["a", "b"]}, "exactly one image"),
        ({"kind": "rpm", "signature": "x"}, "only an iso entry has one"),
        ({"volume_id": "{colour}"}, "{colour}"),
        ({"packages_signed_by": "nobody"}, "is no role of this page"),
    ],
)
def test_what_a_page_may_not_say_of_an_image(values: dict[str, object], says: str) -> None:
    assert any(says in mistake for mistake in page_mistakes(iso_entry(**values)))


def test_an_images_patterns_know_its_own_version() -> None:
    entry = Distribution(
        name="node", kind="iso", url="{name}-{version}.{architecture}.iso", packages=("ovirt-node",),
        architecture="x86_64", volume_id="{name}-{version}",
    )  # fmt: skip
    image_of = CandidatePackage(distribution="node", name="n", version="4.5.5-2023", architecture="x86_64")
    page = load_page(PAGE).model_copy(update={"distributions": (entry,)})
    candidate = Candidate(
        schema_name="ovirt-release-candidate/1", page=page.id, version="3.0", created=datetime.now(UTC),
        components=(), packages=(image_of,),
    )  # fmt: skip
    found = resolve_distribution(page, candidate, "node")
    assert (found.url, found.volume_id) == ("ovirt-node-4.5.5-2023.x86_64.iso", "ovirt-node-4.5.5-2023")
