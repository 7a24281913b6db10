"""Invented but realistic verdicts; run as a script to write `reports/example/` anew.

python tests/unit/report/example.py
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.report import console, files
from pytest_ovirt_release.verdict.model import (
    EXIT_CODES,
    Attempt,
    CandidateFacts,
    CellVerdict,
    Counts,
    Evidence,
    GapVerdict,
    MilestoneVerdict,
    PageFacts,
    QuestionVerdict,
    Reason,
    RequirementVerdict,
    RunVerdict,
    SignerVerdict,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.verdict.model import CellClass, State, Word

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "reports" / "example"
RUN = "20261122T181400Z-3f9a"
COMPONENTS = {
    "ovirt-engine": "3.0.0",
    "vdsm": "4.9.3",
    "ovirt-node": "2.2.2",
    "ovirt-engine-sdk": "3.0.0",
    "ovirt-engine-cli": "3.0.0",
    "ovirt-iso-uploader": "3.0.0",
    "ovirt-image-uploader": "3.0.0",
    "ovirt-log-collector": "3.0.0",
}
NODES = ("node-1", "node-2")
DISTRIBUTIONS = ("fedora-16", "debian-7")
SIGNER = "7A1C5E0D3B9F4826A1D04C7FBE2390D85C6E41F2"
CLASSES: dict[State, CellClass] = {
    "failed": "disproven",
    "conflict": "disproven",
    "passed": "proven",
    "not_applicable": "not_applicable",
}

# id, level, title, section, line, proof, axis values, needs, fault, file and test, sentence, seconds
ROWS: tuple[
    tuple[str, str, str, str, int, str, tuple[str, ...], tuple[str, ...], str, str, str, float], ...
] = (
    (
        "source-tag",
        "must",
        "Every source repository carries the release's tag and branch",
        "Requirements",
        27,
        "The exact tag and its commit are read from the repository; the release branch contains it.",
        tuple(COMPONENTS),
        (),
        "untagged-component",
        "test_source.py::test_tag_and_branch",
        "The component's repository has this release's tag on the candidate's commit.",
        0.6,
    ),
    (
        "source-tarball-signed",
        "must",
        "Every source tarball can be downloaded and is signed",
        "Requirements",
        28,
        "The tarball is downloaded and its signature is by a key that holds the release signer's role.",
        tuple(COMPONENTS),
        (),
        "unsigned-tarball",
        "test_source.py::test_source_tarball",
        "The component's tarball is signed by the release signer and unpacks to what the tag holds.",
        1.2,
    ),
    (
        "release-notes",
        "must",
        "Release notes are sent before the branch is made",
        "Timeline",
        23,
        "Notes for this version exist and are older than the release branch.",
        tuple(COMPONENTS),
        (),
        "notes-after-branch",
        "test_source.py::test_release_notes",
        "The component's release notes are older than its release branch.",
        0.2,
    ),
    (
        "ssl-setup",
        "must",
        "SSL is easy to set up",
        "Requirements",
        31,
        "The release's own script makes a CA and a certificate that verify each other; the engine is served by TLS.",
        (),
        ("source-tarball-signed",),
        "ca-mismatch",
        "test_install.py::test_ssl",
        "The release's PKI script gives a working CA, and the engine's certificate is signed by the target's CA.",
        2.4,
    ),
    (
        "database-creation",
        "must",
        "The database is easy to create",
        "Requirements",
        32,
        "The release's own script makes the schema in an empty PostgreSQL, twice without harm.",
        (),
        ("source-tarball-signed",),
        "database-script-fails",
        "test_install.py::test_database",
        "The release's database script turns an empty database into the engine's schema.",
        3.1,
    ),
    (
        "vm-on-nfs",
        "must",
        "A virtual machine runs on NFS storage",
        "Requirements",
        35,
        "A guest of ours boots from a disk on the storage, answers a challenge there and powers itself off.",
        (),
        ("node-approved",),
        "nfs-mount-fails",
        "test_smoke.py::test_vm_on_nfs",
        "A virtual machine boots from NFS storage and answers our challenge on its disk.",
        6.8,
    ),
    (
        "vm-on-local",
        "must",
        "A virtual machine runs on local storage",
        "Requirements",
        35,
        "A guest of ours boots from a disk on the storage, answers a challenge there and powers itself off.",
        (),
        ("node-approved",),
        "local-disk-lost",
        "test_smoke.py::test_vm_on_local",
        "A virtual machine boots from local storage and answers our challenge on its disk.",
        6.1,
    ),
    (
        "node-registers",
        "must",
        "A node registers with the engine",
        "Requirements",
        36,
        "The node asks over the real protocol and appears as waiting for approval.",
        NODES,
        ("ssl-setup",),
        "node-never-registers",
        "test_node.py::test_node_registers",
        "The node asks the engine to be registered and is then waiting for approval.",
        1.9,
    ),
    (
        "node-approved",
        "must",
        "A registered node can be approved and stays up",
        "Requirements",
        36,
        "After approval the host is up, and stays up over the rest of the cycle.",
        NODES,
        ("node-registers",),
        "host-up-then-non-operational",
        "test_node.py::test_node_approved",
        "The approved node comes up and stays up.",
        3.3,
    ),
    (
        "node-runs-vm",
        "must",
        "An approved node runs a virtual machine",
        "Requirements",
        36,
        "The guest's proof of run on exactly this node.",
        NODES,
        ("node-approved", "vm-on-nfs", "vm-on-local"),
        "guest-on-wrong-node",
        "test_node.py::test_node_runs_vm",
        "A virtual machine pinned to the node runs there and nowhere else.",
        5.2,
    ),
    (
        "binary-tarball",
        "should",
        "A binary tarball can be downloaded",
        "Requirements",
        29,
        "The binary tarball is downloaded and its signature is by the release signer.",
        tuple(COMPONENTS),
        (),
        "binary-tarball-missing",
        "test_builds.py::test_binary_tarball",
        "The component's binary tarball is there and is signed by the release signer.",
        0.7,
    ),
    (
        "distro-builds",
        "should",
        "Binary builds exist for different distributions",
        "Requirements",
        30,
        "The repository's metadata is signed and each package fits its checksum.",
        DISTRIBUTIONS,
        (),
        "package-tampered",
        "test_builds.py::test_distribution",
        "The distribution's repository is signed and holds the release's packages, unaltered.",
        1.4,
    ),
    (
        "easy-installation",
        "should",
        "Installation is easy",
        "Requirements",
        33,
        "The setup tool answers; the service is enabled and active.",
        (),
        (),
        "service-disabled",
        "test_install.py::test_easy_installation",
        "The setup tool is installed and the engine's service runs and starts at boot.",
        0.8,
    ),
)

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


def go() -> Verdict:
    """Return a rehearsal in which everything is proven."""
    return build({}, "GO")


def no_go() -> Verdict:
    """Return a rehearsal with a bit of every trouble."""
    return build(TROUBLE, "NO-GO")


def build(trouble: dict[str, tuple[State, str, str | None]], word: Word) -> Verdict:
    """Return a verdict in which the named cells are in trouble."""
    requirements = tuple(_requirement(row, trouble) for row in ROWS)
    reasons = tuple(_reasons(requirements, "must"))
    remarks = tuple(_reasons(requirements, "should"))
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
        ),
        reasons=reasons,
        remarks=remarks,
        must=counts(requirements, "must"),
        should=counts(requirements, "should"),
        requirements=requirements,
        timeline=_timeline(),
        gaps=(_gap(closable=not trouble),),
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
        runs=(_run(pytest_exit=1 if trouble else 0),),
    )


def sha(seed: str) -> str:
    """Return an invented but stable digest."""
    return hashlib.sha256(seed.encode()).hexdigest()


def counts(requirements: tuple[RequirementVerdict, ...], level: str) -> Counts:
    """Count the cells of one level."""
    found = [c.cell_class for r in requirements if r.level == level for c in r.cells]
    return Counts(
        proven=found.count("proven"),
        disproven=found.count("disproven"),
        unproven=found.count("unproven"),
        not_applicable=found.count("not_applicable"),
    )


def _requirement(
    row: tuple[Any, ...], trouble: dict[str, tuple[State, str, str | None]]
) -> RequirementVerdict:
    identity, level, title, section, line, proof, values, needs, fault, test, sentence, seconds = row
    cells = tuple(
        _cell(identity, value, f"{test}|{sentence}", seconds + number / 10, trouble)
        for number, value in enumerate(values or (None,))
    )
    worst = min(
        cells, key=lambda c: ("failed", "errored", "blocked", "missing", "skipped", "passed").index(c.state)
    )
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
    kind = CLASSES.get(state, "unproven")
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
        yield kept("events.json", 5_120)
    elif identity == "release-notes":
        yield found("notes dated", "2012-01-10T09:00:00+00:00 (committer date)")
        yield found("branch created", "2012-01-12T08:00:00+00:00 (committer date of its first own commit)")
    else:
        yield kept("output.txt", 2_048)


def _reasons(requirements: tuple[RequirementVerdict, ...], level: str) -> Iterator[Reason]:
    for requirement in requirements:
        for cell in requirement.cells:
            if requirement.level == level and cell.cell_class != "proven":
                yield Reason(code=f"{level}-{cell.cell_class}", cell=cell.id, detail=cell.detail)


def _timeline() -> tuple[MilestoneVerdict, ...]:
    return (
        MilestoneVerdict(
            id="final-vdsm",
            title="Final VDSM",
            due="2012-01-10",
            actual="2012-01-09T14:00:00+00:00",
            source="date of the tag",
            status="met",
        ),
        MilestoneVerdict(
            id="final-engine",
            title="Final oVirt-engine",
            due="2012-01-12T12:00:00+00:00",
            actual="2012-01-11T16:00:00+00:00",
            source="date of the tag",
            status="met",
        ),
        MilestoneVerdict(
            id="branches",
            title="Versioned git branch creation",
            due="2012-01-12",
            actual="2012-01-12T08:00:00+00:00",
            source="first own commits of the branches",
            status="met",
        ),
        MilestoneVerdict(
            id="test-day",
            title="First test day",
            due="2012-01-16",
            actual="2012-01-16",
            source="the release page says so",
            status="declared",
        ),
        MilestoneVerdict(
            id="go-no-go",
            title="Go/no-go meeting",
            due="2012-02-07T15:00:00+00:00",
            actual=None,
            source="nothing says when",
            status="unknown",
        ),
    )


def _gap(*, closable: bool) -> GapVerdict:
    return GapVerdict(
        id="vdsm-registration",
        title="VDSM doesn't register without a manual process",
        owner="ovirt-node",
        eta="2011-12-09",
        requirements=("node-registers",),
        status="closable" if closable else "overdue",
        detail="node-1 registered by itself, and the old registration addresses answered."
        if closable
        else "node-1 registered by itself, but the old registration addresses were not tried.",
    )


def _run(*, pytest_exit: int) -> RunVerdict:
    return RunVerdict(
        id=RUN,
        tester="example",
        environment="lab",
        started="2026-11-22T18:14:00+00:00",
        ended="2026-11-22T18:14:52+00:00",
        arguments=("--release-target", "lab", "-n", "2"),
        pytest_exit=pytest_exit,
        complete=True,
        rehearsal=True,
        brands=("engine CA", "engine product_info", "node-1 SSH banner", "OpenPGP user id"),
        versions={"python": "3.11.7", "pytest": "9.2.0", "git": "2.39.5", "gpg": "2.2.40"},
    )


def write(folder: Path) -> None:
    """Write both examples with every output."""
    for verdict, where in ((go(), folder), (no_go(), folder / "no-go")):
        files.write_all(verdict, where)
        shown = console.lines(verdict, 80, folder=f"reports/{RUN}")
        files.write_text(where / "console.txt", "\n".join(line.text for line in shown) + "\n")


if __name__ == "__main__":
    write(FOLDER)
