"""Whether the machine at the other end of an SSH connection still answers.

paramiko's own keepalive sends and never counts what does not come back: a connection into a network that is gone
stays "active" for ever. Here every quiet spell ends in a question that must be answered.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import paramiko

QUIET = 15.0
"""Seconds without a word after which the machine is asked, and within which it has to answer."""


class Pulse:
    """Watches one connection while a command runs; `lost` is asked again and again."""

    def __init__(self, transport: paramiko.Transport) -> None:
        """Take the connection; nothing is sent before it has been quiet for a while."""
        self._transport = transport
        self._since = time.monotonic()
        self._question: threading.Thread | None = None

    def heard(self) -> None:
        """Note that something came from the machine."""
        self._since = time.monotonic()

    def lost(self) -> bool:
        """Return whether the machine has left a question unanswered; asks one when it is time."""
        quiet = time.monotonic() - self._since
        if self._question is None:
            if quiet > QUIET:
                self._ask()
            return False
        if not self._question.is_alive():
            self._question = None
            self.heard()
            return False
        return quiet > QUIET

    def _ask(self) -> None:
        # In a thread, for it waits without an end; it ends when the connection is closed.
        self._question = threading.Thread(
            target=self._transport.global_request, args=("keepalive@openssh.com",), daemon=True
        )
        self._question.start()
        self._since = time.monotonic()
