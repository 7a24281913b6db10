"""Log messages of any library, redacted where they are made: handlers print them before anybody sees a report."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

UNREADABLE = "(a log message that does not fit its own arguments)"


def redact_logs(redact: Callable[[str], str]) -> Callable[[], None]:
    """Let every log record of this process be made with its secrets masked; returns how to undo that.

    Live logs (`--log-cli-level`), captured ones and log files all print what a record says of itself.
    """
    before = logging.getLogRecordFactory()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging calls it
        record = before(*args, **kwargs)
        _clean(record, redact)
        return record

    logging.setLogRecordFactory(make)
    return lambda: logging.setLogRecordFactory(before)


def _clean(record: logging.LogRecord, redact: Callable[[str], str]) -> None:
    try:
        said = record.getMessage()
    except Exception:  # noqa: BLE001 - logging would print the arguments as they are
        record.msg, record.args = UNREADABLE, None
        return
    if (clean := redact(said)) != said:
        record.msg, record.args = clean, None
    if record.exc_info and record.exc_info[0] is not None:
        traceback = logging.Formatter().formatException(record.exc_info)
        if (clean := redact(traceback)) != traceback:
            record.exc_text = clean
            record.exc_info = None
