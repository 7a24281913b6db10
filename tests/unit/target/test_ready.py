"""A password whose variable is not set is asked for, where somebody can answer."""

from __future__ import annotations

import os
import sys
from io import StringIO

import pytest

from pytest_ovirt_release.target.ready import make_ready
from tests.unit.checks.test_cycle import TARGET


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []

    def answer(prompt: str) -> str:
        said.append(prompt)
        return "hunter22"

    monkeypatch.setattr("getpass.getpass", answer)
    monkeypatch.setenv("PW", "")
    return said


def test_it_is_asked_for_on_a_terminal(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    monkeypatch.setattr(sys, "__stdin__", Terminal())
    make_ready(TARGET)
    assert asked == ["password of admin@internal (PW): "]
    assert os.environ["PW"] == "hunter22"
    make_ready(TARGET)
    assert len(asked) == 1


def test_nobody_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    monkeypatch.setattr(sys, "__stdin__", StringIO())
    make_ready(TARGET)
    assert asked == []
