"""junit.xml never looks green where a must is not proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from defusedxml.ElementTree import fromstring

from pytest_ovirt_release.report import junit

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pytest_ovirt_release.verdict.model import Verdict


def parsed(verdict: Verdict) -> Element:
    root: Element = fromstring(junit.render(verdict).encode())
    return root


def cases(verdict: Verdict) -> dict[str, Element]:
    return {str(case.get("name")): case for case in parsed(verdict).iter("testcase")}


def facts_of(case: Element) -> dict[str, str]:
    lines = str(case.findtext("system-out") or "").splitlines()
    lines = [line for line in lines if line.startswith("[[PROPERTY|")]
    return dict(line.removeprefix("[[PROPERTY|").removesuffix("]]").split("=", 1) for line in lines)


def outcome(case: Element) -> tuple[str, str | None] | None:
    found = [part for part in case if part.tag in {"failure", "error", "skipped"}]
    assert len(found) <= 1
    return (found[0].tag, found[0].get("type")) if found else None


def test_every_cell_is_a_testcase_and_the_verdict_is_one_more(no_go: Verdict) -> None:
    names = {cell.id for r in no_go.requirements for cell in r.cells}
    assert set(cases(no_go)) == names | {"verdict"}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("vm-on-local", None),
        ("vm-on-nfs", ("failure", "failed")),
        ("database-creation", ("error", "errored")),
        ("node-runs-vm[node-1]", ("error", "blocked")),
        ("node-runs-vm[node-2]", ("error", "missing")),
        ("binary-tarball[ovirt-node]", ("failure", "failed")),
        ("easy-installation", ("skipped", None)),
        ("verdict", ("failure", "NO-GO")),
    ],
)
def test_states_become_outcomes(no_go: Verdict, cell: str, expected: tuple[str, str | None] | None) -> None:
    assert outcome(cases(no_go)[cell]) == expected


def test_a_verdict_without_any_cell_is_not_green(invalid: Verdict) -> None:
    found = cases(invalid)
    assert outcome(found["verdict"]) == ("error", "INVALID")


def test_go_is_green(go: Verdict) -> None:
    assert all(outcome(case) is None for case in cases(go).values())


def test_counts_agree_with_the_testcases(no_go: Verdict) -> None:
    (suite,) = parsed(no_go)
    outcomes = [outcome(case) for case in suite.iter("testcase")]
    assert int(suite.attrib["tests"]) == len(outcomes)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.attrib[name]) == sum(o is not None and o[0] == tag for o in outcomes)


def test_properties_tell_level_requirement_and_rehearsal(no_go: Verdict) -> None:
    facts = {p.get("name"): p.get("value") for p in parsed(no_go).findall("testsuite/properties/property")}
    assert facts["release.rehearsal"] == "true"
    case = cases(no_go)["vm-on-nfs"]
    of_case = facts_of(case)
    assert (of_case["release.level"], of_case["release.requirement"]) == ("must", "vm-on-nfs")


def test_hostile_texts_give_valid_xml(hostile: Verdict) -> None:
    parsed(hostile)
    assert "\x07" not in junit.render(hostile)


@pytest.mark.parametrize(
    ("cell", "tag", "prefix", "waiver"),
    [
        (
            "vm-on-nfs",
            "failure",
            "waived by Alex Example until 2026-12-31: The guest",
            "nfs-on-robins-machine",
        ),
        ("database-creation", "error", "waived by Alex Example until 2026-11-30: the emb", "hardware-late"),
        (
            "node-runs-vm[node-2]",
            "error",
            "waived by Alex Example until 2026-11-30: blocked",
            "hardware-late",
        ),
    ],
)
def test_what_is_waived_never_looks_green(
    conditional: Verdict, cell: str, tag: str, prefix: str, waiver: str
) -> None:
    case = cases(conditional)[cell]
    found = case.find(tag)
    assert found is not None
    assert str(found.get("message")).startswith(prefix)
    assert str(found.text).startswith(prefix)
    facts = facts_of(case)
    assert facts["release.waiver"] == waiver
    assert facts["release.disposition"] == "waived"


def test_only_what_is_waived_names_a_waiver(conditional: Verdict) -> None:
    waived = {c.id for r in conditional.requirements for c in r.cells if c.disposition == "waived"}
    named = {name for name, case in cases(conditional).items() if "release.waiver" in facts_of(case)}
    assert named == waived != set()


def test_a_hostile_waiver_is_one_fact(hostile: Verdict) -> None:
    for name, case in cases(hostile).items():
        if name == "verdict":
            continue
        for line in str(case.findtext("system-out") or "").splitlines():
            assert line.startswith("[[PROPERTY|release.")
            assert line.index("]]") == len(line) - 2


def test_a_waiver_that_is_not_listed_is_no_approval(no_go: Verdict) -> None:
    data = no_go.model_dump(by_alias=True)
    for requirement in data["requirements"]:
        for cell in requirement["cells"]:
            if cell["id"] == "vm-on-nfs":
                cell.update(disposition="waived", waiver="nowhere")
    found = cases(type(no_go).model_validate(data))["vm-on-nfs"].find("failure")
    assert found is not None
    assert str(found.get("message")).startswith("waived by nowhere, which is not listed: ")


def test_refused_runs_are_properties(conditional: Verdict) -> None:
    facts = {
        p.get("name"): p.get("value") for p in parsed(conditional).findall("testsuite/properties/property")
    }
    assert str(facts["release.refused"]).startswith("20261120T080901Z-55aa.bundle.tar.gz: it is of another")
