"""A target's only node serves both kinds of storage: one after the other, in any order, and whatever breaks off."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pytest_ovirt_release.checks.engine.facts import Standing
from pytest_ovirt_release.checks.ledger import Ledger, open_entries
from pytest_ovirt_release.checks.removal import remove_all
from pytest_ovirt_release.checks.stages import judging
from pytest_ovirt_release.errors import Blocked, CheckFailed, Unproven
from pytest_ovirt_release.target.model import StorageKind
from tests.unit.checks.fake_engine import FakeEngine, refusal
from tests.unit.checks.test_cycle import NODE, TARGET, Run, verdict

ONLY = NODE.model_copy(update={"storage": "both", "may_move": True})
NFS, LOCAL = "cl-rel-abcd1234-nfs", "cl-rel-abcd1234-local-node-1"


@pytest.fixture
def engine() -> FakeEngine:
    made = FakeEngine()
    real = made.storage.detach

    def detach(data_center_id: str, domain_id: str) -> None:
        real(data_center_id, domain_id)
        if "local" in made.domains[domain_id].name:
            made.domains.pop(domain_id)  # as an engine does with local storage

    made.storage.detach = detach  # type: ignore[method-assign] # on purpose
    return made


@pytest.fixture
def run(tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Run:
    made = Run(tmp_path, engine, monkeypatch)
    made.target = TARGET.model_copy(update={"nodes": (ONLY,)})
    return made


def serve(run: Run, kind: StorageKind) -> str:
    """Do what a smoke test does with the storage, and return the cluster it was in."""
    cycle = run.process()
    with cycle.lease(ONLY, kind) as lent, judging(f"vm-on-{kind}", lent):
        return cycle.serving(lent).cluster_id


def clean_up(run: Run, engine: FakeEngine) -> list[str]:
    left = remove_all(engine, Ledger(run.write, "abcd1234"), open_entries(run.records))  # type: ignore[arg-type] # the fake
    return [str(entry) for entry in left]


def said(run: Run) -> list[str]:
    return [r["value"] for r in run.records if r.get("key") == "one-after-the-other"]


@pytest.mark.parametrize("kinds", [("nfs", "local"), ("local", "nfs")])
def test_one_kind_after_the_other_and_it_is_said(
    run: Run, engine: FakeEngine, kinds: tuple[StorageKind, StorageKind]
) -> None:
    engine.host()
    clusters = {"nfs": NFS, "local": LOCAL}
    assert serve(run, kinds[0]) == clusters[kinds[0]]
    assert said(run) == []
    assert serve(run, kinds[1]) == engine.host_by_id["h1"].cluster_id == clusters[kinds[1]]
    assert engine.host_by_id["h1"].status == "up"
    assert [d.name for d in engine.domains.values()] == [clusters[kinds[1]].removeprefix("cl-")]
    assert said(run) == [
        (
            f"node-1 is the target's only node: it served {kinds[0]} storage first, then {kinds[1]} storage, one after "
            "the other"
        )
    ]
    detached, moved = engine.calls.index("sd.detach sd1"), engine.calls.index("hosts.deactivate h1")
    assert detached < moved, "without its host the storage could never be removed"
    assert clean_up(run, engine) == []
    assert (engine.domains, engine.clusters, engine.data_centers, engine.host_by_id) == ({}, {}, {}, {})


def test_a_test_that_minds_no_kind_takes_the_one_that_is_there(run: Run, engine: FakeEngine) -> None:
    engine.host()
    cycle = run.process()
    with cycle.lease(ONLY) as lent:
        assert cycle.storage(lent).cluster_id == NFS
    serve(run, "local")
    with cycle.lease(ONLY) as lent:
        assert cycle.storage(lent).cluster_id == LOCAL
    assert engine.did("hosts.move") == 1


def test_a_node_is_not_turned_while_a_test_has_it(run: Run, engine: FakeEngine) -> None:
    engine.host()
    first = run.process()
    with first.lease(ONLY, "nfs") as lent:
        first.serving(lent)
        other = threading.Thread(target=serve, args=(run, "local"))
        other.start()
        other.join(0.5)
        assert other.is_alive()
        assert engine.did("hosts.deactivate") == 0
    other.join(20)
    assert engine.host_by_id["h1"].cluster_id == LOCAL


def test_leaving_on_our_own_wish_is_not_held_against_the_node(run: Run, engine: FakeEngine) -> None:
    engine.host()
    serve(run, "nfs")
    engine.after["hosts.deactivate"] = lambda: engine.say(519, "Host node-1 is on its way", "h1")
    serve(run, "local")
    assert verdict("node-approved", ONLY, run.process().up) is None
    engine.say(519, "Host node-1 does not comply", "h1")
    assert isinstance(verdict("node-approved", ONLY, run.process().up), CheckFailed)


def test_what_was_against_the_node_before_it_was_turned_stays_so(run: Run, engine: FakeEngine) -> None:
    engine.host()
    serve(run, "nfs")
    engine.say(519, "Host node-1 does not comply", "h1")
    with pytest.raises(Blocked, match="does not comply"):
        serve(run, "local")
    assert engine.did("hosts.deactivate") == 0
    assert isinstance(verdict("node-approved", ONLY, run.process().up), CheckFailed)


@pytest.mark.parametrize(
    "call", ["sd.deactivate", "sd.format", "hosts.deactivate", "hosts.move", "hosts.activate"]
)
def test_wherever_it_breaks_off_it_is_unproven_can_go_on_and_leaves_nothing(
    run: Run, engine: FakeEngine, call: str
) -> None:
    engine.host()
    serve(run, "nfs")
    engine.refuse[call] = [refusal("no")]
    with pytest.raises(Unproven) as caught:
        serve(run, "local")
    assert not isinstance(caught.value, Blocked)
    assert verdict("node-approved", ONLY, run.process().up) is None, "its absence is our doing"
    assert serve(run, "local") == LOCAL
    assert engine.host_by_id["h1"].status == "up"
    assert clean_up(run, engine) == []
    assert (engine.domains, engine.clusters, engine.host_by_id) == ({}, {}, {})


@pytest.mark.parametrize("call", ["hosts.deactivate", "hosts.move", "hosts.activate", "sd.format"])
def test_after_a_move_that_broke_off_whoever_minds_no_kind_gets_a_host_that_is_up(
    run: Run, engine: FakeEngine, call: str
) -> None:
    engine.host()
    serve(run, "nfs")
    engine.refuse[call] = [refusal("no")]
    with pytest.raises(Unproven):
        serve(run, "local")
    cycle = run.process()
    with cycle.lease(ONLY) as lent, judging("node-runs-vm", lent):
        state = cycle.storage(lent)
    host = engine.host_by_id["h1"]
    assert (host.cluster_id, host.status) == (state.cluster_id, "up")
    assert engine.attached == {state.domain_id: "active"}
    assert len(said(run)) == 1


@pytest.mark.parametrize("kinds", [("nfs", "local"), ("local", "nfs")])
def test_a_host_that_was_up_before_goes_home_in_between_and_at_the_end(
    run: Run, engine: FakeEngine, kinds: tuple[StorageKind, StorageKind]
) -> None:
    before = engine.host(status="up", cluster_id="theirs", name="their-node")
    engine.data_centers["their-dc"] = "Default"
    engine.standing["theirs"] = Standing("their-dc", "Default", is_local=False)
    clusters = {"nfs": "theirs", "local": LOCAL}
    assert [serve(run, kind) for kind in kinds] == [clusters[kind] for kind in kinds]
    assert len(said(run)) == 1
    assert clean_up(run, engine) == []
    assert engine.host_by_id == {"h1": before}
    assert (engine.data_centers, engine.domains) == ({"their-dc": "Default"}, {})
    assert engine.did("hosts.remove") == 0


def test_a_host_that_was_up_before_and_must_not_be_moved_serves_nfs_only(
    run: Run, engine: FakeEngine
) -> None:
    fixed = ONLY.model_copy(update={"may_move": False})
    run.target = TARGET.model_copy(update={"nodes": (fixed,)})
    engine.host(status="up", cluster_id="theirs", name="their-node")
    engine.standing["theirs"] = Standing("their-dc", "Default", is_local=False)
    engine.data_centers["their-dc"] = "Default"
    cycle = run.process()
    with cycle.lease(fixed, "nfs") as lent:
        assert cycle.serving(lent).cluster_id == "theirs"
    with cycle.lease(fixed, "local") as lent, pytest.raises(Blocked, match="may_move = true"):
        cycle.serving(lent)
    assert engine.did("hosts.deactivate") == 0
    assert clean_up(run, engine) == []
