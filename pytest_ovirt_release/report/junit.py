"""junit.xml: one testcase per cell, and one for the verdict itself, for build servers.

A must that is not proven never looks green, and never merely skipped: disproven is a failure, unproven an
error. The last testcase carries the verdict, because a NO-GO or INVALID can have a reason that no cell shows.

Jenkins' xUnit schema allows properties of a suite but none of a testcase, and refuses a whole file for one. What
is known of a cell therefore stands in its system-out, as `[[PROPERTY|name=value]]` lines.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pytest_ovirt_release.report import text, view, words
from pytest_ovirt_release.report.waivers import Waivers
from pytest_ovirt_release.verdict.states import MAY_SHIP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.report.waivers import Acceptance
    from pytest_ovirt_release.verdict.model import CellVerdict, RequirementVerdict, Verdict

_LONGEST = 8000


def render(verdict: Verdict) -> str:
    """Return the whole file as text in UTF-8's declaration, ending with a newline."""
    suite = ET.Element("testsuite", name=text.one_line(words.subject(verdict)), timestamp=_timestamp(verdict))
    _properties(suite, _facts(verdict))
    waivers = Waivers(verdict)
    for requirement in view.in_order(verdict):
        for cell in requirement.cells:
            _cell(suite, requirement, cell, waivers.of(cell))
    _verdict(suite, verdict)
    counts = {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": str(len(suite.findall("testcase/skipped"))),
        "time": f"{view.seconds(c for r in verdict.requirements for c in r.cells):.3f}",
    }
    suite.attrib.update(counts)
    root = ET.Element("testsuites", name=words.heading(verdict))
    root.attrib.update({name: count for name, count in counts.items() if name != "skipped"})
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _facts(verdict: Verdict) -> Iterable[tuple[str, str]]:
    yield "release.verdict", verdict.verdict
    yield "release.rehearsal", str(verdict.rehearsal).lower()
    yield "release.exit_code", str(verdict.exit_code)
    yield "release.as_of", verdict.as_of
    if verdict.page:
        yield "release.page", verdict.page.id
        yield "release.page_sha256", verdict.page.sha256
    if verdict.candidate:
        yield "release.candidate", verdict.candidate.version
        yield "release.candidate_sha256", verdict.candidate.sha256
    if verdict.waivers_sha256:
        yield "release.waivers_sha256", verdict.waivers_sha256
    for refused in verdict.refused:
        yield "release.refused", f"{refused.name}: {refused.detail}"
    for run in verdict.runs:
        yield "release.run", run.id
        yield "release.tester", run.tester
        yield "release.environment", run.environment


def _cell(
    suite: ET.Element, requirement: RequirementVerdict, cell: CellVerdict, accepted: Acceptance | None
) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{requirement.level}.{requirement.id}",
        name=text.one_line(cell.id),
        time=f"{view.seconds((cell,)):.3f}",
    )
    tag = _tag(requirement, cell)
    if tag is not None:
        _outcome(case, tag, cell, accepted)
    facts = (
        ("release.level", requirement.level),
        ("release.requirement", requirement.id),
        ("release.state", cell.state),
        ("release.class", cell.cell_class),
        ("release.disposition", cell.disposition),
        ("release.controlled", str(requirement.controlled).lower()),
        *((("release.waiver", accepted.name),) if accepted else ()),
    )
    ET.SubElement(case, "system-out").text = "\n".join(_fact(name, value) for name, value in facts)


def _fact(name: str, value: str) -> str:
    # A value with the closing brackets in it would end early, and what follows would read as a fact of ours.
    return f"[[PROPERTY|{name}={text.one_line(value).replace(']]', '] ]')}]]"


def _outcome(case: ET.Element, tag: str, cell: CellVerdict, accepted: Acceptance | None) -> None:
    # A waiver stands before the message and changes nothing else: what it accepts never looks green.
    waived = f"{accepted.waived_by}: " if accepted else ""
    reason = text.visible(f"{waived}{view.why(cell)}")
    attributes = {"message": text.shorten(text.one_line(reason), _LONGEST)}
    if tag != "skipped":
        attributes["type"] = cell.state
    ET.SubElement(case, tag, attributes).text = None if tag == "skipped" else text.shorten(reason, _LONGEST)


def _tag(requirement: RequirementVerdict, cell: CellVerdict) -> str | None:
    if cell.cell_class == "proven":
        return None
    if cell.cell_class == "disproven":
        return "failure"
    if cell.cell_class == "not_applicable":
        return "skipped"
    return "error" if requirement.level == "must" or cell.state == "errored" else "skipped"


def _verdict(suite: ET.Element, verdict: Verdict) -> None:
    case = ET.SubElement(suite, "testcase", classname="release", name="verdict", time="0.000")
    if verdict.verdict in MAY_SHIP:
        ET.SubElement(case, "system-out").text = text.visible(verdict.last_line())
        return
    tag = "failure" if verdict.verdict == "NO-GO" else "error"
    found = ET.SubElement(case, tag, message=text.one_line(verdict.last_line()), type=verdict.verdict)
    reasons = [f"{r.cell}: {r.detail}" if r.cell else r.detail for r in verdict.reasons]
    found.text = text.shorten(text.visible("\n".join(reasons)), _LONGEST)


def _properties(parent: ET.Element, facts: Iterable[tuple[str, str]]) -> None:
    holder = ET.SubElement(parent, "properties")
    for name, value in facts:
        ET.SubElement(holder, "property", name=name, value=text.one_line(value))


def _timestamp(verdict: Verdict) -> str:
    """Return the moment of the verdict as JUnit's schema wants it: no zone, no fraction; it is UTC."""
    try:
        when = datetime.fromisoformat(verdict.as_of)
    except ValueError:
        return text.one_line(verdict.as_of)
    return (when.astimezone(UTC) if when.tzinfo else when).strftime("%Y-%m-%dT%H:%M:%S")
