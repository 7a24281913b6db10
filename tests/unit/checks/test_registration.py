"""The gap "registration needs a manual process": when a run shows it open, and when closed."""

from __future__ import annotations

import tomllib

import pytest

from pytest_ovirt_release.checks import registration
from pytest_ovirt_release.target.model import Target
from tests.unit.checks.test_reaper import TARGET

FIRST, SECOND = registration.OLD_URLS


@pytest.mark.parametrize(
    ("by", "answers", "word"),
    [
        ("node", (200, 200), "closed"),
        ("node", (200, 404), "open"),
        ("node", (404, 404), "open"),
        ("command", (200, 200), "open"),
    ],
)
def test_the_gap_is_closed_only_when_nothing_is_missing_and_nobody_helps(
    monkeypatch: pytest.MonkeyPatch, by: str, answers: tuple[int, int], word: str
) -> None:
    target = Target.model_validate(tomllib.loads(TARGET))
    node = target.nodes[0].model_copy(update={"registered_by": by})
    monkeypatch.setattr(
        registration, "_old_urls", lambda *_: dict(zip(registration.OLD_URLS, answers, strict=True))
    )
    found = registration.probe_gap(node, target, "https://engine")
    assert found.word == word
    assert found.source.startswith(
        f"https://engine: {FIRST} answers {answers[0]}, {SECOND} answers {answers[1]}"
    )
    assert ("by a command" in found.source) == (by == "command")
