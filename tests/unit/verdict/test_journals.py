"""Journals survive whatever happened to their writers, and tell whatever happened to them afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.record import journal as writing
from pytest_ovirt_release.record.journal import Journal
from pytest_ovirt_release.record.redact import Redactor
from pytest_ovirt_release.verdict import contents
from pytest_ovirt_release.verdict.journals import read_run

AT = "2026-11-22T12:00:00.000+00:00"
OPENED = {"kind": "opened", "at": AT, "schema": "ovirt-release-journal/1", "run": "abc", "process": "x"}


def journal(folder: Path, name: str = "controller", run: str = "abc") -> Journal:
    (folder / "journal").mkdir(exist_ok=True)
    return Journal(folder / "journal" / f"{name}.jsonl", Redactor(), run)


def write(folder: Path, *records: dict[str, Any] | bytes, name: str = "controller") -> Path:
    """Write a journal line by line, as nothing of ours would."""
    (folder / "journal").mkdir(exist_ok=True)
    lines = [r if isinstance(r, bytes) else json.dumps({"at": AT, **r}).encode() for r in records]
    path = folder / "journal" / f"{name}.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def damages(folder: Path) -> tuple[str, ...]:
    """Return what is wrong with a run, but for the record `run`, which most of these do without."""
    return tuple(d for d in read_run(folder).damaged if "there is no record `run`" not in d)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    written = journal(tmp_path)
    written.write(
        "evidence", name="n", value={"path": Path("/x"), "bytes": b"\xff", "nan": float("nan")}, sync=True
    )
    written.close()
    run = read_run(tmp_path)
    assert (run.id, damages(tmp_path), run.torn) == ("abc", (), ())
    assert run.first("evidence") == run.records[1]
    assert run.records[1]["value"] == {"path": "/x", "bytes": "\\xff", "nan": "nan"}


def test_a_torn_last_line_is_dropped_and_told_and_no_other(tmp_path: Path) -> None:
    path = write(tmp_path, OPENED, b'{"kind":"report","no')
    path.write_bytes(path.read_bytes()[:-1])
    run = read_run(tmp_path)
    assert ([r["kind"] for r in run.records], run.torn) == (["opened"], ("journal/controller.jsonl",))
    assert damages(tmp_path) == ()
    with path.open("ab") as file:
        file.write(b"\n")
    assert damages(tmp_path) == ("journal/controller.jsonl:2: not a journal record",)


NO_RECORDS: list[dict[str, Any] | bytes] = [
    {"kind": "report", "when": "call"},
    {"kind": "report", "nodeid": "t.py::t", "when": "call", "outcome": "passed", "duration": "long"},
    {"kind": "report", "nodeid": "t.py::t", "when": "call", "outcome": "passed", "duration": float("inf")},
    {"kind": "report", "nodeid": "t.py::t", "when": "call", "outcome": "passed", "surprise": 1},
    {"kind": "report", "nodeid": "t.py::t", "when": "call", "outcome": ["passed"]},
    {"kind": "run", "axes": {"node": 5}},
    {"kind": "run", "suite": ["x"]},
    {"kind": "run", "controls": {"alpha": 7}},
    {"kind": "end", "exit": "x"},
    {"kind": "end", "exit": 0, "complete": True, "at": "yesterday"},
    {"kind": "end", "exit": 0, "complete": False, "at": "2026-13-22T12:00:00.000+00:00"},
    {"kind": "end", "exit": 0, "complete": False, "at": "2026-11-22T12:00:00.000+01:00"},
    {"kind": "intent", "entry": ["x"]},
    {"kind": "fact"},
    {"kind": "gone"},
    {"x": 1},
    b"\xff\xfe",
    b"[]",
    b"",
    b"[" * 5000,
]


@pytest.mark.parametrize("record", NO_RECORDS, ids=range(len(NO_RECORDS)))
def test_a_record_that_no_run_writes_is_damage(tmp_path: Path, record: dict[str, Any] | bytes) -> None:
    write(tmp_path, OPENED, record)
    assert damages(tmp_path) == ("journal/controller.jsonl:2: not a journal record",)


def test_a_newer_journal_is_refused_with_a_sentence(tmp_path: Path) -> None:
    write(tmp_path, {**OPENED, "schema": "ovirt-release-journal/2"})
    (first, *_) = damages(tmp_path)
    assert "written by a newer version (journal/2)" in first


def test_a_record_longer_than_anybody_writes_is_damage(tmp_path: Path) -> None:
    write(tmp_path, OPENED, {"kind": "trouble", "text": "x" * 5_000_000})
    assert damages(tmp_path) == ("journal/controller.jsonl:2: longer than 4 MiB",)


def test_a_journal_that_is_too_large_is_never_read(tmp_path: Path) -> None:
    path = write(tmp_path, OPENED)
    with path.open("r+b") as file:
        file.truncate(100 * 1024 * 1024)
    assert "is larger than 64 MiB" in damages(tmp_path)[0]


def test_a_journal_says_whose_it_is_first(tmp_path: Path) -> None:
    write(tmp_path, {"kind": "trouble", "text": "x"})
    assert damages(tmp_path) == ("journal/controller.jsonl:1: a journal begins with the record `opened`",)


def test_journals_of_two_runs_in_one_place_are_damage(tmp_path: Path) -> None:
    journal(tmp_path)
    journal(tmp_path, "gw0", run="other")
    assert damages(tmp_path) == ("journals of 2 runs in one place: abc, other",)


def test_a_clock_that_goes_backwards_is_damage(tmp_path: Path) -> None:
    early = {"kind": "trouble", "text": "x", "at": "2026-11-22T11:59:59.999+00:00"}
    write(tmp_path, OPENED, early)
    (found,) = damages(tmp_path)
    assert "its clock went backwards" in found


def test_a_clock_that_is_set_back_does_not_go_backwards_in_a_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = journal(tmp_path)

    class Earlier(writing.datetime):  # type: ignore[name-defined,misc]  # what the module imported
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return writing.datetime(2020, 1, 1, tzinfo=tz)  # type: ignore[attr-defined]  # same

    monkeypatch.setattr(writing, "datetime", Earlier)
    written.write("trouble", text="x")
    assert damages(tmp_path) == ()


def test_threads_that_write_at_once_keep_the_order_of_what_happened(tmp_path: Path) -> None:
    begun, overtaken = threading.Event(), threading.Event()

    def slowly(text: str) -> str:
        if "slow" in text:
            begun.set()
            overtaken.wait(0.5)
        return text

    (tmp_path / "journal").mkdir()
    written = Journal(tmp_path / "journal" / "controller.jsonl", slowly, "abc")
    other = threading.Thread(target=written.write, args=("trouble",), kwargs={"text": "slow"})
    other.start()
    assert begun.wait(10)
    began = datetime.now(UTC)
    while datetime.now(UTC) - began < timedelta(milliseconds=3):  # until a record would carry another moment
        pass
    written.write("trouble", text="quick")
    overtaken.set()
    other.join(10)
    assert damages(tmp_path) == ()


def test_a_ledger_entry_that_stands_twice_is_damage(tmp_path: Path) -> None:
    intent = {"kind": "intent", "entry": "e1", "what": "vm", "name": "rel-x"}
    write(tmp_path, OPENED, intent, intent)
    assert damages(tmp_path) == ("ledger entry e1 stands here twice",)


def test_only_the_controller_says_what_the_run_is(tmp_path: Path) -> None:
    write(tmp_path, OPENED)
    write(tmp_path, OPENED, {"kind": "end", "exit": 0, "complete": False}, name="gw0")
    (found,) = damages(tmp_path)
    assert "only the controller's journal may hold `run` and `end`" in found


def sealed(folder: Path) -> Path:
    """Write a run of two journals that ended well; returns the worker's."""
    worker = write(folder, OPENED, name="gw0")
    controller = write(folder, OPENED)
    files = {
        f"journal/{p.name}": {"sha256": hashlib.sha256(p.read_bytes()).hexdigest(), "size": p.stat().st_size}
        for p in (worker, controller)
    }
    with controller.open("a") as file:
        file.write(json.dumps({"kind": "end", "at": AT, "exit": 0, "complete": True, "files": files}) + "\n")
    assert damages(folder) == ()
    return worker


