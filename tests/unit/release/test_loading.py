"""Reading data files: every mistake of a file is told at once, and nothing else is ever raised."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ovirt_release.errors import DataFileError, ReleaseError
from pytest_ovirt_release.release.candidate import Candidate
from pytest_ovirt_release.release.loading import (
    LARGEST,
    apply_overlay,
    check_candidate,
    find_page,
    load,
    load_candidate,
    load_overlay,
    load_page,
    sha256_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Save = Callable[..., Path]


def mistakes(path: Path) -> list[str]:
    with pytest.raises(DataFileError) as caught:
        load_page(path)
    return list(caught.value.mistakes)


def test_a_good_page_loads(page_data: dict[str, Any], save: Save) -> None:
    page = load_page(save(page_data))
    assert [r.id for r in page.requirements] == ["notes", "tag", "binary", "guest"]


def test_all_mistakes_of_a_page_are_told_at_once(page_data: dict[str, Any], save: Save) -> None:
    page_data["requirements"][1]["level"] = "mist"
    page_data["requirements"][2]["lin"] = 3
    page_data["requirements"][3]["needs"] = ["tagg"]
    page_data["components"][0]["tarball"] = "{download}/x"
    page_data["release_date"] = 20120209
    page_data["engine"] = "four"
    del page_data["requirements"][0]["level"]
    assert mistakes(save(page_data)) == [
        (
            "release_date: 20120209 is not allowed; allowed: a date such as 2012-01-10, or a moment such as "
            "2012-01-12T12:00:00Z"
        ),
        "requirements[0 notes].level: missing; allowed: 'must' or 'should'",
        "requirements[1 tag].level: 'mist' is not allowed; allowed: 'must' or 'should'",
        (
            "requirements[2 binary].lin: unknown key; did you mean 'line'?; allowed here: axis, clean_runs, detail, id, "
            "level, line, min_testers, needs, not_applicable, proof, section, sha256, signed_by, title, waivable"
        ),
        (
            "requirements[3 guest].needs: 'tagg' is no requirement of this page; did you mean 'tag'?; allowed: notes, "
            "tag, binary, guest"
        ),
        (
            "components[0 engine].tarball: {download} in '{download}/x' is not known; did you mean 'downloads'?; "
            "allowed: {downloads}, {git}, {name}, {release}, {tag}, {version}"
        ),
        "engine: 'four' is not allowed; allowed: versions such as '>=4.5,<5'",
    ]


def test_the_message_names_the_file_and_counts(page_data: dict[str, Any], save: Save) -> None:
    page_data["requirements"][0]["sha256"] = "ABC"
    path = save(page_data)
    with pytest.raises(DataFileError) as caught:
        load_page(path)
    assert str(caught.value) == (
        f"{path}: 1 mistake(s)\n  requirements[0 notes].sha256: 'ABC' is not allowed; allowed: a SHA-256 digest, "
        "64 lower-case hex digits"
    )


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (
            "ovirt-release-page/2",
            (
                "schema: 'ovirt-release-page/2' was written for a newer version; this one reads 'ovirt-release-page/1'; "
                "upgrade"
            ),
        ),
        (
            "ovirt-release-candidate/1",
            "schema: 'ovirt-release-candidate/1' is another kind of file; allowed: 'ovirt-release-page/1'",
        ),
    ],
)
def test_a_wrong_schema_is_the_only_finding(
    page_data: dict[str, Any], save: Save, schema: str, sentence: str
) -> None:
    page_data["schema"] = schema
    page_data["requirements"] = "none"
    assert [m.replace("; did you mean 'ovirt-release-page/1'?", "") for m in mistakes(save(page_data))] == [
        sentence
    ]


def test_a_missing_schema_is_one_mistake_among_others(page_data: dict[str, Any], save: Save) -> None:
    del page_data["schema"]
    del page_data["title"]
    assert mistakes(save(page_data)) == [
        "schema: missing; allowed: 'ovirt-release-page/1'",
        "title: missing; allowed: a text in quotes",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a = \n", "not TOML: Invalid value (at line 1, column 5)"),
        (b"a = 'caf\xe9'\n", "byte 8 is not UTF-8; save the file as UTF-8"),
        (b"#" * (LARGEST + 1), "is larger than 1 MiB; no data file of a release is"),
        (b"a = " + b"[" * 100_000, "not TOML: nested too deeply"),
        (b"\n" + b"a." * 65 + b"a = 1", "line 2 has more than 64 dots; no data file of a release has"),
    ],
    ids=["not TOML", "not UTF-8", "too big", "too deep", "too many dots"],
)
def test_what_is_no_data_file_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    assert mistakes(path) == [sentence]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert mistakes(tmp_path / "nothing.toml") == ["there is no such file"]
    assert mistakes(tmp_path) == ["is a folder; name a file"]
    assert mistakes(tmp_path / "pipe") == ["is no regular file; name a file"]


def test_values_are_shortened_and_logins_hidden(page_data: dict[str, Any], save: Save) -> None:
    page_data["historical"] = "https://user:hunter2@example.org/" + "x" * 200
    (sentence,) = mistakes(save(page_data))
    assert "hunter2" not in sentence
    assert "://***@example.org" in sentence
    assert len(sentence) < 200


def test_unknown_keys_never_show_their_value(page_data: dict[str, Any], save: Save) -> None:
    page_data["password"] = "hunter2"
    (sentence,) = mistakes(save(page_data))
    assert sentence.startswith("password: unknown key; ")
    assert "hunter2" not in sentence


def test_moments_without_a_zone_are_utc(candidate_data: dict[str, Any], save: Save) -> None:
    candidate_data["created"] = "2012-01-10T12:00:00"
    assert load_candidate(save(candidate_data)).created.utcoffset() is not None


def test_keys_of_signers_lie_beside_the_file(page_data: dict[str, Any], save: Save, tmp_path: Path) -> None:
    page_data["signers"][0]["keys"] = [{"path": "keys/a.asc", "sha256": "0" * 64}]
    assert load_page(save(page_data)).signers[0].keys[0].path == str(tmp_path.resolve() / "keys/a.asc")


def test_a_page_is_found_by_its_id(page_data: dict[str, Any], save: Save, tmp_path: Path) -> None:
    path = save(page_data, "whatever.toml")
    (tmp_path / "broken.toml").write_text("= no TOML")
    assert find_page(tmp_path, "tiny-1.0") == path
    assert find_page(tmp_path, "broken").name == "broken.toml"
    with pytest.raises(
        ReleaseError, match=r"no release page 'tiny-1.1'; did you mean 'tiny-1.0'\?; there are: "
    ):
        find_page(tmp_path, "tiny-1.1")
    with pytest.raises(ReleaseError, match="no such folder"):
        find_page(tmp_path / "none", "tiny-1.0")


def test_two_pages_with_one_id_are_refused(page_data: dict[str, Any], save: Save, tmp_path: Path) -> None:
    save(page_data, "a.toml")
    save(page_data, "b.toml")
    with pytest.raises(ReleaseError, match=r"b\.toml: page 'tiny-1.0' stands in .*a\.toml already"):
        find_page(tmp_path, "tiny-1.0")


def test_a_candidate_that_fits_passes(
    page_data: dict[str, Any], candidate_data: dict[str, Any], save: Save
) -> None:
    check_candidate(load_page(save(page_data, "p.toml")), load_candidate(save(candidate_data, "c.toml")))


def test_all_misfits_of_a_candidate_are_told_at_once(
    page_data: dict[str, Any], candidate_data: dict[str, Any], save: Save
) -> None:
    page_data["components"].append({**page_data["components"][0], "name": "vdsm"})
    page_data["distributions"] = [
        {"name": "f16", "kind": "rpm", "url": "{downloads}", "architecture": "x86_64", "packages": ["engine"]}
    ]
    first = candidate_data["components"][0]
    candidate_data["components"] = [{**first, "tag": "v1.0.1"}, {**first, "name": "engin"}]
    package = {"version": "1", "architecture": "x86_64"}
    candidate_data["packages"] = [
        {"distribution": "f17", "name": "engine", **package},
        {"distribution": "f16", "name": "vdsm", **package},
    ]
    candidate_data["version"] = "1.01"
    path = save(candidate_data, "c.toml")
    page = load_page(save(page_data, "p.toml"))
    with pytest.raises(DataFileError) as caught:
        check_candidate(page, load_candidate(path), path)
    assert list(caught.value.mistakes) == [
        "version: '1.01' is no release of 1.0; allowed: 1.0, 1.0.1 …",
        "components[0 engine].tag: 'v1.0.1' does not fit version '1.0.1'; the page's pattern gives 'engine-1.0.1'",
        "components[1 engin]: page tiny-1.0 has no such component; did you mean 'engine'?; allowed: engine, vdsm",
        "components: 'vdsm' is missing; page tiny-1.0 lists it",
        "packages[0 engine].distribution: page tiny-1.0 has no 'f17'; allowed: f16",
        "packages[1 vdsm]: page tiny-1.0 lists no such package for f16",
    ]


def test_a_candidate_of_another_page_is_refused(
    page_data: dict[str, Any], candidate_data: dict[str, Any], save: Save
) -> None:
    candidate_data["page"] = "tiny-2.0"
    page, candidate = load_page(save(page_data, "p.toml")), load_candidate(save(candidate_data, "c.toml"))
    with pytest.raises(DataFileError, match=r"page: 'tiny-2\.0' is another page than 'tiny-1\.0'"):
        check_candidate(page, candidate)


def test_a_component_or_file_named_twice_is_a_mistake(candidate_data: dict[str, Any], save: Save) -> None:
    file = {"kind": "tarball", "name": "x", "sha256": "0" * 64, "size": 1}
    candidate_data["components"][0]["files"] = [file, file]
    candidate_data["components"] *= 2
    with pytest.raises(DataFileError) as caught:
        load_candidate(save(candidate_data))
    assert caught.value.mistakes[:2] == (
        "components[1 engine].name: 'engine' stands here twice; each name must be there once",
        "components[0 engine].files[1 x].kind: 'tarball' stands here twice; each kind must be there once",
    )


def test_an_overlay_replaces_places_and_signers(
    page_data: dict[str, Any], save: Save, tmp_path: Path
) -> None:
    overlay = {
        "schema": "ovirt-release-overlay/1",
        "page": "tiny-1.0",
        "places": {"git": "http://127.0.0.1:1/git"},
        "signers": [
            {
                "role": "release-signer",
                "title": "Lab",
                "fingerprints": ["A" * 40],
                "keys": [{"path": "k.asc", "sha256": "0" * 64}],
            }
        ],
    }
    page_data["mirrors"] = {"git": ["https://m.example.org/git"], "downloads": ["https://m.example.org/d"]}
    page, path = load_page(save(page_data, "p.toml")), save(overlay, "o.toml")
    over = apply_overlay(page, load_overlay(path), path)
    assert over.mirrors == {"downloads": ("https://m.example.org/d",)}
    assert over.places == {"git": "http://127.0.0.1:1/git", "downloads": "https://example.org/1.0"}
    assert over.signers[0].fingerprints == ("A" * 40,)
    assert over.signers[0].keys[0].path == str(tmp_path.resolve() / "k.asc")


def test_an_overlay_that_does_not_fit_is_refused(page_data: dict[str, Any], save: Save) -> None:
    overlay = {
        "schema": "ovirt-release-overlay/1",
        "page": "tiny-2.0",
        "places": {"gti": "x"},
        "signers": [{"role": "signer", "title": "Lab"}],
    }
    page, path = load_page(save(page_data, "p.toml")), save(overlay, "o.toml")
    with pytest.raises(DataFileError) as caught:
        apply_overlay(page, load_overlay(path), path)
    assert list(caught.value.mistakes) == [
        "page: 'tiny-2.0' is another page; this run is judged by 'tiny-1.0'",
        "places: page tiny-1.0 has no 'gti'; did you mean 'git'?; allowed: git, downloads",
        "signers: page tiny-1.0 has no 'signer'; did you mean 'release-signer'?; allowed: release-signer",
    ]


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256_of(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ReleaseError, match="cannot be read"):
        sha256_of(tmp_path / "y")


# ---- whatever a file holds, only DataFileError comes out of it ------------------------------------------------

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.datetimes()
    | st.dates()
    | st.sampled_from(
        ["", "must", "tag", "engine", "{", "{name", "{x!r}", "{0}", "https://a:b@c", "node", "*"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(p for k, v in inner for p in places_in(v, (*path, k)))][0 if path else 1 :]


def mistakes_or_none(read: Callable[[], object]) -> tuple[str, ...]:
    try:
        read()
    except DataFileError as error:
        return error.mistakes
    return ()


def test_names_of_several_lines_are_shown_on_one(page_data: dict[str, Any], tmp_path: Path) -> None:
    page_data["timeline"] = [
        {"id": "a", "title": "a", "due": "2012-01-01", "before": "b"},
        {"id": "\n", "title": "b", "due": "2012-01-02"},
    ]
    page_data["places"] = {**page_data["places"], "x\ny": 1}
    page_data["components"][0]["notes"] = "{a\nb}"
    page_data["two\nlines"] = 1
    path = tmp_path / "page.toml"
    path.write_text(tomli_w.dumps(page_data), encoding="utf-8")
    found = mistakes_or_none(lambda: load_page(path))
    assert [sentence for sentence in found if r"\n" in sentence]
    assert all("\n" not in sentence for sentence in found)


HOSTILE_IDS = {
    "script": "<script>alert(1)</script>",
    "link": "javascript:alert(1)",
    "right-to-left": "\u202enur-mv-edon",
    "hebrew": "שלום",
    "isolate": "node\u2066x",
    "control": "node\u001b[2Jx",
    "lines": "node\n::error::x",
    "long": "w" * 10_000,
    "quote": "a' onclick='x",
    "path": "../x",
    "empty": "",
}


@pytest.mark.parametrize("hostile", HOSTILE_IDS.values(), ids=HOSTILE_IDS)
def test_a_hostile_id_of_a_requirement_is_refused_with_a_short_sentence(
    page_data: dict[str, Any], tmp_path: Path, hostile: str
) -> None:
    page_data["requirements"][0]["id"] = hostile
    path = tmp_path / "page.toml"
    path.write_text(tomli_w.dumps(page_data), encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        load_page(path)
    (sentence,) = [said for said in caught.value.mistakes if "].id: " in said]
    assert "allowed" in sentence
    assert len(sentence) < 400
    assert sentence.replace("שלום", "").isprintable()
    assert not {"\u202e", "\u2066", "\x1b"} & set(sentence)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=200,
    deadline=None,
)
@given(data=st.data())
def test_a_mutated_page_is_a_page_or_a_data_file_error(
    data: st.DataObject, page_data: dict[str, Any], tmp_path: Path
) -> None:
    mutated = copy.deepcopy(page_data)
    mutated["timeline"] = [
        {"id": "a", "title": "a", "due": "2012-01-01", "before": "b"},
        {"id": "b", "title": "b", "due": "2012-01-02", "judged_by": "tag-date", "component": "engine"},
    ]
    *parents, last = data.draw(st.sampled_from(places_in(mutated)))
    here = mutated
    for key in parents:
        here = here[key]
    value = data.draw(ANYTHING)
    here[last] = value
    path = tmp_path / "mutated.toml"
    try:
        path.write_text(tomli_w.dumps(mutated), encoding="utf-8")
    except (TypeError, ValueError):  # TOML cannot hold it, so no file can
        return
    found = mistakes_or_none(lambda: load_page(path))
    assert all("\n" not in sentence for sentence in found)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=200,
    deadline=None,
)
@given(cut=st.integers(min_value=0), noise=st.binary(max_size=6))
def test_a_damaged_file_is_a_candidate_or_a_data_file_error(
    cut: int, noise: bytes, candidate_data: dict[str, Any], tmp_path: Path
) -> None:
    content = tomli_w.dumps(candidate_data).encode()
    at = cut % len(content)
    path = tmp_path / "damaged.toml"
    path.write_bytes(content[:at] + noise + content[at + len(noise) :])
    mistakes_or_none(lambda: load(path, Candidate))
