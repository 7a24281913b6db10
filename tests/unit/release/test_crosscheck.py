"""What contradicts itself inside a page is a mistake of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.release.crosscheck import page_mistakes

if TYPE_CHECKING:
    from collections.abc import Callable


def set_in(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        *parents, last = path
        here: Any = data
        for key in parents:
            here = here[key]
        here[last] = to

    return change


def milestone(**more: Any) -> list[dict[str, Any]]:
    last = {"id": "z", "title": "Z", "due": "2012-02-01"}
    return [{"id": "a", "title": "A", "due": "2012-01-10", **more}, last]


def script(component: str, *command: str) -> dict[str, Any]:
    return {"component": component, "command": list(command)}


DISTRIBUTION = {
    "name": "deb7",
    "kind": "deb",
    "url": "{downloads}",
    "architecture": "amd64",
    "packages": ["x"],
}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            set_in("requirements", 2, "id", to="notes"),
            "requirements[2 notes].id: 'notes' stands here twice; each id must be there once",
        ),
        (
            set_in("requirements", 1, "needs", to=["guest"]),
            "requirements: tag needs guest needs tag; a requirement cannot wait for itself",
        ),
        (
            set_in("requirements", 1, "not_applicable", to={"vdsm": "it is old"}),
            "requirements[1 tag].not_applicable: 'vdsm' is no axis value of this page; allowed: *, engine",
        ),
        (
            set_in("requirements", 2, "axis", to="distribution"),
            "requirements[2 binary].axis: 'distribution' has no values; the page lists no distributions",
        ),
        (
            set_in("gaps", to=[{"id": "g", "requirements": ["gues"]}]),
            (
                "gaps[0 g].requirements: 'gues' is no requirement of this page; did you mean 'guest'?; allowed: notes, "
                "tag, binary, guest"
            ),
        ),
        (
            set_in("timeline", to=milestone(component="engin")),
            "timeline[0 a].component: 'engin' is no component of this page; did you mean 'engine'?; allowed: engine",
        ),
        (
            set_in("timeline", to=milestone(judged_by="tag-date")),
            "timeline[0 a].component: missing; a milestone judged by tag-date needs the component that is tagged",
        ),
        (
            set_in("timeline", to=milestone(before="y")),
            "timeline[0 a].before: 'y' is no milestone of this page; allowed: a, z",
        ),
        (
            set_in("open_questions", to=[{"id": "q", "title": "Q", "answered_by_role": "boss"}]),
            "open_questions[0 q].answered_by_role: 'boss' is no role of this page; allowed: release-signer",
        ),
        (
            set_in("components", 0, "tag", to="{release}"),
            (
                "components[0 engine].tag: {release} in '{release}' is not known; allowed: {downloads}, {git}, {name}, "
                "{version}"
            ),
        ),
        (
            set_in("components", 0, "notes", to="{name"),
            "components[0 engine].notes: '{name' is no pattern: expected '}' before end of string",
        ),
        (
            set_in("components", 0, "notes", to="{name.__class__}"),
            (
                "components[0 engine].notes: {name.__class__} in '{name.__class__}' is not known; allowed: {downloads}, "
                "{git}, {name}, {release}, {tag}, {version}"
            ),
        ),
        (
            set_in("components", 0, "binary_tarball", to="x"),
            "components[0 engine]: binary_tarball and binary_signature belong together; give both or neither",
        ),
        (
            set_in("components", 0, "checksums_signature", to="x"),
            "components[0 engine].checksums_signature: there is no checksums that it could be of",
        ),
        (
            set_in("mirrors", to={"downlods": ["https://m.example.org"]}),
            "mirrors: 'downlods' is no place of this page; did you mean 'downloads'?; allowed: git, downloads",
        ),
        (
            set_in("distributions", to=[DISTRIBUTION]),
            "distributions[0 deb7].suite: missing; a deb repository needs the name of its suite",
        ),
        (
            set_in("places", "version", to="x"),
            "places.version: {version} has a meaning of its own in patterns; choose another name",
        ),
        (
            set_in("scripts", to={"pki": script("engine", "{source}/x", "{db_host}")}),
            "scripts.pki.command: {db_host} in '{db_host}' is not known; did you mean 'host'?; allowed: {host}, {out}, {source}",
        ),
        (
            set_in("scripts", to={"database": script("vdsm", "{db_host}")}),
            "scripts.database.component: 'vdsm' is no component of this page; allowed: engine",
        ),
        (
            set_in("engine", to="newest"),
            "engine: 'newest' is not allowed; allowed: versions such as '>=4.5,<5'",
        ),
    ],
)
def test_each_contradiction_has_its_sentence(
    page_data: dict[str, Any], change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    change(page_data)
    assert page_mistakes(page_data) == [sentence]


def test_a_page_without_contradictions_has_none(page_data: dict[str, Any]) -> None:
    assert page_mistakes(page_data) == []


def test_a_page_that_demands_nothing_is_refused(page_data: dict[str, Any]) -> None:
    for requirement in page_data["requirements"]:
        requirement["level"] = "should"
    assert page_mistakes(page_data) == [
        "requirements: no requirement has level 'must'; a page that demands nothing would always be met"
    ]
