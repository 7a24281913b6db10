from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.checks.ledger import (
    Ledger,
    correlation_id,
    in_removal_order,
    open_entries,
    read_records,
)

if TYPE_CHECKING:
    from pathlib import Path


class Book:
    """Takes what a journal would, with growing times."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.synced: list[bool] = []

    def write(self, kind: str, /, *, sync: bool = False, **fields: object) -> None:
        self.records.append({"kind": kind, "at": f"{len(self.records):06}", **fields})
        self.synced.append(sync)


def test_an_intent_is_on_disk_before_anything_is_created() -> None:
    book = Book()
    ledger = Ledger(book.write, "abcd1234")
    entry = ledger.intent("vm", ledger.name("vm"), cells=["vm-on-nfs"], host="h")
    assert book.synced == [True]
    (found,) = open_entries(book.records)
    assert (found.entry, found.what, found.name) == (entry, "vm", "rel-abcd1234-vm")
    assert found.cells == ("vm-on-nfs",)
    assert found.details == {"host": "h"}
    assert found.id is None


def test_what_was_removed_is_closed_and_what_was_left_says_why() -> None:
    book = Book()
    ledger = Ledger(book.write, "abcd1234")
    vm = ledger.intent("vm", "v", cells=[])
    disk = ledger.intent("disk", "d", cells=[])
    ledger.created(vm, "id-1")
    ledger.created(disk, "id-2")
    ledger.removed(vm)
    ledger.left(disk, "locked")
    (entry,) = open_entries(book.records)
    assert (entry.id, entry.left) == ("id-2", "locked")


def test_records_of_several_processes_are_understood_in_any_order_of_files() -> None:
    book = Book()
    ledger = Ledger(book.write, "r")
    entry = ledger.intent("vm", "v", cells=[])
    ledger.created(entry, "id-1")
    intent, created = book.records
    assert open_entries([created, intent])[0].id == "id-1"
    assert open_entries([{"kind": "removed", "entry": entry, "at": "9"}, created, intent]) == []


def test_removal_order_follows_dependencies_and_goes_backwards_in_time() -> None:
    book = Book()
    ledger = Ledger(book.write, "r")
    for what in ("data-center", "cluster", "host", "storage-domain", "disk", "vm", "disk"):
        ledger.intent(what, f"{what}-{len(book.records)}", cells=[])
    names = [e.name for e in open_entries(book.records)]
    assert names == ["vm-5", "disk-6", "disk-4", "storage-domain-3", "data-center-0", "host-2", "cluster-1"]


@given(st.permutations(["vm", "disk", "storage-domain", "data-center", "host", "cluster", "unheard-of"]))
def test_unknown_kinds_come_last(whats: list[str]) -> None:
    book = Book()
    ledger = Ledger(book.write, "r")
    for what in whats:
        ledger.intent(what, what, cells=[])
    assert in_removal_order(open_entries(book.records))[-1].what == "unheard-of"


@given(st.text("0123456789abcdef", min_size=1, max_size=40), st.text("abc-", min_size=1, max_size=40))
def test_correlation_ids_fit_into_what_the_engine_keeps(run_id: str, what: str) -> None:
    found = correlation_id(run_id, what)
    assert len(found) <= 36
    assert found.startswith(f"rel-{run_id[:16]}-")


def test_correlation_ids_of_one_step_differ() -> None:
    assert len({correlation_id("run", "approve") for _ in range(20)}) > 1


def test_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    whole = json.dumps({"kind": "intent", "entry": "e", "what": "vm", "name": "v"})
    (folder / "gw0.jsonl").write_text(whole + "\n" + whole[:20])
    (folder / "gw1.jsonl").write_text("no json\n[]\n")
    assert [r["entry"] for r in read_records(tmp_path)] == ["e"]
