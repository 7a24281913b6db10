from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.checks import waiting
from pytest_ovirt_release.checks.waiting import Interrupted, WaitFailed, interval, states_seen, wait_until
from pytest_ovirt_release.errors import Unreachable


class Script:
    """A probe that shows one state after another, the last for ever."""

    def __init__(self, *steps: str | Exception) -> None:
        self.steps = list(steps)
        self.asked = 0

    def __call__(self) -> tuple[str, str]:
        self.asked += 1
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step, step.upper()


def test_returns_value_and_each_change_of_state_once() -> None:
    waited = wait_until(Script("locked", "locked", "ok"), what="disk ok", deadline=5, wanted=("ok",))
    assert waited.value == "OK"
    assert [seen.state for seen in waited.history] == ["locked", "ok"]
    assert waited.seconds >= waited.history[-1].at


def test_a_terminal_state_fails_at_once_and_says_what_was_seen() -> None:
    script = Script("installing", "install_failed")
    with pytest.raises(WaitFailed) as caught:
        wait_until(
            script,
            what="host node-1 up",
            deadline=60,
            wanted=("up",),
            failing=("install_failed",),
            events=lambda: ["505 Host node-1 installation failed."],
        )
    assert script.asked == 2
    assert caught.value.terminal
    assert caught.value.state == "install_failed"
    message = str(caught.value)
    assert "host node-1 up" in message
    assert "installing 0.0 s, install_failed" in message
    assert "505 Host node-1 installation failed." in message


def test_the_states_seen_are_told_by_any_error_that_the_wait_led_to() -> None:
    def act() -> None:
        try:
            wait_until(Script("down", "error"), what="VM up", deadline=5, wanted=("up",), failing=("error",))
        except WaitFailed as failed:
            raise Unreachable("the VM ended") from failed

    with pytest.raises(Unreachable) as caught:
        act()
    assert [seen.split()[0] for seen in states_seen(caught.value)] == ["down", "error"]
    assert states_seen(ValueError("no wait at all")) == ()
    assert states_seen(None) == ()


def test_the_deadline_ends_a_wait_for_a_state_that_never_comes() -> None:
    with pytest.raises(WaitFailed, match=r"did not come within 0\.1 s") as caught:
        wait_until(Script("down"), what="VM up", deadline=0.1, wanted=("up",))
    assert not caught.value.terminal


def test_what_does_not_answer_now_and_then_is_counted_and_survived() -> None:
    script = Script(Unreachable("503"), "down", Unreachable("503"), "up")
    waited = wait_until(script, what="host up", deadline=5, wanted=("up",))
    assert waited.unanswered == 2
    assert [seen.state for seen in waited.history] == ["down", "up"]


def test_what_never_answers_is_unreachable_not_failed() -> None:
    with pytest.raises(Unreachable, match="connection refused"):
        wait_until(Script(Unreachable("connection refused")), what="host up", deadline=0.1, wanted=("up",))


def test_events_that_cannot_be_read_do_not_hide_the_failure() -> None:
    def broken() -> list[str]:
        raise Unreachable("engine gone")

    with pytest.raises(WaitFailed, match="events could not be read: engine gone"):
        wait_until(Script("down"), what="VM up", deadline=0.05, wanted=("up",), events=broken)


def test_the_stop_flag_ends_a_wait_at_its_next_tick() -> None:
    flag = threading.Event()
    timer = threading.Timer(0.1, flag.set)
    timer.start()
    with pytest.raises(Interrupted, match="VM up"):
        wait_until(Script("down"), what="VM up", deadline=60, wanted=("up",), flag=flag)
    timer.join()


def test_removal_waits_on_after_the_run_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    stopped.set()
    monkeypatch.setattr(waiting, "stop", stopped)
    with pytest.raises(Interrupted):
        wait_until(Script("gone"), what="disk gone", deadline=1, wanted=("gone",))
    waited = wait_until(
        Script("gone"), what="disk gone", deadline=1, wanted=("gone",), flag=waiting.never_stop
    )
    assert waited.value == "GONE"


def test_progress_is_said_once_for_each_state() -> None:
    said: list[str] = []
    wait_until(Script("a", "a", "b"), what="x", deadline=5, wanted=("b",), say=said.append)
    assert [line.split(": ")[1].split(",")[0] for line in said] == ["a", "b"]


@given(st.floats(0, 100_000))
def test_a_pause_loses_at_most_three_seconds_and_on_average_five_percent(elapsed: float) -> None:
    pause = interval(elapsed)
    assert 0 < pause <= 3.0
    assert pause / 2 <= max(0.05 * elapsed, 0.2)


def test_the_first_minute_costs_less_than_sixty_requests() -> None:
    elapsed, requests = 0.0, 0
    while elapsed < 60:
        requests += 1
        elapsed += interval(elapsed)
    assert requests <= 60
