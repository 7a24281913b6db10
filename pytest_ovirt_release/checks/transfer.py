"""Disks filled and read through the engine's image transfers, byte for byte, within deadlines."""

from __future__ import annotations

import contextlib
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import urllib3

from pytest_ovirt_release.checks.engine import EngineFault, Transfer
from pytest_ovirt_release.checks.logs import where
from pytest_ovirt_release.checks.tls_connection import pool as pool_to
from pytest_ovirt_release.checks.waiting import WaitFailed, wait_until
from pytest_ovirt_release.errors import CheckFailed, Unproven

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.waiting import Waited

GONE = "forgotten by the engine"
OPEN = "transferring"
DONE = "finished_success"
DEAD_ENDS = (
    "cancelled",
    "cancelled_system",
    "cancelled_user",
    "finalizing_failure",
    "finished_failure",
    "finished_cleanup",
    "paused_system",
    GONE,
)
FORGOTTEN = Transfer("", GONE, None, None)
CHUNK = 256 * 1024
OK_ANSWERS = (200, 206)


@dataclass(frozen=True)
class Moved:
    """How a transfer went: bytes, seconds in all, phases seen, and the address that took the bytes."""

    size: int
    seconds: float
    phases: tuple[str, ...]
    url: str


def upload(engine: Engine, disk_id: str, data: bytes) -> Moved:
    """Fill a disk; CheckFailed when the engine or the image daemon refuse."""
    _, moved = _transfer(engine, disk_id, "upload", data, len(data))
    return moved


def download(engine: Engine, disk_id: str, size: int) -> tuple[bytes, Moved]:
    """Read a disk of at most `size` bytes; what is shorter comes back shorter."""
    return _transfer(engine, disk_id, "download", None, size)


def _transfer(
    engine: Engine, disk_id: str, direction: str, data: bytes | None, size: int
) -> tuple[bytes, Moved]:
    start = time.monotonic()
    wait_for_disk(engine, disk_id)
    try:
        transfer_id = engine.vms.add_transfer(disk_id, direction)
    except EngineFault as fault:
        raise CheckFailed(f"{direction}-refused", str(fault)) from fault
    try:
        opened = _wait(engine, transfer_id, direction, OPEN)
        body, url = _bytes(engine, opened.value, data, size)
        engine.vms.finalize_transfer(transfer_id)
    except BaseException:
        _give_up(engine, transfer_id)
        raise
    finished = _wait(engine, transfer_id, direction, DONE)
    wait_for_disk(engine, disk_id)
    seconds = time.monotonic() - start
    phases = tuple(map(str, (*opened.history, *finished.history)))
    return body, Moved(len(data) if data is not None else len(body), seconds, phases, url)


def wait_for_disk(engine: Engine, disk_id: str) -> None:
    """Wait until a disk is unlocked; CheckFailed when it never is."""
    try:
        wait_until(
            lambda: (engine.vms.disk_status(disk_id) or "gone", None),
            what=f"disk {disk_id} ok",
            deadline=engine.deadlines.disk,
            wanted=("ok",),
            failing=("illegal", "gone"),
            events=engine.said,
            flag=engine.flag,
        )
    except WaitFailed as failed:
        raise CheckFailed("disk-not-ok", f"{failed}; {where('its host')}") from failed


def _wait(engine: Engine, transfer_id: str, direction: str, wanted: str) -> Waited[Transfer]:
    def probe() -> tuple[str, Transfer]:
        transfer = engine.vms.transfer(transfer_id)
        return (GONE, FORGOTTEN) if transfer is None else (transfer.phase, transfer)

    ends = (wanted, GONE) if wanted == DONE else (wanted,)  # a finished one may be forgotten at once
    try:
        return wait_until(
            probe,
            what=f"{direction} {transfer_id} {wanted}",
            deadline=engine.deadlines.disk,
            wanted=ends,
            failing=DEAD_ENDS,
            events=engine.said,
            flag=engine.flag,
        )
    except WaitFailed as failed:
        raise CheckFailed(f"{direction}-failed", f"{failed}; {where('its host')}") from failed


def _give_up(engine: Engine, transfer_id: str) -> None:
    if engine.flag.is_set():  # the engine cancels an idle transfer by itself
        return
    with contextlib.suppress(Unproven):
        engine.vms.cancel_transfer(transfer_id)


def _bytes(engine: Engine, opened: Transfer, data: bytes | None, size: int) -> tuple[bytes, str]:
    """Move the bytes by the node's address, or by the engine's proxy where the node cannot be reached."""
    context = ssl.create_default_context(cafile=str(engine.target.engine.ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    trouble = []
    with pool_to(context, engine.target.engine.proxy) as pool:
        for url in filter(None, (opened.transfer_url, opened.proxy_url)):
            try:
                return _put(engine, pool, url, data) if data is not None else _get(
                    engine, pool, url, size
                ), url
            except urllib3.exceptions.HTTPError as error:
                trouble.append(f"{url}: {error}")
    raise Unproven(
        f"the image daemon cannot be reached: {'; '.join(trouble) or 'the engine gave no address'}"
    )


def _limits(engine: Engine) -> urllib3.Timeout:
    return urllib3.Timeout(connect=min(10.0, engine.deadlines.disk), read=engine.deadlines.request)


def _put(engine: Engine, pool: urllib3.PoolManager, url: str, data: bytes) -> bytes:
    answer = pool.request("PUT", url, body=data, timeout=_limits(engine), redirect=False)
    if answer.status not in OK_ANSWERS:
        raise CheckFailed(
            "upload-failed",
            f"the image daemon answered the upload with HTTP {answer.status}: {_said(answer.data)}",
        )
    return b""


def _get(engine: Engine, pool: urllib3.PoolManager, url: str, size: int) -> bytes:
    end = time.monotonic() + engine.deadlines.disk
    answer = pool.request("GET", url, timeout=_limits(engine), redirect=False, preload_content=False)
    try:
        if answer.status not in OK_ANSWERS:
            said = _said(answer.read(CHUNK))
            raise CheckFailed(
                "download-failed", f"the image daemon answered the download with HTTP {answer.status}: {said}"
            )
        body = bytearray()
        while chunk := answer.read(CHUNK):
            body += chunk
            if len(body) > size:
                raise CheckFailed(
                    "disk-too-long", f"the disk read back is longer than the {size} bytes it has"
                )
            if time.monotonic() > end:
                raise CheckFailed(
                    "download-failed", f"the download did not end in {engine.deadlines.disk:g} s"
                )
        return bytes(body)
    finally:
        answer.close()


def _said(data: bytes) -> str:
    return " ".join(data[:500].decode("utf-8", "replace").split())
