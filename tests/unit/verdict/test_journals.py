"""Journals survive whatever happened to their writers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.record.journal import Journal
from pytest_ovirt_release.record.redact import Redactor
from pytest_ovirt_release.verdict.journals import read_run


def journal(folder: Path, name: str = "controller") -> Journal:
    (folder / "journal").mkdir(exist_ok=True)
    return Journal(folder / "journal" / f"{name}.jsonl", Redactor())


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    written = journal(tmp_path)
    written.write("run", run="abc", axes={"node": ("n1",)})
    written.write(
        "evidence", name="n", value={"path": Path("/x"), "bytes": b"\xff", "nan": float("nan")}, sync=True
    )
    written.close()
    run = read_run(tmp_path)
    assert run.id == "abc"
    assert run.first("evidence") == run.records[1]
    assert run.records[1]["value"] == {"path": "/x", "bytes": "\\xff", "nan": "nan"}


def test_a_torn_last_line_is_dropped_and_no_other(tmp_path: Path) -> None:
    written = journal(tmp_path)
    written.write("run", run="abc")
    written.close()
    with written.path.open("ab") as file:
        file.write(b'{"kind":"report","no')
    assert [r["kind"] for r in read_run(tmp_path).records] == ["run"]
    with written.path.open("ab") as file:
        file.write(b'\n{"kind":"end","at":"2026-11-22T12:00:00+00:00"}\n')
    assert read_run(tmp_path).damaged == ("controller.jsonl:2: not a journal record",)


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "report", "when": "call"},
        {"kind": "report", "nodeid": "t.py::t", "when": "call", "duration": "long"},
        {"kind": "report", "nodeid": "t.py::t", "when": "call", "duration": float("inf")},
        {"kind": "collected", "nodeid": "t.py::t", "cell": "alpha"},
        {"kind": "run", "axes": {"node": 5}},
        {"kind": "run", "suite": ["x"]},
        {"kind": "run", "controls": {"alpha": 7}},
        {"kind": "end", "exit": "x"},
        {"kind": "end", "at": "yesterday"},
        {"kind": "intent", "entry": ["x"]},
        {"kind": "fact"},
        {"at": "2026-11-22T12:00:00+00:00"},
    ],
    ids=str,
)
def test_a_record_that_no_run_writes_is_damage(tmp_path: Path, record: dict[str, object]) -> None:
    (tmp_path / "journal").mkdir()
    line = json.dumps({"at": "2026-11-22T12:00:00+00:00", **record})
    (tmp_path / "journal" / "controller.jsonl").write_text(f"{line}\n")
    assert read_run(tmp_path).damaged == ("controller.jsonl:1: not a journal record",)


def test_what_is_no_regular_file_is_never_waited_on(tmp_path: Path) -> None:
    journal(tmp_path).write("run", run="abc")
    os.mkfifo(tmp_path / "journal" / "gw0.jsonl")
    (tmp_path / "journal" / "gw1.jsonl").mkdir()
    run = read_run(tmp_path)
    assert run.damaged == ("gw0.jsonl: not a regular file", "gw1.jsonl: not a regular file")


def test_a_folder_without_journal_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is not a run"):
        read_run(tmp_path)


def test_secrets_do_not_reach_the_journal_in_any_form(tmp_path: Path) -> None:
    redact = Redactor()
    redact.add('p@ss "w/rd"&')
    (tmp_path / "journal").mkdir()
    written = Journal(tmp_path / "journal" / "x.jsonl", redact)
    forms = [
        'p@ss "w/rd"&',
        "p%40ss+%22w%2Frd%22%26",
        "p%40ss%20%22w%2Frd%22%26",
        "p@ss &quot;w/rd&quot;&amp;",
    ]
    written.write("evidence", value=forms, nested={"in": forms})
    text = written.path.read_text()
    assert "w/rd" not in text
    assert "w%2Frd" not in text
    assert text.count("***") == 8


def test_long_texts_keep_head_and_tail(tmp_path: Path) -> None:
    written = journal(tmp_path)
    written.write("evidence", name="n", value="a" * 100_000 + "end")
    value = read_run(tmp_path).records[0]["value"]
    assert len(value) < 20_000
    assert value.endswith("end")
