"""Old TLS versions: refused, offered, or honestly inconclusive; and an engine that hands out nonsense about itself."""

from __future__ import annotations

import contextlib
import socket
import ssl
import warnings
from typing import TYPE_CHECKING

import pytest
import trustme

from pytest_ovirt_release.checks import pki_resource, tls, tls_old
from pytest_ovirt_release.checks.tls_old import refuse_old_tls
from pytest_ovirt_release.errors import CheckFailed, Unreachable
from tests.corpus.tls_cases import self_made
from tests.unit.checks.test_tls import DEADLINE, Met, listening, shaking_hands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_ovirt_release.checks.tls import Endpoint


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def speaking(ca: trustme.CA, oldest: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[oldest]
    return context


@pytest.fixture
def endpoint_of(ca: trustme.CA) -> Iterator[Callable[[str], Endpoint]]:

    with contextlib.ExitStack() as servers:

        def start(oldest: str) -> Endpoint:
            talk = shaking_hands(speaking(ca, oldest))
            return tls.Endpoint.of(servers.enter_context(listening(talk)))

        yield start


def test_a_server_of_today_refuses_both(endpoint_of: Callable[[str], Endpoint]) -> None:
    assert refuse_old_tls(endpoint_of("TLSv1_2"), DEADLINE) == {"TLSv1": "refused", "TLSv1_1": "refused"}


@pytest.mark.parametrize(
    ("oldest", "says"), [("TLSv1", r"TLSv1 and TLSv1\.1"), ("TLSv1_1", r"speaks TLSv1\.1;")]
)
def test_a_server_of_yesterday(endpoint_of: Callable[[str], Endpoint], oldest: str, says: str) -> None:
    with pytest.raises(CheckFailed, match=says) as failed:
        refuse_old_tls(endpoint_of(oldest), DEADLINE)
    assert failed.value.code == "old-tls-offered"


def test_a_library_that_cannot_offer_them_makes_it_inconclusive(
    endpoint_of: Callable[[str], Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under a system's policy: the server does speak TLS 1.0, and that we failed must not read as its refusal."""
    usual = tls_old._only

    def forbidden(version: str) -> ssl.SSLContext:
        context = usual(version)
        context.set_ciphers("DEFAULT:@SECLEVEL=2")
        return context

    monkeypatch.setattr(tls_old, "_only", forbidden)
    found = refuse_old_tls(endpoint_of("TLSv1"), DEADLINE)
    assert all(answer.startswith("inconclusive: ") for answer in found.values()), found


def test_a_server_that_hangs_up_or_is_gone_is_inconclusive() -> None:
    with listening(socket.socket.close) as url:
        found = refuse_old_tls(tls.Endpoint.of(url), DEADLINE)
    assert all(answer.startswith("inconclusive: ") for answer in found.values()), found
    assert refuse_old_tls(tls.Endpoint.of(url), DEADLINE)["TLSv1"].startswith("inconclusive: nothing answers")


def test_a_certificate_that_is_its_own_ca(tmp_path: Path) -> None:
    """A target that names the server's own certificate as CA would prove nothing: any server could do so."""
    chain, trusted = tmp_path / "chain.pem", tmp_path / "ca.pem"
    pem = self_made(ca=True)
    chain.write_bytes(pem)
    trusted.write_bytes(pem[pem.index(b"-----BEGIN CERT") :])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with listening(shaking_hands(context)) as url, pytest.raises(CheckFailed) as failed:
        tls.check_server(url.replace("127.0.0.1", "localhost"), trusted, DEADLINE, Met())
    assert failed.value.code == "self-signed"


def answering(ca: trustme.CA, answer: bytes, *, endless: bool = False) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(answer)
            while endless:
                secure.sendall(b"x" * 65536)

    return talk


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.0 404 Not Found\r\n\r\n", "pki-resource-missing"),
        (b"HTTP/1.0 302 Found\r\nLocation: https://elsewhere/\r\n\r\n", "pki-resource-missing"),
        (b"HTTP/1.0 200 OK\r\n\r\n", "pki-resource-broken"),
        (b"HTTP/1.0 200 OK\r\n\r\n\xff\xfe", "pki-resource-broken"),
        (
            b"HTTP/1.0 200 OK\r\n\r\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "pki-resource-broken",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "unreachable"),
        (b"", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "unreachable"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nshort", "unreachable"),
    ],
)
def test_answers_of_the_engine_that_are_none(
    ca: trustme.CA, tmp_path: Path, answer: bytes, code: str
) -> None:
    trusted = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(trusted)
    with listening(answering(ca, answer)) as url, pytest.raises((CheckFailed, Unreachable)) as failed:
        pki_resource.check_pki_resource(url, trusted, DEADLINE)
    assert getattr(failed.value, "code", "unreachable") == code


def test_an_answer_without_an_end_is_left(ca: trustme.CA, tmp_path: Path) -> None:
    trusted = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(trusted)
    talk = answering(ca, b"HTTP/1.0 200 OK\r\n\r\n", endless=True)
    with listening(talk) as url, pytest.raises(CheckFailed, match="answers more than"):
        pki_resource.check_pki_resource(url, trusted, DEADLINE)
