"""What the example verdicts are put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.verdict.model import (
    Attempt,
    CandidateFacts,
    CellVerdict,
    Counts,
    Evidence,
    FileFacts,
    PageFacts,
    QuestionVerdict,
    Reason,
    RequirementVerdict,
    SignerVerdict,
    Verdict,
)
from pytest_ovirt_release.verdict.states import CLASSES, EXIT_CODES, WORST_FIRST
from tests.unit.report.example_beside import RUN, gap, run, sha, timeline
from tests.unit.report.example_rows import COMPONENTS, ROWS, SIGNER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.verdict.states import State, Word

TROUBLE: dict[str, tuple[State, str, str | None]] = {
    "source-tarball-signed[vdsm]": (
        "failed",
        (
            "vdsm-4.9.3.tar.gz: no signature at http://127.0.0.1:38211/src/vdsm-4.9.3.tar.gz.sig (404); "
            "wanted a detached signature by the release signer"
        ),
        "signature-missing",
    ),
    "vm-on-nfs": (
        "failed",
        (
            "The virtual machine was up for 20 s, but its disk is unchanged: sector 2 still holds zeros, "
            "so no processor ever ran the guest"
        ),
        "disk-unchanged",
    ),
    "node-runs-vm[node-1]": ("blocked", "blocked on vm-on-nfs: the guest never ran on this storage", None),
    "node-runs-vm[node-2]": ("missing", "", None),
    "database-creation": ("errored", "the embedded PostgreSQL did not answer within 60 s", None),
    "binary-tarball[ovirt-node]": (
        "failed",
        "ovirt-node-2.2.2-bin.tar.gz: not found (404); wanted the binary tarball that the candidate names",
        "file-missing",
    ),
    "easy-installation": ("skipped", "the target names no SSH access to the engine machine", None),
}


def build(trouble: dict[str, tuple[State, str, str | None]], word: Word) -> Verdict:
    """Return a verdict in which the named cells are in trouble."""
    requirements = tuple(_requirement(row, trouble) for row in ROWS)
    reasons = tuple(reasons_of(requirements, "must"))
    remarks = tuple(reasons_of(requirements, "should"))
    if word != "GO":
        command = "pytest --release-target lab -k 'database or node_runs_vm' --release-tester example"
        remarks = (Reason(code="finish", detail=command), *remarks)
    return Verdict(
        generated_by="pytest-ovirt-release 0.1.0 (an example: the data are invented)",
        verdict=word,
        exit_code=EXIT_CODES[word],
        rehearsal=True,
        as_of="2026-11-22T18:14:52.118+00:00",
        page=PageFacts(
            id="ovirt-3.0",
            title="oVirt 3.0",
            version="3.0",
            uri="https://www.ovirt.org/develop/release-management/releases/3.0/release-management.html",
            sha256=sha("page"),
            historical=True,
        ),
        candidate=CandidateFacts(
            version="3.0.0",
            rc="rc1",
            created="2026-11-22T18:14:03+00:00",
            sha256=sha("candidate"),
            components=tuple(
                {"name": name, "version": version, "tag": f"{name}-{version}", "commit": sha(name)[:40]}
                for name, version in COMPONENTS.items()
            ),
            files=tuple(
                FileFacts(component=name, name=f"{name}-{version}.tar.gz", sha256=sha(f"{name}.tar.gz"))
                for name, version in COMPONENTS.items()
            ),
        ),
        reasons=reasons,
        remarks=remarks,
        must=counts(requirements, "must"),
        should=counts(requirements, "should"),
        requirements=requirements,
        timeline=timeline(),
        gaps=(gap(closable=not trouble),),
        open_questions=(
            QuestionVerdict(
                id="signing", title="Who should sign tarballs?", answer=f"Release signer of the lab, {SIGNER}"
            ),
        ),
        signers=(
            SignerVerdict(
                role="release-signer", title="Signs source and binary tarballs", fingerprints=(SIGNER,)
            ),
            SignerVerdict(
                role="repository-signer", title="Signs package repositories", fingerprints=(SIGNER,)
            ),
        ),
        runs=(run(pytest_exit=1 if trouble else 0),),
    )


def counts(requirements: tuple[RequirementVerdict, ...], level: str) -> Counts:
    """Count the cells of one level; what is waived is counted as waived only."""
    found = [
        "waived" if c.disposition == "waived" else c.cell_class
        for r in requirements
        if r.level == level
        for c in r.cells
    ]
    return Counts(**{name: found.count(name) for name in Counts.model_fields})


def _requirement(
    row: tuple[Any, ...], trouble: dict[str, tuple[State, str, str | None]]
) -> RequirementVerdict:
    identity, level, title, section, line, proof, values, needs, fault, test, sentence, seconds = row
    cells = tuple(
        _cell(identity, value, f"{test}|{sentence}", seconds + number / 10, trouble)
        for number, value in enumerate(values or (None,))
    )
    worst = min(cells, key=lambda c: WORST_FIRST.index(c.state))
    return RequirementVerdict(
        id=identity,
        level=level,
        title=title,
        section=section,
        line=line,
        line_sha256=sha(f"line {line}"),
        proof=proof,
        needs=needs,
        state=worst.state,
        requirement_class=worst.cell_class,
        controlled=identity != "easy-installation",
        faults=(fault,) if identity != "easy-installation" else (),
        cells=cells,
    )


def _cell(
    identity: str,
    value: str | None,
    tried: str,
    seconds: float,
    trouble: dict[str, tuple[State, str, str | None]],
) -> CellVerdict:
    test, sentence = tried.split("|")
    cell = identity if value is None else f"{identity}[{value}]"
    state, message, code = trouble.get(cell, ("passed", "", None))
    nodeid = f"acceptance/{test}" + (f"[{value}]" if value else "")
    attempt = Attempt(
        nodeid=nodeid,
        run=RUN,
        tester="example",
        environment="lab",
        state=state,
        started="2026-11-22T18:14:11+00:00",
        seconds=seconds,
        sentence=sentence,
        message=message,
        code=code,
    )
    kind = CLASSES[state]
    return CellVerdict(
        id=cell,
        value=value,
        state=state,
        cell_class=kind,
        disposition="satisfied" if kind == "proven" else "unsatisfied",
        detail=message or ("no test ran for it in this run" if state == "missing" else ""),
        attempts=() if state == "missing" else (attempt,),
        evidence=tuple(_evidence(identity, cell, nodeid, value)) if state == "passed" else (),
    )


def _evidence(identity: str, cell: str, nodeid: str, value: str | None) -> Iterator[Evidence]:
    def found(name: str, what: object) -> Evidence:
        return Evidence(run=RUN, nodeid=nodeid, name=name, value=what)

    def kept(name: str, octets: int) -> Evidence:
        path = f"evidence/{identity}/{value or 'all'}/{name}"
        return Evidence(run=RUN, nodeid=nodeid, name=name, file=path, sha256=sha(cell + name), size=octets)

    if identity == "source-tag":
        yield found("tag", f"refs/tags/{value}-{COMPONENTS[str(value)]}")
        yield found("commit", sha(str(value))[:40])
        yield found("committed", "2012-01-09T14:00:00+00:00")
    elif identity in {"source-tarball-signed", "binary-tarball"}:
        yield found("signed by", SIGNER)
        yield kept("gpg-status.txt", 812)
        yield found("tarball", {"sha256": sha(cell), "bytes": 48_213})
    elif identity in {"vm-on-nfs", "vm-on-local", "node-runs-vm"}:
        yield found("challenge", sha(f"challenge {cell}")[:32])
        yield found("answer", sha(f"answer {cell}")[:32])
        yield found("ran on", value or ("node-1" if identity == "vm-on-nfs" else "node-2"))
        if identity != "node-runs-vm":
            domain = f"rel-3f9a-{identity.removeprefix('vm-on-')}"
            states = ["unattached 0.0 s", "locked 0.4 s", "active 1.9 s"]
            yield found("storage domain", {"states": states, "domain": domain})
        name = f"rel-3f9a-{identity}{f'-{value}' if value else ''}"
        states = ["wait_for_launch 0.0 s", "powering_up 0.1 s", "up 0.9 s", "down 3.4 s"]
        yield found("virtual machine", {"vm": name, "states": states})
        yield kept("events.json", 5_120)
    elif identity == "release-notes":
        yield found("notes dated", "2012-01-10T09:00:00+00:00 (committer date)")
        yield found("branch created", "2012-01-12T08:00:00+00:00 (committer date of its first own commit)")
    elif identity in {"node-registers", "node-approved"}:
        yield found("host", {"name": value, "address": "127.0.0.2" if value == "node-1" else "127.0.0.3"})
        yield kept("output.txt", 2_048)
        if identity == "node-registers":
            yield found("registration", {"states": ["pending_approval 0.3 s"]})
        else:
            yield found("up", {"states": ["unassigned 0.0 s", "installing 0.2 s", "up 2.6 s"]})
    else:
        yield kept("output.txt", 2_048)


def reasons_of(requirements: tuple[RequirementVerdict, ...], level: str) -> Iterator[Reason]:
    """Yield a reason for every cell of a level that is not proven."""
    for requirement in requirements:
        for cell in requirement.cells:
            if requirement.level == level and cell.cell_class != "proven":
                yield Reason(code=f"{level}-{cell.cell_class}", cell=cell.id, detail=cell.detail)
