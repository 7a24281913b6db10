"""Which engines a page can judge."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_ovirt_release.errors import DataFileError
from pytest_ovirt_release.release.engines import not_judged, versions_wanted
from pytest_ovirt_release.release.loading import load_page, with_mirrors
from tests.unit.verdict.made import page

PAGES = Path(__file__).parents[3] / "acceptance" / "releases"


@pytest.mark.parametrize("version", ["4.5.8-1.el9", "4.5", "4.5.7-0.master.20260819.el9"])
def test_an_engine_in_range_is_judged(version: str) -> None:
    assert not_judged(page(engine=">=4.5,<5"), version) is None


@pytest.mark.parametrize("version", ["4.4.10.7-1.el8", "5.0.0", "unknown", ""])
def test_any_other_engine_is_named(version: str) -> None:
    told = not_judged(page(engine=">=4.5,<5"), version)
    assert told is not None
    assert ">=4.5,<5" in told


def test_the_candidate_has_to_be_installed_but_for_a_page_that_only_a_lab_can_play() -> None:
    component = SimpleNamespace(name="ovirt-engine", version="4.5.7")
    candidate: Any = SimpleNamespace(components=(component,))
    assert versions_wanted(page(), candidate) == {"ovirt-engine": "4.5.7"}
    assert versions_wanted(page(historical=True), candidate) == {}


def test_mirrors_change_places_and_nothing_else() -> None:
    judged = load_page(PAGES / "ovirt-4.5.toml")
    mirrored = with_mirrors(judged, {"downloads": "https://mirror.example.org/ovirt"}, Path("target.toml"))
    assert mirrored.places == judged.places | {"downloads": "https://mirror.example.org/ovirt"}
    assert mirrored.model_copy(update={"places": judged.places}) == judged


@pytest.mark.parametrize(
    ("mirrors", "sentence"),
    [
        ({"download": "https://m.example.org"}, "page ovirt-4.5 has no place 'download'"),
        ({"downloads": "ftp://m.example.org"}, "allowed: http:// or https://"),
        ({"downloads": "https://u:hunter2@m.example.org"}, "without a password"),
    ],
)
def test_a_mirror_that_is_none_is_a_mistake(mirrors: dict[str, str], sentence: str) -> None:
    with pytest.raises(DataFileError) as caught:
        with_mirrors(load_page(PAGES / "ovirt-4.5.toml"), mirrors, Path("target.toml"))
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)
