"""Keeps one PostgreSQL server: starts it, and stops it as soon as its starter closes the pipe or is gone.

Run by path in a fresh interpreter (`-I -S`), arguments: FOLDER UID GID POSTGRES [ARG …]. The folder is
removed at the end. A pipe tells of the starter's end even when the starter was killed, which no exit
handler does.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys

FAST_SHUTDOWN_SECONDS = 10
IMMEDIATE_SHUTDOWN_SECONDS = 5


def main(arguments: list[str]) -> int:
    """Keep the server until stdin ends or it ends by itself; returns its exit status."""
    folder, uid, gid = arguments[0], int(arguments[1]), int(arguments[2])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    identity = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    server = subprocess.Popen(arguments[3:], stdin=subprocess.DEVNULL, restore_signals=True, **identity)  # type: ignore[call-overload] # one dict holds all three
    try:
        _wait_for_either(server)
        _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return int(server.returncode)


def _wait_for_either(server: subprocess.Popen[bytes]) -> None:
    ended = os.pidfd_open(server.pid)
    waiting = select.poll()
    waiting.register(0, select.POLLIN | select.POLLHUP)
    waiting.register(ended, select.POLLIN)
    waiting.poll()
    os.close(ended)


def _stop(server: subprocess.Popen[bytes]) -> None:
    steps = ((signal.SIGINT, FAST_SHUTDOWN_SECONDS), (signal.SIGQUIT, IMMEDIATE_SHUTDOWN_SECONDS))
    for number, seconds in steps:
        server.send_signal(number)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    server.kill()
    server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
