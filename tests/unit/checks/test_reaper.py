from __future__ import annotations

import json
import threading
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from pytest_ovirt_release.checks import engine as engine_module
from pytest_ovirt_release.checks import removers
from pytest_ovirt_release.checks.engine import Domain, Transfer, Vm
from pytest_ovirt_release.checks.ledger import Ledger, open_entries
from pytest_ovirt_release.checks.reaper import reap
from pytest_ovirt_release.checks.removal import remove_all
from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.record import run_folder as run_folder_module
from pytest_ovirt_release.record.orphans import worker_lock
from pytest_ovirt_release.target.model import Target
from tests.unit.checks.fake_engine import FakeEngine, refusal
from tests.unit.checks.small_engine import make_ca

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.checks.engine import Host
    from pytest_ovirt_release.checks.ledger import Entry

RUN = "abcd1234"
KIND = {"kind": "nfs", "host_id": "h1", "data_center_id": "dc1"}


class Book:
    """A journal in memory with a ledger on it."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.ledger = Ledger(self.write, RUN)

    def write(self, kind: str, /, *, sync: bool = False, **fields: object) -> None:
        self.records.append({"kind": kind, "at": f"{len(self.records):06}", **fields})

    def made(self, what: str, name: str, object_id: str | None, **details: object) -> None:
        entry = self.ledger.intent(what, name, cells=["c"], **details)
        if object_id is not None:
            self.ledger.created(entry, object_id)

    @property
    def open(self) -> list[Entry]:
        return open_entries(self.records)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def book() -> Book:
    return Book()


def fill(engine: FakeEngine, book: Book) -> None:
    """Make everything that a whole cycle leaves when it is killed at its worst moment."""
    name = book.ledger.name("nfs")
    engine.data_centers["dc1"] = engine.clusters["cl1"] = name
    engine.host(status="up", name="node-1", comment=f"rel-{RUN}-run")
    engine.domains["sd1"] = Domain("sd1", name, "")
    engine.attached["sd1"] = "active"
    engine.disks["d1"] = book.ledger.name("vm")
    engine.vm_by_id["v1"] = Vm("v1", book.ledger.name("vm"), "", "up", "h1", "q35_sea_bios", ())
    book.made("data-center", name, "dc1")
    book.made("cluster", name, "cl1")
    book.made("host", "node-1", "h1")
    book.made("storage-domain", name, "sd1", **KIND)
    book.made("disk", book.ledger.name("vm"), "d1")
    book.made("vm", book.ledger.name("vm"), "v1")


def remove(engine: FakeEngine, book: Book) -> list[Entry]:
    return remove_all(engine, book.ledger, book.open)  # type: ignore[arg-type] # the fake


def test_removes_everything_in_the_order_of_dependencies(engine: FakeEngine, book: Book) -> None:
    fill(engine, book)
    assert remove(engine, book) == []
    assert engine.calls == [
        "vm.stop v1",
        "vm.remove v1",
        "disk.remove d1",
        "sd.deactivate sd1",
        "sd.detach sd1",
        "sd.format sd1 h1",
        "dc.remove dc1",
        "hosts.deactivate h1",
        "hosts.remove h1",
        "cluster.remove cl1",
    ]
    assert book.open == []


def test_what_is_of_one_kind_is_removed_at_once(engine: FakeEngine, book: Book) -> None:
    name = book.ledger.name("nfs")
    engine.disks |= {"d1": name, "d2": name}
    engine.clusters["cl1"] = name
    for what, object_id in (("cluster", "cl1"), ("disk", "d1"), ("disk", "d2")):
        book.made(what, name, object_id)
    both, original = threading.Barrier(2, timeout=10), engine.vms.remove_disk

    def remove(disk_id: str) -> None:
        both.wait()  # one after the other they would wait here for ever
        original(disk_id)

    engine.vms.remove_disk = remove  # type: ignore[method-assign] # watches
    assert remove_all(engine, book.ledger, book.open) == []  # type: ignore[arg-type] # the fake
    assert sorted(engine.calls[:2]) == ["disk.remove d1", "disk.remove d2"]
    assert engine.calls[2:] == ["cluster.remove cl1"]


def test_one_that_cannot_go_hinders_none_of_its_kind(engine: FakeEngine, book: Book) -> None:
    engine.disks |= {"d1": "somebody's", "d2": book.ledger.name("vm")}
    book.made("disk", book.ledger.name("vm"), "d1")
    book.made("disk", book.ledger.name("vm"), "d2")
    (left,) = remove(engine, book)
    assert left.id == "d1"
    assert engine.calls == ["disk.remove d2"]


def test_a_mistake_of_our_own_is_not_taken_for_something_left(engine: FakeEngine, book: Book) -> None:
    engine.disks |= {"d1": book.ledger.name("vm"), "d2": book.ledger.name("vm")}
    book.made("disk", book.ledger.name("vm"), "d1")
    book.made("disk", book.ledger.name("vm"), "d2")
    engine.refuse["disk.remove"] = [TypeError("ours")] * 2
    with pytest.raises(TypeError, match="ours"):
        remove(engine, book)
    assert len(book.open) == 2


def test_what_is_gone_already_counts_as_removed(engine: FakeEngine, book: Book) -> None:
    for what in ("vm", "disk", "storage-domain", "data-center", "host", "cluster"):
        book.made(what, book.ledger.name(what), "no-such-id", **KIND)
        book.made(what, book.ledger.name(f"{what}-2"), None, **KIND)
    assert remove(engine, book) == []
    assert engine.calls == []
    assert book.open == []


def test_what_was_made_but_never_noted_is_found_by_its_name(engine: FakeEngine, book: Book) -> None:
    engine.disks["d7"] = book.ledger.name("vm")
    book.made("disk", book.ledger.name("vm"), None)
    assert remove(engine, book) == []
    assert engine.calls == ["disk.remove d7"]


def test_what_was_under_way_when_the_run_was_killed_is_waited_for(engine: FakeEngine, book: Book) -> None:
    book.made("host", book.ledger.name("node-2"), None)
    book.records[-1]["at"] = datetime.now(UTC).isoformat()
    threading.Timer(0.3, lambda: engine.host(name=book.ledger.name("node-2"))).start()
    assert remove(engine, book) == []
    assert engine.calls == ["hosts.remove h1"]


def test_a_node_that_registered_itself_is_nobodys_until_the_run_has_marked_it(
    engine: FakeEngine, book: Book
) -> None:
    engine.host(status="pending_approval", name="node-1", comment="")
    book.made("host", "node-1", "h1", registered_itself=True)
    assert remove(engine, book) == []
    assert engine.calls == []
    assert book.open == []


def test_a_node_that_registered_itself_and_is_up_is_told_when_it_carries_no_mark(
    engine: FakeEngine, book: Book
) -> None:
    engine.host(status="up", name="node-1", comment="")
    book.made("host", "node-1", "h1", registered_itself=True)
    (left,) = remove(engine, book)
    assert "not touched" in (left.left or "")


def test_what_does_not_carry_the_run_id_is_never_touched(engine: FakeEngine, book: Book) -> None:
    engine.host(status="up", name="production-7", comment="rel-someone-else-run")
    engine.disks["d1"] = "golden-image"
    book.made("host", "production-7", "h1")
    book.made("disk", book.ledger.name("vm"), "d1")
    left = remove(engine, book)
    assert engine.calls == []
    assert ["not touched" in (entry.left or "") for entry in left] == [True, True]
    assert [r["kind"] for r in book.records].count("left") == 2


@pytest.mark.parametrize("on_storage", ["production", None])
def test_a_domain_of_unknown_origin_is_forgotten_never_formatted(
    engine: FakeEngine, book: Book, monkeypatch: pytest.MonkeyPatch, on_storage: str | None
) -> None:
    unnoted_domain(engine, book, monkeypatch, on_storage)
    (left,) = remove(engine, book)
    assert engine.calls == ["sd.forget sd1"]
    assert "nothing was deleted" in (left.left or "")


def test_a_new_domain_that_was_never_noted_is_removed(
    engine: FakeEngine, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    unnoted_domain(engine, book, monkeypatch, book.ledger.name("nfs"))
    assert remove(engine, book) == []
    assert engine.calls == ["sd.format sd1 h1"]


def unnoted_domain(
    engine: FakeEngine, book: Book, monkeypatch: pytest.MonkeyPatch, on_storage: str | None
) -> None:
    engine.target = TARGET_FILE
    engine.domains["sd1"] = Domain("sd1", book.ledger.name("nfs"), "")
    book.made("storage-domain", book.ledger.name("nfs"), None, node="node-1", **KIND)
    monkeypatch.setattr(removers, "name_on_storage", lambda *_: on_storage)


def test_an_installation_that_goes_on_ends_before_its_host_is_removed(engine: FakeEngine, book: Book) -> None:
    engine.host(name=book.ledger.name("node-2"), status="installing")
    book.made("host", book.ledger.name("node-2"), "h1")
    original, coming = engine.hosts.get, ["installing", "installing", "initializing", "up"]

    def get(host_id: str) -> Host | None:
        if coming:
            engine.become(coming.pop(0))
        return original(host_id)

    engine.hosts.get = get  # type: ignore[method-assign] # time passes
    assert remove(engine, book) == []
    assert engine.calls == ["hosts.deactivate h1", "hosts.remove h1"]


def test_a_busy_engine_is_asked_again(engine: FakeEngine, book: Book) -> None:
    fill(engine, book)
    busy = "Cannot switch Host to Maintenance mode. Host has asynchronous running tasks,wait for operation"
    engine.refuse["hosts.deactivate"] = [refusal(busy), refusal(busy)]
    assert remove(engine, book) == []
    assert engine.did("hosts.deactivate") == 3


def test_a_real_refusal_is_left_with_its_sentence_and_the_rest_goes_on(
    engine: FakeEngine, book: Book
) -> None:
    fill(engine, book)
    engine.refuse["dc.remove"] = [refusal("Cannot remove Data Center: not empty", 400)]
    (left,) = remove(engine, book)
    assert left.what == "data-center"
    assert "not empty" in (left.left or "")
    assert engine.did("cluster.remove") == 1
    assert remove(engine, book) == []


def test_what_cannot_go_keeps_what_it_stands_on(engine: FakeEngine, book: Book) -> None:
    fill(engine, book)
    engine.refuse["sd.deactivate"] = [refusal("Cannot deactivate", 400)]
    left = remove(engine, book)
    assert [entry.what for entry in left] == ["storage-domain", "data-center", "host"]
    assert "storage-domain rel-abcd1234-nfs (sd1) is still there" in (left[2].left or "")
    assert engine.did("hosts.deactivate") == 0
    assert remove(engine, book) == []


def test_what_does_not_go_is_left_with_the_engine_s_own_words(engine: FakeEngine, book: Book) -> None:
    engine.domains["sd1"] = Domain("sd1", "rel-abcd1234-nfs", "rel-abcd1234-run")
    engine.attached["sd1"] = "active"
    engine.storage.deactivate = lambda *_: engine.say(  # type: ignore[method-assign] # it never gets there
        970, "Failed to deactivate", correlation="rel-x"
    )
    book.made("storage-domain", "rel-abcd1234-nfs", "sd1", data_center_id="dc1", kind="nfs", host_id="h1")
    (left,) = remove(engine, book)
    assert "active 0.0 s" in (left.left or "")
    assert "last events: 970 Failed to deactivate" in (left.left or "")


def test_a_vm_whose_disk_a_killed_transfer_has_locked_goes_too(engine: FakeEngine, book: Book) -> None:
    engine.vm_by_id["v1"] = Vm("v1", "rel-abcd1234-vm-on-nfs", "", "down", None, "q35_sea_bios", ())
    engine.disks["d1"] = "rel-abcd1234-vm-on-nfs"
    engine.transfers.append(Transfer("t1", "transferring", "", ""))
    book.made("disk", "rel-abcd1234-vm-on-nfs", "d1")
    book.made("vm", "rel-abcd1234-vm-on-nfs", "v1")
    locked = "Cannot remove VM: The following disks are locked: rel-abcd1234-vm-on-nfs. Please try again in a few minutes."
    original = engine.vms.remove

    def remove_vm(vm_id: str) -> None:
        if engine.transfers:
            raise refusal(locked)
        original(vm_id)

    engine.vms.remove = remove_vm  # type: ignore[method-assign] # as an engine does
    assert remove(engine, book) == []
    assert engine.did("transfer.cancel") == 1
    assert (engine.vm_by_id, engine.disks) == ({}, {})


def test_a_transfer_that_was_left_open_is_ended(engine: FakeEngine, book: Book) -> None:
    engine.disks["d1"] = book.ledger.name("vm")
    engine.transfers.append(Transfer("t1", "transferring", None, None))
    book.made("disk", book.ledger.name("vm"), "d1")
    assert remove(engine, book) == []
    assert engine.calls == ["transfer.cancel t1", "disk.remove d1"]


def test_an_engine_that_does_not_answer_leaves_the_ledger_open(engine: FakeEngine, book: Book) -> None:
    fill(engine, book)
    engine.refuse["disk.remove"] = [Unreachable("gone")] * 100
    left = remove(engine, book)
    assert [entry.what for entry in left] == ["disk"]
    assert [entry.what for entry in book.open] == ["disk"]


def test_a_host_that_was_never_approved_needs_no_maintenance(engine: FakeEngine, book: Book) -> None:
    engine.host(name=book.ledger.name("node-2"))
    book.made("host", book.ledger.name("node-2"), "h1")
    assert remove(engine, book) == []
    assert engine.calls == ["hosts.remove h1"]


def test_a_local_domain_is_gone_once_it_is_detached(engine: FakeEngine, book: Book) -> None:
    name = book.ledger.name("local")
    engine.domains["sd1"] = Domain("sd1", name, "")
    engine.attached["sd1"] = "maintenance"
    original = engine.storage.detach

    def detach(data_center_id: str, domain_id: str) -> None:
        original(data_center_id, domain_id)
        engine.domains.pop(domain_id)

    engine.storage.detach = detach  # type: ignore[method-assign] # as the engine does for local storage
    book.made("storage-domain", name, "sd1", **{**KIND, "kind": "local"})
    assert remove(engine, book) == []
    assert engine.did("sd.format") == 0


@pytest.fixture
def run_folder(tmp_path: Path, engine: FakeEngine, book: Book, monkeypatch: pytest.MonkeyPatch) -> Path:
    fill(engine, book)
    folder = tmp_path / "20261122T101010Z-abcd1234"
    (folder / "journal").mkdir(parents=True)
    lines = [json.dumps(r) + "\n" for r in [{"kind": "run", "at": "0", "run": RUN}, *book.records]]
    (folder / "journal" / "gw0.jsonl").write_text("".join(lines) + '{"kind": "remo')
    make_ca(folder)
    (folder / "password").write_text("a-long-secret\n")
    (folder / "password").chmod(0o600)
    (folder / "target.toml").write_text(TARGET)

    class Connected:
        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> FakeEngine:
            return engine

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(engine_module, "Engine", Connected)
    return folder


TARGET = """
schema = "ovirt-release-target/1"
name = "small"
[engine]
url = "https://127.0.0.1:1/ovirt-engine/api"
ca_file = "ca.pem"
password_file = "password"
[[nodes]]
name = "node-1"
address = "127.0.0.2"
storage = "nfs"
ssh = { address = "127.0.0.2", host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ", password_file = "password" }
[storage]
nfs = { address = "127.0.0.1", path = "/exports/data" }
"""


TARGET_FILE = Target.model_validate(tomllib.loads(TARGET))


def test_a_killed_run_is_finished_from_its_journals(run_folder: Path, engine: FakeEngine) -> None:
    said: list[str] = []
    assert reap(run_folder, dry_run=False, say=said.append) == 0
    assert engine.host_by_id == {}
    assert said[-1] == "6 removed, 0 left"
    assert reap(run_folder, dry_run=False, say=said.append) == 0
    assert "has left nothing" in said[-1]


def test_a_dry_run_changes_nothing(run_folder: Path, engine: FakeEngine) -> None:
    said: list[str] = []
    assert reap(run_folder, dry_run=True, say=said.append) == 6
    assert engine.calls == []
    assert said[0].startswith("would remove: vm ")


def test_a_run_that_still_lives_is_let_alone(run_folder: Path, engine: FakeEngine) -> None:
    with (
        FileLock(run_folder / "run.lock"),
        pytest.raises(ReleaseError, match="still alive"),
    ):
        reap(run_folder, dry_run=False, say=print)
    assert engine.calls == []


def test_a_run_whose_worker_outlives_it_is_let_alone_until_that_has_ended(
    run_folder: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with worker_lock(run_folder, "gw1"):
        monkeypatch.setattr(run_folder_module, "ORPHAN_SECONDS", 0.2)
        with pytest.raises(ReleaseError, match=r"still alive \(its lock worker-gw1\.lock"):
            reap(run_folder, dry_run=False, say=print)
        assert engine.calls == []
    assert reap(run_folder, dry_run=False, say=print) == 0


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is not a run"):
        reap(tmp_path, dry_run=False, say=print)
