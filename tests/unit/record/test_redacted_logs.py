"""Log records are made without secrets, whoever prints them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from pytest_ovirt_release.record.redact import Redactor
from pytest_ovirt_release.record.redacted_logs import UNREADABLE, redact_logs
from pytest_ovirt_release.target.credentials import learned, watch

log = logging.getLogger("some.library")


@pytest.fixture
def written() -> Iterator[StringIO]:
    redact, stream = Redactor(), StringIO()
    watch(redact)
    undo, handler = redact_logs(redact), logging.StreamHandler(stream)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield stream
    log.removeHandler(handler)
    undo()


def test_a_secret_is_masked_from_when_it_is_known(written: StringIO) -> None:
    learned("hunter22")
    log.debug("login %s with 100%% %s", "admin", {"password": "hunter22"})
    assert written.getvalue() == "login admin with 100% {'password': '***'}\n"
    log.debug("50%% of %s", "nothing")
    assert written.getvalue().endswith("50% of nothing\n")


def test_a_traceback_is_masked_too(written: StringIO) -> None:
    learned("hunter22")
    try:
        int("hunter22")
    except ValueError:
        log.exception("it broke")
    assert "hunter22" not in written.getvalue()
    assert "ValueError: invalid literal for int() with base 10: '***'" in written.getvalue()


def test_arguments_that_do_not_fit_are_not_shown(
    written: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    learned("hunter22")
    log.debug("%d", "hunter22")
    assert written.getvalue() == f"{UNREADABLE}\n"
    assert capsys.readouterr().err == ""


def test_undone_it_is_as_before() -> None:
    before = logging.getLogRecordFactory()
    redact_logs(str)()
    assert logging.getLogRecordFactory() is before