TROUBLE = json.dumps({"kind": "trouble", "at": AT, "text": "x"}) + "\n"


def test_what_is_changed_after_the_end_is_told(tmp_path: Path) -> None:
    worker = sealed(tmp_path)
    with worker.open("a") as file:
        file.write(TROUBLE)
    assert damages(tmp_path) == ("journal/gw0.jsonl: was altered after the run had ended",)
    worker.unlink()
    assert damages(tmp_path) == ("journal/gw0.jsonl: is missing",)


def test_the_controllers_own_journal_is_sealed_too(tmp_path: Path) -> None:
    sealed(tmp_path)
    path = tmp_path / "journal" / "controller.jsonl"
    first, end = path.read_text().splitlines(keepends=True)
    path.write_text(first + TROUBLE + end)
    assert damages(tmp_path) == ("journal/controller.jsonl: was altered after the run had ended",)
    path.write_text(first + end + TROUBLE)
    assert damages(tmp_path) == ("journal/controller.jsonl: goes on after the run had ended",)


def test_only_a_clean_up_may_be_added_after_the_end(tmp_path: Path) -> None:
    sealed(tmp_path)
    write(tmp_path, OPENED, {"kind": "removed", "entry": "e"}, name="reap-1")
    assert damages(tmp_path) == ()
    write(tmp_path, OPENED, {"kind": "collected", "nodeid": "t"}, name="reap-2")
    assert damages(tmp_path) == ("journal/reap-2.jsonl: was added after the run had ended, with collected",)


