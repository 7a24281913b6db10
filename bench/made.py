"""Projects to run pytest in, and runs to judge, of whatever size a benchmark wants."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_ovirt_release.verdict.bundle import SUFFIX, pack
from pytest_ovirt_release.verdict.contents import CANDIDATE, PAGE, fact_of, read_folder
from pytest_ovirt_release.verdict.journals import CONTROLLER
from pytest_ovirt_release.verdict.records import JOURNAL_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ZERO, COMMIT = "0" * 64, "1" * 40
EVIDENCE = "evidence/console.txt"
FIRST = datetime(2024, 11, 2, 12, tzinfo=UTC)
"""When the first run was made."""

TESTERS, PLACES = 50, 10
"""How many different people and environments the runs of a merge come from."""

PAGE_HEAD = f"""
schema = "ovirt-release-page/1"
id = "page-1"
title = "oVirt 9.9"
product = "oVirt"
version = "9.9"
engine = ">=4.5"
release_date = 2024-12-01
[source]
uri = "https://example.test/page"
title = "A page"
sha256 = "{ZERO}"
"""

REQUIREMENT = """
[[requirements]]
id = "{id}"
level = "must"
title = "Title of {id}"
section = "Requirements"
line = {line}
sha256 = "{zero}"
proof = "What shows that it holds"
{axis}
"""

COMPONENT = """
[[components]]
name = "{name}"
repository = "https://example.test/{name}.git"
tag = "v{{version}}"
branch = "b"
tarball = "https://example.test/{name}.tar.gz"
signature = "https://example.test/{name}.tar.gz.sig"
notes = "https://example.test/{name}.md"
"""

CANDIDATE_HEAD = """
schema = "ovirt-release-candidate/1"
page = "page-1"
version = "9.9"
created = 2024-11-01T12:00:00Z
"""

CANDIDATE_COMPONENT = """
[[components]]
name = "{name}"
version = "4.9"
tag = "v4.9"
commit = "{commit}"
"""

TARGET = """
schema = "ovirt-release-target/1"
name = "staging"
candidate = "candidate.toml"
[engine]
url = "https://127.0.0.1:9/ovirt-engine/api"
ca_file = "ca.pem"
password_file = "engine.password"
[[nodes]]
name = "node-1"
address = "127.0.0.2"
storage = "local"
[nodes.ssh]
address = "127.0.0.2"
host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEEdZ1yNwCkQbZV6zRVTwi8Bd2f8KXcPnbA2Q0OHdJLn"
key_file = "key"
[storage]
local_path = "/data/images"
"""

BARE = """
[tool.pytest]
strict = true
testpaths = ["acceptance"]
"""
RELEASE = f"""{BARE}
release_suite = "acceptance"
release_pages = "pages"
release_reports = "reports"
"""


@dataclass(frozen=True)
class Size:
    """How many requirements a page has, and how many components each of them is asked of (0: no axis)."""

    requirements: int
    components: int = 0

    @property
    def names(self) -> list[str]:
        """Return the ids of the requirements."""
        return [f"must-{n:04}" for n in range(self.requirements)]

    @property
    def values(self) -> list[str]:
        """Return the names of the components."""
        return [f"part-{n:03}" for n in range(max(self.components, 1))]

    def cells(self) -> Iterator[tuple[str, str, str]]:
        """Yield requirement, cell and test of every cell."""
        for name in self.names:
            test = test_of(name)
            if not self.components:
                yield name, name, test
            for value in self.values if self.components else ():
                yield name, f"{name}[{value}]", f"{test}[{value}]"


def test_of(requirement: str) -> str:
    """Return the test that proves a requirement."""
    return f"acceptance/test_all.py::test_{requirement.replace('-', '_')}"


def page(size: Size) -> str:
    """Return a release page."""
    axis = 'axis = "component"' if size.components else ""
    requirements = (
        REQUIREMENT.format(id=name, line=line, zero=ZERO, axis=axis)
        for line, name in enumerate(size.names, 1)
    )
    return "".join([PAGE_HEAD, *requirements, *(COMPONENT.format(name=name) for name in size.values)])


def candidate(size: Size) -> str:
    """Return a candidate of that page."""
    components = (CANDIDATE_COMPONENT.format(name=name, commit=COMMIT) for name in size.values)
    return "".join([CANDIDATE_HEAD, *components])


def bare_project(root: Path, tests: int, *, marked: bool = False) -> Path:
    """Make a project that knows nothing of this plugin; its tests are empty, a hundred in each file."""
    (root / "acceptance").mkdir(parents=True)
    (root / "pyproject.toml").write_text(BARE)
    for first in range(0, tests, 100):
        body = [
            f'{_mark(n) if marked else ""}def test_{n}():\n    """Holds."""\n'
            for n in range(first, min(first + 100, tests))
        ]
        head = "import pytest\n\n" if marked else ""
        (root / "acceptance" / f"test_{first // 100:03}.py").write_text(head + "\n".join(body))
    return root


def _mark(number: int) -> str:
    return f'@pytest.mark.must("must-{number:04}")\n'


def release_project(root: Path, tests: int, *, marked: bool = False) -> Path:
    """Make the same as a release project; with `marked` every test proves a requirement of its own."""
    bare_project(root, tests, marked=marked)
    size = Size(tests if marked else 1)
    (root / "pyproject.toml").write_text(RELEASE)
    (root / "pages").mkdir()
    (root / "pages" / "page-1.toml").write_text(page(size))
    (root / "candidate.toml").write_text(candidate(size))
    (root / "target.toml").write_text(TARGET)
    (root / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (root / "key").write_text("key\n")
    (root / "engine.password").write_text("s3cret pass/word")
    (root / "engine.password").chmod(0o600)
    return root


def bundles(folder: Path, count: int, size: Size) -> list[Path]:
    """Write the bundles of that many runs, by different testers, in which everything passed."""
    made = []
    for number in range(count):
        run = run_folder(folder / "run", size, number)
        path = folder / f"{number:08x}{SUFFIX}"
        path.write_bytes(pack(read_folder(run), run))
        made.append(path)
    return made


def run_folder(folder: Path, size: Size, number: int = 0) -> Path:
    """Write what one run leaves, in which everything passed."""
    inputs = {PAGE: page(size).encode(), CANDIDATE: candidate(size).encode()}
    evidence = f"console of run {number}\n".encode() * 100
    files = {**inputs, EVIDENCE: evidence, CONTROLLER: _journal(number, size, inputs, evidence)}
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _journal(number: int, size: Size, inputs: dict[str, bytes], evidence: bytes) -> bytes:
    """Return a journal as the recorder of one process writes it: two values of evidence for each cell."""
    run, cells = f"{number:08x}", list(size.cells())
    beginning: list[dict[str, object]] = [
        {"kind": "opened", "schema": JOURNAL_SCHEMA, "run": run, "process": "controller"},
        {"kind": "run", **_start(number, size, inputs)},
        *(_collected(*cell) for cell in cells),
        *({**_collected(*cell), "sentence": "It holds."} for cell in cells),
        *(record for _, cell, test in cells for record in _ran(test, cell)),
        {
            "kind": "evidence",
            "nodeid": cells[0][2],
            "cell": cells[0][1],
            "name": "console",
            "file": EVIDENCE,
            **fact_of(evidence).model_dump(),
        },
    ]
    before = _lines(beginning, FIRST + timedelta(minutes=number))
    end = {
        "kind": "end",
        "exit": 0,
        "complete": True,
        "files": {CONTROLLER: fact_of(before).model_dump()},
    }
    return before + _lines([end], FIRST + timedelta(minutes=number, seconds=len(beginning)))


def _lines(records: Sequence[dict[str, object]], first: datetime) -> bytes:
    """Return records as lines of a journal, a millisecond after one another."""
    told = (
        {
            "kind": record["kind"],
            "at": (first + timedelta(milliseconds=n)).isoformat(timespec="milliseconds"),
            **record,
        }
        for n, record in enumerate(records)
    )
    return "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in told).encode()


def _start(number: int, size: Size, inputs: dict[str, bytes]) -> dict[str, object]:
    return {
        "run": f"{number:08x}",
        "page": "page-1",
        "page_sha256": hashlib.sha256(inputs[PAGE]).hexdigest(),
        "candidate_sha256": hashlib.sha256(inputs[CANDIDATE]).hexdigest(),
        "overlay_sha256": "",
        "lab": False,
        "target": f"lab of company {number % PLACES}",
        "tester": f"Tester {number % TESTERS}",
        "axes": {"component": size.values, "distribution": [], "node": ["node-1"]},
        "suite": {name: [test_of(name)] for name in size.names},
        "controls": {name: {"controlled": True, "faults": ["some-fault"]} for name in size.names},
        "argv": ["-m", "must"],
        "finish": ["--release-target", "target.toml"],
        "versions": {"pytest": "9.2.0", "python": "3.11.2"},
    }


def _collected(requirement: str, cell: str, test: str) -> dict[str, object]:
    return {"kind": "collected", "nodeid": test, "requirement": requirement, "level": "must", "cell": cell}


def _ran(test: str, cell: str) -> Iterator[dict[str, object]]:
    """Yield what is recorded while a test runs and passes."""
    yield _report(test, "setup")
    for name, value in (("tag", f"refs/tags/{cell}"), ("commit", COMMIT)):
        yield {"kind": "evidence", "nodeid": test, "cell": cell, "name": name, "value": value}
    yield _report(test, "call")
    yield _report(test, "teardown")


def _report(test: str, when: str) -> dict[str, object]:
    nothing = dict.fromkeys(("wasxfail", "error", "code", "on"))
    return {
        "kind": "report",
        "nodeid": test,
        "when": when,
        "outcome": "passed",
        "rerun": False,
        "subtest": False,
        "duration": 0.0123,
        "message": "",
        **nothing,
    }
