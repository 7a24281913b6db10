"""A part of the plugin: after a test that failed on the engine, keep what it waited for and what all have to say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.fixtures import CONTEXT, EvidenceWriter

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_ovirt_release.record.context import Context

BEGAN = pytest.StashKey[datetime]()
TOLD = pytest.StashKey[bool]()
ALWAYS = "always"
SEEN = "states seen while waiting"
"""The evidence's name."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember when the test began."""
    item.stash[BEGAN] = datetime.now(UTC)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the evidence once: after the phase that failed, or after the call when it is always wanted."""
    report = yield
    always = item.config.getoption("release_logs", None) == ALWAYS
    ended = report.failed or (always and call.when == "call")
    if ended and TOLD not in item.stash and "engine" in getattr(item, "fixturenames", ()):
        item.stash[TOLD] = True
        kept = [*_states(item, call), *_keep(item)]
        if kept:
            report.sections.append(("what engine and nodes say", "\n".join(kept)))
    return report


def _states(item: pytest.Item, call: pytest.CallInfo[None]) -> list[str]:
    """Keep the states that a failed wait saw, with their times, as evidence of their own."""
    from pytest_ovirt_release.checks.waiting import states_seen  # noqa: PLC0415 - see below

    seen = states_seen(call.excinfo.value if call.excinfo else None)
    if seen:
        EvidenceWriter(item.config.stash[CONTEXT], item).value(SEEN, list(seen))
    return [f"{SEEN}: {', '.join(seen)}"] if seen else []


def _keep(item: pytest.Item) -> list[str]:
    """Return where each piece was kept, or nothing when there is no engine to ask."""
    # Here, because only a run that has asked an engine pays for the SDK.
    from pytest_ovirt_release.checks import aftermath  # noqa: PLC0415 - see above
    from pytest_ovirt_release.checks.logs import Window  # noqa: PLC0415 - see above

    context: Context = item.config.stash[CONTEXT]
    engine = getattr(item, "funcargs", {}).get("engine")
    if engine is None or context.target is None or engine.flag.is_set():
        return []
    name = getattr(getattr(item, "callspec", None), "params", {}).get("node")
    nodes = [n for n in context.target.nodes if name in {None, n.name}]
    window = Window(item.stash.get(BEGAN, datetime.now(UTC)), datetime.now(UTC))
    writer = EvidenceWriter(context, item)
    kept = []
    for title, text in aftermath.collect(engine, nodes, window):
        writer.file(title, text.encode("utf-8", "backslashreplace"))
        lines = text.splitlines()
        kept.append(f"{title}: {lines[0] if len(lines) == 1 else f'{len(lines)} lines'}")
    return kept
