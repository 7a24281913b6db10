"""Under workers the tests of two nodes begin on two of them, whatever else is collected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdist.scheduler import LoadScheduling

from pytest_ovirt_release.ordering import first_piece, node_used, ordered
from tests.unit.checks.test_cycle import TARGET

CYCLE = ["nfs@1", "local@2", "registers@1", "approved@1", "runs@1", "registers@2", "approved@2", "runs@2"]


def node_of(test: str) -> str | None:
    return test.partition("@")[2] or None


class Worker:
    """What xdist's scheduler needs of a worker."""

    def __init__(self, tests: list[str]) -> None:
        self.tests = tests
        self.given: list[str] = []
        self.shutting_down = False
        self.gateway = self
        self.id = "gw"

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += [self.tests[i] for i in indices]

    def shutdown(self) -> None:
        self.shutting_down = True


def handed_out(
    tests: list[str], workers: int, config: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> list[Worker]:
    """Return what xdist itself gives each worker at first."""
    monkeypatch.setattr(config.option, "tx", ["popen"] * workers)
    monkeypatch.setattr(config.option, "maxschedchunk", None, raising=False)
    scheduler = LoadScheduling(config)
    made = [Worker(tests) for _ in range(workers)]
    for worker in made:
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, tests)
    scheduler.schedule()
    return made


@pytest.mark.parametrize("others", [0, 1, 5, 52, 500])
@pytest.mark.parametrize("workers", [2, 3])
def test_xdist_begins_each_node_on_a_worker_of_its_own(
    others: int, workers: int, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = [*(f"source-{n}" for n in range(others)), *CYCLE]
    given = [
        w.given for w in handed_out(ordered(tests, node_of, workers), workers, pytestconfig, monkeypatch)
    ]
    assert {node_of(given[0][0]), node_of(given[1][0])} == {"1", "2"}
    size = first_piece(len(tests), workers)
    for piece in (given[0][:size], given[1][:size]):
        assert len({node_of(test) for test in piece} - {None}) == 1


def test_as_few_tests_as_workers_go_one_by_one(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = ordered(["nfs@1", "source", "local@2"], node_of, 2)
    first, second = handed_out(tests, 2, pytestconfig, monkeypatch)
    assert ("nfs@1" in first.given, "local@2" in second.given) == (True, True)


@pytest.mark.parametrize(
    ("cells", "node"),
    [
        (("vm-on-nfs",), "node-1"),
        (("vm-on-local",), "node-2"),
        (("node-approved[node-2]",), "node-2"),
        (("node-approved[node-9]",), None),
        (("source-tag[node-1]",), None),
        (("ssl-setup",), None),
        ((), None),
        (("ssl-setup", "vm-on-local"), "node-2"),
    ],
)
def test_the_node_of_a_test_is_known_by_its_cells(cells: tuple[str, ...], node: str | None) -> None:
    assert node_used(cells, TARGET.nodes) == node


def test_the_only_node_is_that_of_both_smoke_tests() -> None:
    only = (TARGET.nodes[0].model_copy(update={"storage": "both"}),)
    assert [node_used((f"vm-on-{kind}",), only) for kind in ("nfs", "local")] == ["node-1", "node-1"]


@given(st.lists(st.sampled_from([None, "1", "2", "3"]), max_size=80), st.integers(1, 9))
def test_nothing_is_lost_and_each_node_keeps_its_order(nodes: list[str | None], workers: int) -> None:
    tests = list(enumerate(nodes))
    found = ordered(tests, lambda test: test[1], workers)
    assert sorted(found, key=lambda test: test[0]) == tests
    for node in {*nodes} - {None}:
        chain = [test for test in found if test[1] == node]
        assert chain == sorted(chain)
