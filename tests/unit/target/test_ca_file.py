"""The engine's CA: fetched once, and worth nothing but by its pinned fingerprint."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.target.ca_file import RESOURCE, ensure_ca, fetch_ca, fingerprint
from pytest_ovirt_release.target.model import EngineTarget
from tests.unit.checks.small_engine import Answer, SmallEngine, serving


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def engine(ca: trustme.CA) -> Iterator[SmallEngine]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    with serving(context) as served:
        served.on(f"GET {RESOURCE}", Answer(body=ca.cert_pem.bytes().decode()))
        yield served


def target(engine: SmallEngine, folder: Path, pin: str | None) -> EngineTarget:
    return EngineTarget(url=engine.url, ca_file=folder / "ca.pem", ca_sha256=pin, password_env="PW")


def test_it_is_fetched_once_and_kept(engine: SmallEngine, ca: trustme.CA, tmp_path: Path) -> None:
    pem = ca.cert_pem.bytes()
    named = target(engine, tmp_path, fingerprint(pem))
    ensure_ca(named, 5)
    ensure_ca(named, 5)
    assert (tmp_path / "ca.pem").read_bytes() == pem
    assert engine.asked(f"GET {RESOURCE}") == 1


def test_another_ca_than_the_pinned_one_is_refused_and_not_kept(engine: SmallEngine, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="but the target file pins 0000"):
        ensure_ca(target(engine, tmp_path, "0" * 64), 5)
    assert not (tmp_path / "ca.pem").exists()


def test_a_file_that_is_there_is_held_against_the_pin_too(engine: SmallEngine, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    with pytest.raises(ReleaseError, match=r"engine.ca_file .* has the SHA-256"):
        ensure_ca(target(engine, tmp_path, "0" * 64), 5)
    ensure_ca(target(engine, tmp_path, None), 5)
    assert engine.requests == []


@pytest.mark.parametrize("body", ["", "<html>", "twice", "-----BEGIN CERTIFICATE-----\n???"])
def test_what_is_no_ca_is_refused(engine: SmallEngine, ca: trustme.CA, body: str) -> None:
    said = 2 * ca.cert_pem.bytes().decode() if body == "twice" else body
    engine.on(f"GET {RESOURCE}", Answer(body=said))
    with pytest.raises(Unreachable, match="not one CA certificate"):
        fetch_ca(engine.url, 5)


def test_an_engine_that_is_silent_is_given_up(engine: SmallEngine) -> None:
    engine.on(f"GET {RESOURCE}", Answer(seconds=30))
    start = time.monotonic()
    with pytest.raises(Unreachable, match="does not give its CA"):
        fetch_ca(engine.url, 0.3)
    assert time.monotonic() - start < 5
