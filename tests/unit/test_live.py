"""What people see of a run while it waits, on a terminal and in a log file."""

from __future__ import annotations

import os
import pty
import re
import select
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release import live
from pytest_ovirt_release.checks import progress
from pytest_ovirt_release.checks.progress import Awaited, read_all, shown
from pytest_ovirt_release.checks.waiting import WaitFailed, wait_until
from pytest_ovirt_release.live import Live, PlainLines, status_line

UP = Awaited("host node-1 up", "installing", 100.0, 900.0)
GUEST = Awaited("VM rel-1-nfs to power itself off", "powering_up", 110.0, 300.0)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    progress.publish_to(tmp_path / "progress" / "gw0.json")
    yield tmp_path / "progress"
    progress.publish_to(None)


def test_a_wait_is_shown_with_its_state_until_it_ends(folder: Path) -> None:
    seen: list[Awaited] = []
    states = iter(["installing", "installing", "up"])

    def probe() -> tuple[str, None]:
        seen.extend(awaited for _, awaited in read_all(folder))
        return next(states), None

    wait_until(probe, what="host node-1 up", deadline=9, wanted=("up",))
    assert [(a.what, a.state, a.deadline) for a in seen] == [
        ("host node-1 up", progress.BEGUN, 9),
        ("host node-1 up", "installing", 9),
        ("host node-1 up", "installing", 9),
    ]
    assert len({a.since for a in seen}) == 1
    assert read_all(folder) == ()


def test_a_wait_that_fails_is_shown_no_more(folder: Path) -> None:
    with pytest.raises(WaitFailed):
        wait_until(lambda: ("broken", None), what="x", deadline=1, wanted=("up",), failing=("broken",))
    assert read_all(folder) == ()


def test_waits_inside_each_other_are_all_shown(folder: Path) -> None:
    with shown("one", 5), shown("two", 5) as tell:
        tell("going")
        assert [(p, a.what, a.state) for p, a in read_all(folder)] == [
            ("gw0", "one", progress.BEGUN),
            ("gw0", "two", "going"),
        ]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"what": 1}]', "{}", "null"])
def test_a_torn_file_of_another_process_is_nothing(folder: Path, text: str) -> None:
    (folder / "gw1.json").write_text(text)
    with shown("one", 5):
        assert [p for p, _ in read_all(folder)] == ["gw0"]


def test_one_line_says_what_each_process_waits_for() -> None:
    line = status_line([("gw0", UP), ("gw1", GUEST)], 112.4, 140)
    assert line == (
        "gw0 host node-1 up: installing, 12 of 900 s | gw1 VM rel-1-nfs to power itself off: powering_up, 2 of 300 s"
    )
    assert status_line([("controller", UP)], 112.4, 80) == "host node-1 up: installing, 12 of 900 s"
    assert status_line([("gw0", UP)], 100.1, 80) == "", "what is over at once would only flicker"


@given(
    waits=st.lists(st.tuples(st.text(max_size=9), st.builds(
        Awaited, what=st.text(max_size=90), state=st.text(max_size=30), since=st.floats(0, 99), deadline=st.floats(1, 9e4),
    )), max_size=12),
    width=st.integers(1, 200),
)  # fmt: skip
def test_a_status_line_is_never_wider_than_its_terminal(waits: list[tuple[str, Awaited]], width: int) -> None:
    assert len(status_line(waits, 100.0, width)) < width


def test_a_log_tells_long_waits_and_their_changes_and_once_a_minute_that_nothing_changed() -> None:
    plain, told = PlainLines(), []
    for second in range(130):
        state = "installing" if second < 40 else "initializing"
        awaited = Awaited("host up", state, 0.0, 900.0)
        told += [(second, line) for line in plain.lines([("gw0", awaited)], float(second))]
    assert told == [
        (5, "waiting: gw0 host up: installing, 5 of 900 s"),
        (40, "waiting: gw0 host up: initializing, 40 of 900 s"),
        (100, "waiting: gw0 host up: initializing, 100 of 900 s"),
    ]


