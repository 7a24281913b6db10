"""The TLS check against real servers: each wrong certificate gets its own code, the right one its facts."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme

from pytest_ovirt_release.checks import tls
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable
from tests.unit.checks.leaves import unreadable, without_alternative_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE = 10.0


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA(organization_name="pytest-ovirt-release lab")


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


class Met(list[tuple[str, str]]):
    def __call__(self, where: str, text: str) -> None:
        self.append((where, text))


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve each connection by `talk`, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    try:
                        talk(connection)
                    except OSError:
                        continue  # the client does not like us: that is the point of most tests

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.getsockname()[1]}/ovirt-engine/api"
        finally:
            over.set()
            thread.join(10)


def shaking_hands(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(1)

    return talk


@contextmanager
def server_with(leaf: trustme.LeafCert) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    with listening(shaking_hands(context)) as url:
        yield url


def failure(url: str, ca_file: Path, met: Met | None = None) -> CheckFailed:
    with pytest.raises(CheckFailed) as failed:
        tls.check_server(url, ca_file, DEADLINE, Met() if met is None else met)
    return failed.value


def test_a_good_certificate_gives_its_facts(ca: trustme.CA, ca_file: Path) -> None:
    met = Met()
    with server_with(ca.issue_cert("127.0.0.1", "localhost")) as url:
        facts = tls.check_server(url, ca_file, DEADLINE, met)
    assert facts.issuer.startswith("O=pytest-ovirt-release lab, OU=")
    assert set(facts.names) == {"DNS:localhost", "IP Address:127.0.0.1"}
    assert facts.tls_version in {"TLSv1.2", "TLSv1.3"}
    assert len(facts.sha256) == 64
    assert facts.days_left(facts.not_after - dt.timedelta(days=3)) == 3
    assert "without the CA our client refuses" in facts.self_check
    assert {text.partition(",")[0] for _, text in met} == {"O=pytest-ovirt-release lab"}
    assert met[0][0] == "CA file ca.pem"


def test_a_certificate_of_another_ca(ca_file: Path) -> None:
    stranger = trustme.CA(organization_name="Somebody Else")
    met = Met()
    with server_with(stranger.issue_cert("127.0.0.1")) as url:
        failed = failure(url, ca_file, met)
    assert failed.code == "ca-does-not-verify"
    assert "O=Somebody Else" in str(failed)
    assert any("Somebody Else" in text for where, text in met if where.startswith("TLS"))


def test_a_certificate_for_another_name(ca: trustme.CA, ca_file: Path) -> None:
    with server_with(ca.issue_cert("127.0.0.2", "engine.example")) as url:
        assert failure(url, ca_file).code == "wrong-name"


def test_a_common_name_is_no_host_name(ca: trustme.CA, ca_file: Path) -> None:
    """OpenSSL alone would take CN=localhost for the host where there is no subjectAltName."""
    with server_with(without_alternative_name(ca, "localhost")) as url:
        assert failure(url.replace("127.0.0.1", "localhost"), ca_file).code == "no-alternative-name"


def test_a_certificate_that_only_openssl_can_read_is_refused_all_the_same(ca_file: Path) -> None:
    with server_with(unreadable(trustme.CA(), "127.0.0.1")) as url:
        failed = failure(url, ca_file)
    assert failed.code == "ca-does-not-verify"
    assert "cannot be read in full" in str(failed)


def test_an_expired_certificate(ca: trustme.CA, ca_file: Path) -> None:
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    leaf = ca.issue_cert("127.0.0.1", not_before=past - dt.timedelta(days=9), not_after=past)
    with server_with(leaf) as url:
        failed = failure(url, ca_file)
    assert failed.code == "expired"
    assert f"to {past:%Y-%m-%d}" in str(failed)


def test_a_certificate_of_tomorrow(ca: trustme.CA, ca_file: Path) -> None:
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    leaf = ca.issue_cert("127.0.0.1", not_before=tomorrow, not_after=tomorrow + dt.timedelta(days=9))
    with server_with(leaf) as url:
        assert failure(url, ca_file).code == "not-yet-valid"


def test_a_server_that_speaks_only_old_tls(ca: trustme.CA, ca_file: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with listening(shaking_hands(context)) as url:
        assert failure(url, ca_file).code == "tls-too-old"


def test_plain_http_on_the_port(ca_file: Path) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.recv(100)

    with listening(talk) as url:
        assert failure(url, ca_file).code == "no-tls"


def test_a_server_that_accepts_and_is_silent(ca_file: Path) -> None:
    over = threading.Event()

    def talk(_: socket.socket) -> None:
        over.wait(20)

    with listening(talk) as url:
        try:
            with pytest.raises(Unreachable, match="does not finish the handshake"):
                tls.check_server(url, ca_file, 0.3, Met())
        finally:
            over.set()


def test_a_server_that_hangs_up(ca_file: Path) -> None:
    with listening(lambda _: None) as url, pytest.raises(Unreachable, match="dropped the connection"):
        tls.check_server(url, ca_file, DEADLINE, Met())


def test_a_closed_port(ca_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match=f"nothing answers at 127.0.0.1:{port}"):
        tls.check_server(f"https://127.0.0.1:{port}/", ca_file, DEADLINE, Met())


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n"])
def test_a_ca_file_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReleaseError, match=r"engine\.ca_file .*ca\.pem"):
        tls.check_server("https://127.0.0.1:1/", path, DEADLINE, Met())


def test_a_ca_file_that_holds_no_ca(ca: trustme.CA, tmp_path: Path) -> None:
    ca.issue_cert("127.0.0.1").cert_chain_pems[0].write_to_path(tmp_path / "ca.pem")
    with pytest.raises(ReleaseError, match="no CA certificate in it"):
        tls.check_server("https://127.0.0.1:1/", tmp_path / "ca.pem", DEADLINE, Met())


@pytest.mark.parametrize("url", ["http://engine/", "engine", "https:///api"])
def test_an_address_that_is_not_https(url: str) -> None:
    with pytest.raises(ReleaseError, match="https://HOST"):
        tls.Endpoint.of(url)


def test_a_pair_of_files_that_verify_each_other(ca: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    leaf = written(ca.issue_cert("127.0.0.1", "engine.example"), tmp_path)
    facts = tls.verify_pair(ca_file, leaf, "127.0.0.1")
    assert facts == tls.verify_pair(ca_file, leaf, "engine.example")
    assert "pytest-ovirt-release lab" in facts.ca_subject
    assert set(facts.names) == {"DNS:engine.example", "IP Address:127.0.0.1"}


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ("ca missing", "ca-missing"),
        ("certificate missing", "certificate-missing"),
        ("ca is text", "ca-unreadable"),
        ("certificate is text", "certificate-unreadable"),
        ("other ca", "ca-does-not-verify"),
        ("other host", "wrong-name"),
        ("expired", "expired"),
        ("no alternative name", "no-alternative-name"),
        ("ca as its own certificate", "no-alternative-name"),
    ],
)
def test_a_pair_of_files_that_do_not(
    ca: trustme.CA, ca_file: Path, tmp_path: Path, broken: str, code: str
) -> None:
    leaf = written(ca.issue_cert("127.0.0.1"), tmp_path)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    match broken:
        case "ca missing":
            ca_file.unlink()
        case "certificate missing":
            leaf.unlink()
        case "ca is text":
            ca_file.write_text("hello")
        case "certificate is text":
            leaf.write_text("hello")
        case "other ca":
            trustme.CA().cert_pem.write_to_path(ca_file)
        case "other host":
            leaf = written(ca.issue_cert("192.0.2.1"), tmp_path)
        case "expired":
            leaf = written(
                ca.issue_cert("127.0.0.1", not_before=past - dt.timedelta(days=9), not_after=past), tmp_path
            )
        case "no alternative name":
            leaf = written(without_alternative_name(ca, "127.0.0.1"), tmp_path)
        case "ca as its own certificate":
            leaf = ca_file
    with pytest.raises(CheckFailed) as failed:
        tls.verify_pair(ca_file, leaf, "127.0.0.1")
    assert failed.value.code == code


def written(leaf: trustme.LeafCert, folder: Path) -> Path:
    path = folder / "engine.cer"
    leaf.cert_chain_pems[0].write_to_path(path)
    return path
