"""Every recorded exchange, sent to the lab in its order: the lab answers as a real engine did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.contract import coverage, scope, sdk
from tests.lab.contract.__main__ import SPEED
from tests.lab.contract.model import Topic, topics
from tests.lab.contract.replay import known, replay
from tests.lab.engine.fakes import Bench, FakePki


@pytest.mark.parametrize("topic", [t for t in topics() if t.name not in scope.TOPICS], ids=lambda t: t.name)
def test_the_lab_answers_as_recorded(topic: Topic, tmp_path: Path) -> None:
    bench = Bench(tmp_path, FakePki.make(tmp_path), speed=SPEED, addresses=())
    try:
        found = replay(topic, bench, SPEED)
    finally:
        bench.close()
    new = [str(d) for d in found if d.exchange not in known(topic.name)]
    assert not new, "\n".join(new)


def test_differs_names_only_recorded_exchanges() -> None:
    for topic in topics():
        assert known(topic.name) <= {e.name for e in topic.exchanges} | {"states", "events"}


def test_the_sdk_is_read_whole() -> None:
    found = {(o.service, o.name): (o.method, o.path) for o in sdk.operations()}
    assert found["HostService", "approve"] == ("POST", "hosts/*/approve")
    assert found["VmsService", "list"] == ("GET", "vms")
    assert len(found) > 600


def test_the_coverage_page_is_up_to_date() -> None:
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page()
