"""What every surface of a run says, read as a person or a build server reads it, and the demand that none lies.

Nothing here asks the code under test what a verdict means: words, colours and counts are read off the reports as
they lie on the disk, and which musts hold one clean pass is counted from the raw journals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import defusedxml.ElementTree
from click.testing import CliRunner

from pytest_ovirt_release.cli import main
from tests.plugin.conftest import Project

SHIPS = {"GO", "GO-CONDITIONAL"}
"""Words that let a release out."""

CODES = {0: "GO", 11: "GO-CONDITIONAL"}
"""Exit codes that do."""

WORD = r"(GO-CONDITIONAL|NO-GO|GO|INCOMPLETE|INVALID)"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Said:
    """What one surface says: the verdict's word, None where it is silent, and the musts it shows as proven."""

    word: str | None
    green: frozenset[str] = frozenset()


def surfaces(project: Project, code: int, output: str) -> dict[str, Said]:
    """Return what each surface of the newest run says; those that are not there say nothing."""
    folder = project.folder()
    found = {"exit code": Said(CODES.get(code)), "console": _console(output)}
    for name, read in (
        ("verdict.json", _json),
        ("acceptance.html", _html),
        ("junit.xml", _junit),
        ("announcement.md", _announcement),
    ):
        if (folder / name).exists():
            found[name] = read((folder / name).read_text(), project)
    found |= _judged_again(folder, project)
    if (folder / "verdict.json").exists():
        for name, words, read in (("markdown", (), _announcement), ("mail", ("--mail",), _mail)):
            drafted = CliRunner().invoke(main, ["announce", str(folder), *words])
            assert drafted.exit_code == 0, drafted.output
            found[f"ovirt-release announce, {name}"] = read(drafted.output, project)
    return found


def _judged_again(folder: Path, project: Project) -> Iterator[tuple[str, Said]]:
    """Yield what `ovirt-release verdict` says in a GitHub job: console, exit code, annotations and summary."""
    summary = project.root / "summary.md"
    summary.unlink(missing_ok=True)
    job = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    again = CliRunner().invoke(main, ["verdict", str(folder)], env=job)
    lines = again.output.splitlines()
    commands = [line for line in lines if line.startswith("::")]
    yield "ovirt-release verdict", _console("\n".join(line for line in lines if line not in commands))
    yield "its exit code", Said(CODES.get(again.exit_code))
    if summary.exists():
        yield "GitHub annotations", _annotations(commands)
        yield "GitHub summary", _announcement(summary.read_text(), project)


def assert_no_false_go(project: Project, code: int, output: str, spoilt: Collection[str]) -> dict[str, Said]:
    """Demand that no surface lets the release out or shows a spoilt must as proven, or one without a clean pass."""
    found = surfaces(project, code, output)
    clean = set(_clean(project.folder()))
    for name, said in found.items():
        assert said.word not in SHIPS, f"{name} says {said.word}:\n{output}"
        assert not said.green & set(spoilt), f"{name} shows {said.green & set(spoilt)} as proven:\n{output}"
        assert said.green <= clean, f"{name} shows {said.green - clean} as proven, without a clean pass"
    return found


def states(project: Project) -> dict[str, str]:
    """Return the state of each cell as `ovirt-release verdict` reads it off what the newest run left."""
    given = json.loads(CliRunner().invoke(main, ["verdict", "--json", str(project.folder())]).output)
    return {cell["id"]: cell["state"] for r in given["requirements"] for cell in r["cells"]}


def _console(output: str) -> Said:
    lines = [COLOUR.sub("", line).rstrip() for line in output.strip().splitlines()]
    green = {found[1] for line in lines if (found := re.match(r"[✓+] (\S+) +must ", line))}
    last = lines[-1] if lines else ""
    word = re.search(rf": {WORD}( \(REHEARSAL\))? · must ", last) or re.search(rf"\b{WORD}\b", last)
    return Said(word[1] if word else None, frozenset(green))


def _json(text: str, project: Project) -> Said:
    data = json.loads(text)
    musts = [r for r in data["requirements"] if r["level"] == "must"]
    green = {r["id"] for r in musts for c in r["cells"] if c["class"] == "proven" or c["state"] == "passed"}
    assert CODES.get(data["exit_code"], data["verdict"]) == data["verdict"]
    assert len(green) == data["must"]["proven"]
    return Said(data["verdict"], frozenset(green))


