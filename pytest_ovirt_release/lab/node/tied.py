"""Starts a program that cannot outlive the lab: when the lab dies, however it dies, the kernel kills the program.

`tied(argv)` gives the command line to start. It runs this very file, which asks the kernel for the signal
(prctl PR_SET_PDEATHSIG) and then becomes the program. The signal belongs to the thread that started the child:
the lab starts all of its children from the thread of its event loop.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tied(argv: list[str]) -> list[str]:
    """Return the command line that runs `argv` tied to the calling process."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *argv]


def main(parent: int, argv: list[str]) -> None:
    """Ask for the signal, make sure that the parent is still there, and become the program."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it died before the kernel knew whom to watch
        sys.exit("the process that wanted this one is gone")
    os.execvp(argv[0], argv)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
