"""Files are downloaded whole, hashed, in time, or not at all."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.download import NotThere, TooLarge, download, local_name
from pytest_ovirt_release.errors import ReleaseError, Unreachable
from tests.unit.checks.web import Handler, Web, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = 10_000_000


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "site").mkdir()
    yield from running(tmp_path / "site")


def test_a_file_arrives_with_its_digest_and_date(web: Web, tmp_path: Path) -> None:
    body = b"release " * 100_000
    web.answers["/f"] = lambda h: h.send(body, Last_Modified="Tue, 10 Jan 2012 12:00:00 GMT")
    got = download(f"{web.url}/f", tmp_path / "new" / "f", deadline=20, largest=MANY)
    assert got.path.read_bytes() == body
    assert (got.sha256, got.size) == (hashlib.sha256(body).hexdigest(), len(body))
    assert got.last_modified == datetime(2012, 1, 10, 12, tzinfo=UTC)
    assert [p.name for p in got.path.parent.iterdir()] == ["f"]


def test_an_encoded_body_is_kept_as_it_was_sent(web: Web, tmp_path: Path) -> None:
    web.answers["/f"] = lambda h: h.send(b"\x1f\x8bnot really gzip", Content_Encoding="gzip")
    assert download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY).size == 17


@pytest.mark.parametrize("status", [404, 410])
def test_nothing_there(web: Web, tmp_path: Path, status: int) -> None:
    web.answers["/f"] = lambda h: h.send(b"gone", status)
    with pytest.raises(NotThere, match=f"HTTP {status}"):
        download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY)
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("status", [403, 500, 503, 206])
def test_another_answer_says_nothing_about_the_file(web: Web, tmp_path: Path, status: int) -> None:
    web.answers["/f"] = lambda h: h.send(b"no", status)
    with pytest.raises(Unreachable, match=f"HTTP {status}"):
        download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY)


def test_a_declared_and_a_secret_excess_are_both_refused(web: Web, tmp_path: Path) -> None:
    def secret(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"x" * 5000)

    web.answers["/declared"] = lambda h: h.send(b"x" * 5000)
    web.answers["/secret"] = secret
    for name in ("declared", "secret"):
        with pytest.raises(TooLarge) as caught:
            download(f"{web.url}/{name}", tmp_path / name, deadline=20, largest=4999)
        assert caught.value.code == "file-too-large"
    assert download(f"{web.url}/secret", tmp_path / "fits", deadline=20, largest=5000).size == 5000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fits", "site"]


def test_a_body_cut_short_is_not_a_file(web: Web, tmp_path: Path) -> None:
    web.answers["/f"] = lambda h: h.send(b"half", Content_Length="8")
    with pytest.raises(Unreachable, match="cannot be downloaded"):
        download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY)
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("where", ["head", "body", "body-of-unknown-length", "silence"])
def test_a_trickle_ends_at_the_total_deadline(web: Web, tmp_path: Path, where: str) -> None:
    def trickle(handler: Handler) -> None:
        if where == "silence":
            handler.closing.wait(20)
            return
        first = b"HTTP/1.1 200 OK\r\n"
        if where == "body":
            first += b"Content-Length: 100000\r\n\r\n"
        elif where == "body-of-unknown-length":
            first += b"\r\n"
        handler.wfile.write(first)
        for _ in range(400):
            if handler.closing.wait(0.05):
                return
            try:
                handler.wfile.write(b"x")
            except OSError:
                return

    web.answers["/f"] = trickle
    started = time.monotonic()
    with pytest.raises(Unreachable, match="did not arrive within its deadline"):
        download(f"{web.url}/f", tmp_path / "f", deadline=0.4, largest=MANY)
    assert time.monotonic() - started < 10
    assert not (tmp_path / "f").exists()


def test_a_silence_longer_than_the_connect_timeout_is_waited_out(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(handler: Handler) -> None:
        handler.closing.wait(0.5)
        handler.send(b"late")

    monkeypatch.setattr("pytest_ovirt_release.checks.download.CONNECT_TIMEOUT", 0.2)
    web.answers["/f"] = late
    assert download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=10).size == 4


def test_a_silence_longer_than_the_read_timeout_ends_it(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say_nothing(handler: Handler) -> None:
        handler.closing.wait(20)

    monkeypatch.setattr("pytest_ovirt_release.checks.download.READ_TIMEOUT", 0.2)
    web.answers["/f"] = say_nothing
    with pytest.raises(Unreachable, match="cannot be downloaded"):
        download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=10)


def test_redirects_are_followed_a_few_times_and_never_off_http(web: Web, tmp_path: Path) -> None:
    web.answers["/a"] = lambda h: h.send(b"", 302, Location="/b")
    web.answers["/b"] = lambda h: h.send(b"", 301, Location=f"{web.url}/c")
    web.put("c", b"here")
    download(f"{web.url}/a", tmp_path / "f", deadline=20, largest=10)
    assert (tmp_path / "f").read_bytes() == b"here"
    web.answers["/loop"] = lambda h: h.send(b"", 302, Location="/loop")
    with pytest.raises(Unreachable, match="redirects more than"):
        download(f"{web.url}/loop", tmp_path / "g", deadline=20, largest=10)
    web.answers["/file"] = lambda h: h.send(b"", 302, Location="file:///etc/passwd")
    with pytest.raises(ReleaseError, match="http:// or https://"):
        download(f"{web.url}/file", tmp_path / "g", deadline=20, largest=10)
    web.answers["/nowhere"] = lambda h: h.send(b"", 302)
    with pytest.raises(Unreachable, match="redirects to nowhere"):
        download(f"{web.url}/nowhere", tmp_path / "g", deadline=20, largest=10)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/f", "/etc/passwd", "http:///f", "-o"])
def test_other_addresses_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="http:// or https://"):
        download(url, tmp_path / "f", deadline=5, largest=10)


def test_a_closed_port_is_unreachable(web: Web, tmp_path: Path) -> None:
    url = web.url
    web.close()
    with pytest.raises(Unreachable, match="cannot be downloaded"):
        download(f"{url}/f", tmp_path / "f", deadline=5, largest=10)


def test_a_place_that_cannot_be_written_is_a_mistake_to_mend(web: Web, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    web.put("f", b"x")
    with pytest.raises(ReleaseError, match="cannot be written"):
        download(f"{web.url}/f", tmp_path / "file" / "f", deadline=5, largest=10)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/a/vdsm-4.9.tar.gz?x=/y", "vdsm-4.9.tar.gz"),
        ("http://h/..", ""),
        ("http://h/.x y", "x_y"),
        ("http://h/", ""),
    ],
)
def test_a_local_name_is_plain(url: str, name: str) -> None:
    assert local_name(url) == name or (not name and len(local_name(url)) == 16)