class Screen:
    """Just enough of a terminal to see what is left on it."""

    def __init__(self) -> None:
        self.rows = [""]
        self.row = self.column = 0

    def feed(self, text: str) -> None:
        for part in re.findall(r"\x1b\[\d*[A-Z]|.|\n", text, re.DOTALL):
            if part == "\n":
                self.row += 1
                self.column = 0
                if self.row == len(self.rows):
                    self.rows.append("")
            elif part == "\r":
                self.column = 0
            elif part == "\x1b[2K":
                self.rows[self.row] = ""
            elif part == "\x1b[1A":
                self.row -= 1
            elif part.startswith("\x1b["):
                assert part.endswith("G"), part
                self.column = int(part[2:-1]) - 1
            else:
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[: self.column] + part + line[self.column + 1 :]
                self.column += 1


def drained(fd: int) -> str:
    """Read all that has been written to a terminal so far."""
    text = b""
    while select.select([fd], [], [], 0.05)[0]:
        try:
            text += os.read(fd, 65536)
        except OSError:  # the other side is closed
            break
    return text.decode()


class Writer:
    """pytest's terminal writer, as far as it matters here."""

    def __init__(self, file: object) -> None:
        self._file: object = file
        self.width_of_current_line = 0

    def write(self, text: str) -> None:
        tail = text.rpartition("\n")[2]
        self.width_of_current_line = len(tail) + (0 if "\n" in text else self.width_of_current_line)
        self._file.write(text)  # type: ignore[attr-defined]
        self._file.flush()  # type: ignore[attr-defined]


def test_the_line_lies_below_pytest_s_own_and_leaves_nothing(folder: Path) -> None:
    ours, theirs = pty.openpty()
    screen, screens = Screen(), []
    with os.fdopen(theirs, "w") as terminal:
        writer = Writer(terminal)
        shows = Live(writer, folder, str)
        shows.start()
        writer.write("test_node.py ..")
        with shown("host node-1 up", 900) as tell:
            tell("installing")
            time.sleep(live.STATUS_AFTER + 3 * live.TICK)
            screen.feed(drained(ours))
            screens.append(list(screen.rows))
            writer.write("F\ntest_smoke.py .")
            screen.feed(drained(ours))
            screens.append(list(screen.rows))
            time.sleep(3 * live.TICK)
        shows.stop()
        shows.stop()
        writer.write(".\n")
        assert writer._file is terminal
    screen.feed(drained(ours))
    os.close(ours)
    assert screens[0][0] == "test_node.py .."
    assert screens[0][1].startswith("host node-1 up: installing, ") or "gw0 host node-1 up" in screens[0][1]
    assert screens[1] == ["test_node.py ..F", "test_smoke.py ."]
    assert [row for row in screen.rows if row] == ["test_node.py ..F", "test_smoke.py .."]


def test_a_log_file_gets_lines_of_their_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PLAIN_AFTER", 0.1)
    log = tmp_path / "log"
    with log.open("w") as file:
        writer = Writer(file)
        shows = Live(writer, folder, lambda text: text.replace("node-1", "***"))
        shows.start()
        writer.write("..")
        with shown("host node-1 up", 900):
            time.sleep(0.1 + 3 * live.TICK)
        shows.stop()
    assert re.fullmatch(r"\.\.\nwaiting: gw0 host \*\*\* up: …, \d of 900 s\n", log.read_text())


def test_where_there_is_no_terminal_nothing_is_shown(folder: Path, tmp_path: Path) -> None:
    context = SimpleNamespace(folder=tmp_path, redact=str)
    manager = SimpleNamespace(get_plugin=lambda _: None)
    assert live.show(manager, context) is None  # type: ignore[arg-type] # as much of a context as it needs