def _html(text: str, project: Project) -> Said:
    words = [
        re.search(rf"\b{WORD}\b", re.sub(r"<[^>]+>", "", found))
        for found in (
            *re.findall(r"<title>.*?: (.*?)</title>", text),
            *re.findall(r'class="word">(.*?)</p>', text),
        )
    ]
    said = {word[1] for word in words if word}
    assert len(words) == 2, "the page's title and its box"
    assert len(said) == 1, f"title and box differ: {said}"
    rows = re.findall(
        r'<th scope="row"><a href="#r-([^"]+)">(?:(?!</tr>).)*?>MUST<(.*?)</tr>', text, re.DOTALL
    )
    word = said.pop()
    assert {name for name, _ in rows} == set(project.musts()) or word == "INVALID"
    return Said(word, frozenset(name for name, row in rows if 'class="mark good"' in row))


def _junit(text: str, project: Project) -> Said:
    root = defusedxml.ElementTree.fromstring(text)
    green: set[str] = set()
    verdict = "GO"  # what a build server makes of a green testcase
    for case in root.iter("testcase"):
        kind, _, name = case.attrib["classname"].partition(".")
        bad = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        if kind == "must" and not bad:
            green.add(name)
        if kind == "release" and bad:
            found = root.find("testsuite/properties/property[@name='release.verdict']")
            verdict = found.attrib["value"] if found is not None else "none"
    assert verdict in SHIPS or int(root.attrib["failures"]) + int(root.attrib["errors"]) > 0
    return Said(verdict, frozenset(green))


def _announcement(text: str, project: Project) -> Said:
    word = re.search(rf"\*\*Verdict: {WORD}", text)
    assert word
    titles = {title: name for name, title in project.musts().items()}
    rows = re.findall(r"^\| MUST \| (.+?) \| (\d+) of (\d+) \| (.+?) \|$", text, re.MULTILINE)
    assert {title for title, *_ in rows} == set(titles) or word[1] == "INVALID"
    return Said(
        word[1],
        frozenset(titles[title] for title, of, all_, state in rows if of == all_ or _all_passed(state)),
    )


def _all_passed(state: str) -> bool:
    return "passed" in state and "," not in state  # "1 failed, 7 passed" is not green


def _mail(text: str, project: Project) -> Said:
    word = re.search(rf"^Subject: \[draft\] .*: {WORD}( \(REHEARSAL\))?$", text, re.MULTILINE)
    assert word
    assert set(re.findall(rf"\bVerdict: {WORD}", text)) == {word[1]}, (
        "the subject says another verdict than the text"
    )
    titles = {title: name for name, title in project.musts().items()}
    flat = " ".join(text.split())
    rows = re.findall(r"\* MUST +(\d+) of (\d+) (.+?) \((.+?)\)(?= \*| [A-Z])", flat)
    assert {title for _, _, title, _ in rows} == set(titles) or word[1] == "INVALID"
    return Said(
        word[1],
        frozenset(titles[title] for of, all_, title, state in rows if of == all_ or _all_passed(state)),
    )


def _annotations(commands: Collection[str]) -> Said:
    """Read what a build page shows: a job without an error is green, and a notice says the verdict."""
    (verdict,) = [line for line in commands if line.startswith("::notice title=Verdict::")]
    said = _console(verdict.removeprefix("::notice title=Verdict::"))
    errors = [line for line in commands if line.startswith("::error ")]
    assert errors or said.word in SHIPS, f"no error, yet the verdict is {said.word}"
    return said


def _clean(folder: Path) -> Iterator[str]:
    """Yield each requirement whose every collected test holds exactly one clean pass in the journals."""
    records = [r for path in sorted((folder / "journal").glob("*.jsonl")) for r in _records(path)]
    tests: dict[str, set[str]] = {}
    for record in records:
        if record["kind"] == "collected" and "requirement" in record:
            tests.setdefault(record["requirement"], set()).add(record["nodeid"])
    passes: dict[str, list[str]] = {}
    for record in records:
        if record["kind"] == "crash":
            passes.setdefault(record["nodeid"], []).append("crash")
        elif record["kind"] == "report":
            plain = record["outcome"] == "passed" and record.get("wasxfail") is None
            if not plain or not record.get("subtest"):
                word = record["when"] if plain else "spoilt"
                passes.setdefault(record["nodeid"], []).append(word)
    for requirement, nodeids in tests.items():
        if all(passes.get(nodeid) == ["setup", "call", "teardown"] for nodeid in nodeids):
            yield requirement


def _records(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # torn, or written over by the test
