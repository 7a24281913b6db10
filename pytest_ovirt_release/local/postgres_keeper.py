"""Keeps one PostgreSQL server: makes and starts it, and ends it once its starter closes the pipe or is gone.

Run by path in a fresh interpreter (`-I -S`), arguments: FOLDER UID GID, then `--` and the words of initdb,
then `--` and the words of the server. The folder is removed at the end. A pipe tells of the starter's end
even when the starter was killed, which no exit handler does.
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
STARTER_GONE = 3
"""Exit status when the program was ended because nobody wants it any more."""


def main(arguments: list[str]) -> int:
    """Make the data folder, keep the server until stdin ends or it ends by itself; returns the exit status."""
    folder, uid, gid = arguments[0], int(arguments[1]), int(arguments[2])
    second = arguments.index("--", 4)
    initialise, serve = arguments[4:second], arguments[second + 1 :]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        status = _keep(initialise, uid, gid)
        return status if status != 0 else _keep(serve, uid, gid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep(command: list[str], uid: int, gid: int) -> int:
    """Run a program until it ends, or end it when the starter is gone; returns its exit status."""
    identity = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, restore_signals=True, **identity)  # type: ignore[call-overload] # one dict holds all three
    if not _ended_first(program):
        _stop(program)
        return STARTER_GONE
    return int(program.wait())


def _ended_first(program: subprocess.Popen[bytes]) -> bool:
    ended = os.pidfd_open(program.pid)
    waiting = select.poll()
    waiting.register(0, select.POLLIN | select.POLLHUP)
    waiting.register(ended, select.POLLIN)
    ready = {descriptor for descriptor, _ in waiting.poll()}
    os.close(ended)
    return 0 not in ready


def _stop(program: subprocess.Popen[bytes]) -> None:
    steps = ((signal.SIGINT, FAST_SHUTDOWN_SECONDS), (signal.SIGQUIT, IMMEDIATE_SHUTDOWN_SECONDS))
    for number, seconds in steps:
        program.send_signal(number)
        try:
            program.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    program.kill()
    program.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
