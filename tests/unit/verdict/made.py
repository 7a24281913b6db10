"""Small pages, candidates and runs for tests of the verdict."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from pytest_ovirt_release.release.candidate import Candidate
from pytest_ovirt_release.release.page import Page
from pytest_ovirt_release.verdict.decide import Inputs
from pytest_ovirt_release.verdict.journals import Record, Run
from pytest_ovirt_release.verdict.records import RECORD

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ZERO = "0" * 64
PAGE_SHA, CANDIDATE_SHA, OTHER_SHA = "a" * 64, "c" * 64, "f" * 64


def requirement(name: str = "vm-on-nfs", **changes: object) -> dict[str, object]:
    return {
        "id": name,
        "level": "must",
        "title": f"Title of {name}",
        "section": "Requirements",
        "line": 1,
        "sha256": ZERO,
        "proof": "a proof",
        **changes,
    }


def page(*requirements: dict[str, object], **changes: object) -> Page:
    data: dict[str, object] = {
        "schema": "ovirt-release-page/1",
        "id": "page-1",
        "title": "oVirt 9.9",
        "product": "oVirt",
        "version": "9.9",
        "engine": ">=4.5",
        "release_date": date(2026, 12, 1),
        "source": {"uri": "https://example.test/", "title": "page", "sha256": ZERO},
        "requirements": requirements or (requirement(),),
        "components": [
            {
                "name": name,
                "repository": "https://example.test/{name}.git",
                "tag": "{name}-{version}",
                "branch": "b",
                "tarball": "https://example.test/{name}.tar.gz",
                "signature": "https://example.test/{name}.sig",
                "notes": "https://example.test/{name}.md",
            }
            for name in ("vdsm", "ovirt-engine")
        ],
        **changes,
    }
    return Page.model_validate(data)


def candidate(**changes: object) -> Candidate:
    data = {
        "schema": "ovirt-release-candidate/1",
        "page": "page-1",
        "version": "9.9",
        "created": NOW,
        "components": [],
        **changes,
    }
    return Candidate.model_validate(data)


def inputs(given: Page | None = None, **changes: Any) -> Inputs:
    known: dict[str, Any] = {
        "page_sha256": PAGE_SHA,
        "candidate": candidate(),
        "candidate_sha256": CANDIDATE_SHA,
        **changes,
    }
    return Inputs(page=given or page(), **known)


class RunMaker:
    """Builds one run record by record, the way the recorder writes it."""

    def __init__(self, given: Page | None = None, run: str = "r1", **changes: Any) -> None:
        self.page = given or page()
        self.records: list[Record] = []
        self._clock = count()
        self.run = run
        self._hour = min(int(run[1:]), 11)  # r2 is after r1
        self._add(
            "run",
            **{
                "run": run,
                "page": self.page.id,
                "page_sha256": PAGE_SHA,
                "candidate_sha256": CANDIDATE_SHA,
                "overlay_sha256": "",
                "lab": False,
                "target": "staging",
                "tester": "tess",
                "axes": {
                    "component": [c.name for c in self.page.components],
                    "distribution": [],
                    "node": ["node-1"],
                },
                "suite": {r.id: [f"t.py::test_{r.id}"] for r in self.page.requirements},
                "controls": {r.id: {"controlled": True, "faults": ["f"]} for r in self.page.requirements},
                "argv": [],
                **changes,
            },
        )

    def _add(self, kind: str, **fields: object) -> None:
        tick = next(self._clock)
        at = f"2026-11-22T{self._hour:02d}:{tick // 60:02d}:{tick % 60:02d}.000+00:00"
        self.records.append({"kind": kind, "at": at, **fields})

    def collect(
        self, nodeid: str, requirement_id: str | None, level: str = "must", cell: str | None = None
    ) -> None:
        if requirement_id is None:
            self._add("collected", nodeid=nodeid)
        else:
            self._add(
                "collected",
                nodeid=nodeid,
                requirement=requirement_id,
                level=level,
                cell=cell or requirement_id,
            )

    def phase(self, nodeid: str, when: str, outcome: str = "passed", **fields: object) -> None:
        self._add("report", nodeid=nodeid, when=when, outcome=outcome, duration=0.1, **fields)

    def ran(self, nodeid: str, outcome: str = "passed", **fields: object) -> None:
        self.phase(nodeid, "setup")
        because = {"error": "CheckFailed"} if outcome == "failed" else {}
        self.phase(nodeid, "call", outcome, **{**because, **fields})
        self.phase(nodeid, "teardown")

    def all_pass(self) -> RunMaker:
        for r in self.page.requirements:
            names = {"component": [c.name for c in self.page.components], "node": ["node-1"]}.get(
                r.axis or "", [None]
            )
            for value in names:
                suffix = "" if value is None else f"[{value}]"
                nodeid = f"t.py::test_{r.id}{suffix}"
                self.collect(nodeid, r.id, r.level, f"{r.id}{suffix}")
                self.ran(nodeid)
        return self

    def add(self, kind: str, **fields: object) -> RunMaker:
        self._add(kind, **fields)
        return self

    def end(self, pytest_exit: int = 0, *, complete: bool = True) -> Run:
        self._add("end", exit=pytest_exit, complete=complete)
        return self.cut()

    def cut(self) -> Run:
        return of_records(self.run, self.records)


def of_records(run: str, records: list[Record]) -> Run:
    """Return a run as a reader of its journals would: whatever no run writes fails here."""
    lines = [json.dumps(record) for record in records]
    for line in lines:
        RECORD.validate_json(line)
    return Run(run, tuple(records), digest=hashlib.sha256("\n".join(lines).encode()).hexdigest())
