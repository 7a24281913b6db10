"""The tables of `docs/states.md`, made from the cases that the tests run: `python -m tests.plugin.states`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from pytest_ovirt_release.verdict.states import CLASSES
from tests.plugin import hostile, hostile_runs
from tests.plugin.hostile import Case

SECTIONS: tuple[tuple[str, Sequence[Case]], ...] = (
    ("What one test does", (*hostile.PROVEN, *hostile.FAILED, *hostile.UNPROVEN)),
    ("Tests that pytest does not come to", hostile.UNCOLLECTED),
    ("A process ends in the middle", (*hostile.LEAVES, *hostile_runs.STOPPED)),
    ("pytest runs less, or runs otherwise", (*hostile_runs.SELECTED, *hostile_runs.SEQUENCES, *hostile_runs.SHOWS)),
    ("The run is ended early", hostile_runs.ENDED),
    ("Hooks change what pytest does", hostile_runs.HOOKED),
    ("A test lays hands on the run's records", hostile_runs.TAMPERED),
)  # fmt: skip


def tables() -> str:
    """Return all tables as Markdown."""
    return "\n".join(line for title, cases in SECTIONS for line in _table(title, cases))


def _table(title: str, cases: Sequence[Case]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| What happens | State of the cell | Class | Verdict | Exit code |"
    yield "|---|---|---|---|---|"
    yield from map(_row, cases)
    yield ""


def _row(case: Case) -> str:
    modes = [("-n0", case.expected("-n0"))] if "-n0" in case.modes else []
    modes += [("-n2", case.expected("-n2"))] if "-n2" in case.modes else []
    states = _both([(mode, state or "-") for mode, (state, _) in modes])
    classes = _both([(mode, CLASSES[state] if state else "-") for mode, (state, _) in modes])
    codes = _both([(mode, _code(case, mode, code)) for mode, (_, code) in modes])
    cells = (f"{case.says[0].upper()}{case.says[1:]}", states, classes, case.word or "none", codes)
    return f"| {' | '.join(cells)} |"


def _code(case: Case, mode: str, code: int) -> str:
    """Return an exit code as a shell sees it."""
    other = f" or {case.or_code}" if case.or_code is not None and mode != "-n0" else ""
    return f"{128 - code if code < 0 else code}{other}"


def _both(values: Sequence[tuple[str, str]]) -> str:
    """Return one value where both ways of running give the same, else each with the way."""
    if len({value for _, value in values}) == 1:
        return values[0][1]
    named = {"-n0": "without workers", "-n2": "with workers"}
    return ", ".join(f"{value} {named[mode]}" for mode, value in values)


if __name__ == "__main__":
    sys.stdout.write(tables() + "\n")
