from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.checks import aftermath
from pytest_ovirt_release.checks.engine.facts import Correlation, Event, Job
from pytest_ovirt_release.checks.logs import KEPT, Window, excerpt, moment_of, qemu_logs, read_log, where
from pytest_ovirt_release.checks.node import Result
from pytest_ovirt_release.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=10))
VDSM = """2026-11-25 11:50:00,001+0000 INFO  (jsonrpc/1) [vdsm.api] START before (api:48)
2026-11-25 13:05:00,001+0100 ERROR (jsonrpc/2) [vdsm.api] FINISH ours error=no (api:131)
Traceback (most recent call last):
  File "/usr/lib/python3/vdsm/api.py", line 124, in method
2026-11-25 12:30:00,001+0000 INFO  (jsonrpc/3) [vdsm.api] START after (api:48)
  not ours either
"""


def test_lines_of_the_tests_time_are_kept_with_their_tracebacks_whatever_the_zone() -> None:
    kept = excerpt(VDSM, WINDOW)
    assert "FINISH ours" in kept
    assert 'File "/usr/lib' in kept
    assert "before" not in kept
    assert "after" not in kept
    assert "not ours" not in kept


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("2026-11-25 12:00:00,250Z INFO  [org.ovirt.engine]", NOON + timedelta(seconds=0.25)),
        ("2026-11-25 14:00:00,000+02 INFO  [org.ovirt.engine]", NOON),
        ("2026-11-25 06:30:00.000-0530: starting up", NOON),
        ("2026-11-25 17:30:00,000+05:30 INFO", NOON),
        ("MainThread::DEBUG::2026-11-25 12:00:00,123::supervdsm", None),
        ("2026-02-31 12:00:00,250Z INFO", None),
        ("2026-11-25 12:00:00,250+99 INFO", None),
        ("no moment at all", None),
    ],
)
def test_moments_of_each_log(line: str, moment: datetime | None) -> None:
    assert moment_of(line) == moment


def test_a_line_whose_zone_is_unknown_is_kept() -> None:
    text = "2026-11-25 11:00:00,001Z old\nMainThread::DEBUG::2026-11-25 03:00:00,123::super\n"
    assert excerpt(text, WINDOW) == "MainThread::DEBUG::2026-11-25 03:00:00,123::super\n"


@given(st.text(max_size=2000))
def test_whatever_a_log_holds_the_excerpt_is_part_of_it(text: str) -> None:
    kept = excerpt(text, WINDOW)
    assert set(kept.splitlines()) <= set(text.splitlines())


def test_an_excerpt_is_capped_at_its_end() -> None:
    kept = excerpt("x" * 200 + "\n" + "y" * 2 * KEPT + "end", WINDOW)
    assert len(kept) < KEPT + 100
    assert kept.endswith("end")
    assert "left out" in kept


class Node:
    """A node that has these files."""

    def __init__(self, files: dict[str, str], names: str = "") -> None:
        self.files = files
        self.names = names
        self.asked: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], _deadline: float | None = None) -> Result:
        self.asked.append(argv)
        if argv[0] == "ls":
            return Result(tuple(argv), 0, self.names, "", 0.0)
        text = self.files.get(argv[-1])
        if text is None:
            return Result(tuple(argv), 1, "", f"tail: cannot open '{argv[-1]}': No such file", 0.0)
        return Result(tuple(argv), 0, text, "", 0.0)


def test_a_log_that_is_not_there_is_said() -> None:
    assert "No such file" in read_log(Node({}), "/var/log/vdsm/vdsm.log", WINDOW)  # type: ignore[arg-type] # of a node
    old: Any = Node({"/l": "2026-11-25 10:00:00,100Z x\n"})
    assert "no line of this time" in read_log(old, "/l", WINDOW)


def test_only_logs_of_this_runs_machines_are_read() -> None:
    node = Node({}, "production.log\nrel-abcd1234-vm.log\nrel-99999999-vm.log\n../rel-abcd1234.log\n")
    assert qemu_logs(node, "abcd1234") == ["/var/log/libvirt/qemu/rel-abcd1234-vm.log"]  # type: ignore[arg-type] # same


def test_where_to_look_further_names_both_logs() -> None:
    assert "/var/log/vdsm/vdsm.log on node-1" in where("node-1")


class Events:
    def newest(self) -> tuple[Event, ...]:
        texts = (("VM started", "rel-abcd1234-ours"), ("somebody logged in", None), ("other", "rel-x"))
        return tuple(
            Event(n, 32, "normal", NOON.isoformat(), text, correlation, None, None)
            for n, (text, correlation) in enumerate(texts)
        )

    def jobs(self, correlation: str) -> tuple[Job, ...]:
        assert correlation == "rel-abcd1234-ours"
        mine = Job("j1", "Launching VM", "failed", NOON, NOON)
        return (mine, Job("j2", "of another day", "finished", NOON - timedelta(days=1), None))


class Engine:
    run_id = "abcd1234"
    events = Events()
    correlations = (
        Correlation("rel-abcd1234-ours", NOON),
        Correlation("rel-abcd1234-old", NOON - timedelta(hours=1)),
    )

    class target:  # noqa: N801 - stands for the attribute
        class engine:  # noqa: N801 - same
            ssh = None


def test_events_and_jobs_are_those_of_our_own_requests() -> None:
    found = dict(aftermath.collect(Engine(), [], WINDOW))  # type: ignore[arg-type] # of an engine
    assert "VM started" in found["events of our requests"]
    assert "logged in" not in found["events of our requests"]
    assert "rel-x" not in found["events of our requests"]
    assert "failed: Launching VM" in found["jobs of our requests"]
    assert "another day" not in found["jobs of our requests"]


def test_an_engine_that_does_not_answer_costs_its_part_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_self: Events) -> tuple[Event, ...]:
        raise Unreachable("engine gone")

    monkeypatch.setattr(Events, "newest", gone)
    assert aftermath.collect(Engine(), [], WINDOW) == [("engine", "[Unreachable: engine gone]\n")]  # type: ignore[arg-type] # same


def test_what_takes_too_long_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading  # noqa: PLC0415 - only here

    ended = threading.Event()

    def slow(_self: Events) -> tuple[Event, ...]:
        ended.wait(20)
        return ()

    monkeypatch.setattr(Events, "newest", slow)
    monkeypatch.setattr(aftermath, "SECONDS", 0.2)
    assert aftermath.collect(Engine(), [], WINDOW) == [("engine", "[nothing came in 0.2 s]\n")]  # type: ignore[arg-type] # same
    ended.set()