def test_evidence_that_is_not_what_the_journal_says_is_damage(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    file = tmp_path / "evidence" / "a.txt"
    file.write_bytes(b"seen")
    sha256 = hashlib.sha256(b"seen").hexdigest()
    write(
        tmp_path,
        OPENED,
        {"kind": "evidence", "name": "n", "file": "evidence/a.txt", "sha256": sha256, "size": 4},
    )
    assert damages(tmp_path) == ()
    file.write_bytes(b"sewn")
    assert damages(tmp_path) == ("evidence/a.txt: is not what the journal says",)
    file.unlink()
    assert damages(tmp_path) == ("evidence/a.txt: is missing",)


def test_what_is_no_regular_file_is_never_waited_on(tmp_path: Path) -> None:
    path = write(tmp_path, OPENED)
    os.mkfifo(tmp_path / "journal" / "gw0.jsonl")
    (tmp_path / "journal" / "gw1.jsonl").mkdir()
    (tmp_path / "journal" / "gw2.jsonl").symlink_to(path)
    assert damages(tmp_path) == tuple(f"journal/gw{n}.jsonl: is not a regular file" for n in range(3))


def test_a_folder_without_journal_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is not a run"):
        read_run(tmp_path)
    (tmp_path / "journal").mkdir()
    with pytest.raises(ReleaseError, match="is not a run") as caught:
        read_run(tmp_path)
    assert "stopped" not in str(caught.value)
    (tmp_path / "verdict.json").touch()
    with pytest.raises(
        ReleaseError, match=r"is not a run: .*stopped before it ran anything, and verdict\.json"
    ):
        read_run(tmp_path)


def test_the_same_contents_have_the_same_digest_wherever_they_are(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, OPENED)
        (tmp_path / name / "waivers.toml").write_text(name)  # no part of a run
        digests.add(contents.read_folder(tmp_path / name).digest())
    assert len(digests) == 1
    (tmp_path / "two" / "page.toml").write_text("x")
    assert contents.read_folder(tmp_path / "two").digest() not in digests


def test_secrets_do_not_reach_the_journal_in_any_form(tmp_path: Path) -> None:
    redact = Redactor()
    redact.add('p@ss "w/rd"&')
    (tmp_path / "journal").mkdir()
    written = Journal(tmp_path / "journal" / "x.jsonl", redact, "abc")
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
    value = read_run(tmp_path).records[1]["value"]
    assert len(value) < 20_000
    assert value.endswith("end")


def test_half_a_record_does_not_stay_in_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = journal(tmp_path)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:20]))
    with pytest.raises(OSError, match="only 20 of"):
        written.write("trouble", text="x")
    monkeypatch.undo()
    written.write("trouble", text="y")
    run = read_run(tmp_path)
    assert (damages(tmp_path), [r["kind"] for r in run.records]) == ((), ["opened", "trouble"])
