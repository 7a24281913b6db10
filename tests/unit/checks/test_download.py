"""Files are downloaded whole, hashed, in time, or not at all."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.download import (
    NotThere,
    TooLarge,
    addresses,
    download,
    download_any,
    local_name,
)
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

    monkeypatch.setattr("pytest_ovirt_release.checks.http_exchange.CONNECT_TIMEOUT", 0.2)
    web.answers["/f"] = late
    assert download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=10).size == 4


def test_a_silence_longer_than_the_read_timeout_ends_it(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say_nothing(handler: Handler) -> None:
        handler.closing.wait(20)

    monkeypatch.setattr("pytest_ovirt_release.checks.http_exchange.READ_TIMEOUT", 0.2)
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


# ---- continuing, mirrors -----------------------------------------------------------------------------------

BODY = bytes(range(256)) * 4000


class Breaking:
    """Serves BODY and closes the connection after `most` bytes; keeps what was asked for."""

    def __init__(self, most: int, etag: str = '"one"', *, ranges: bool = True) -> None:
        self.most, self.etag, self.ranges = most, etag, ranges
        self.asked: list[str | None] = []
        self.begins: list[int] = []

    def __call__(self, handler: Handler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        fits = self.ranges and wanted and handler.headers.get("If-Range") == self.etag
        at = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and fits else 0
        self.begins.append(at)
        headers = {"ETag": self.etag, "Content_Length": str(len(BODY) - at)}
        if at:
            headers["Content_Range"] = f"bytes {at}-{len(BODY) - 1}/{len(BODY)}"
        handler.send(BODY[at : at + self.most], 206 if at else 200, **headers)
        handler.close_connection = True


def test_a_file_that_breaks_off_is_continued_where_it_ended(web: Web, tmp_path: Path) -> None:
    answer = web.answers["/f"] = Breaking(400_000)
    got = download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY)
    assert (got.sha256, got.size) == (hashlib.sha256(BODY).hexdigest(), len(BODY))
    assert got.path.read_bytes() == BODY
    assert answer.begins == [0, 400_000, 800_000]


@pytest.mark.parametrize(("etag", "ranges"), [('W/"weak"', True), ('"one"', False)])
def test_a_file_that_cannot_be_continued_comes_again(
    web: Web, tmp_path: Path, etag: str, *, ranges: bool
) -> None:
    answer = Breaking(400_000, etag, ranges=ranges)

    def second_time_whole(handler: Handler) -> None:
        answer(handler)
        answer.most = len(BODY)

    web.answers["/f"] = second_time_whole
    got = download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY)
    assert got.path.read_bytes() == BODY
    assert got.sha256 == hashlib.sha256(BODY).hexdigest()
    assert answer.begins == [0, 0]


def test_a_file_that_was_exchanged_meanwhile_is_not_glued_together(web: Web, tmp_path: Path) -> None:
    answer = Breaking(400_000)

    def exchanged(handler: Handler) -> None:
        answer(handler)
        answer.etag, answer.most = '"two"', len(BODY)

    web.answers["/f"] = exchanged
    got = download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY)
    assert (answer.asked[1], answer.begins[1]) == ("bytes=400000-", 0)
    assert got.path.read_bytes() == BODY


def test_a_file_that_breaks_off_for_ever_is_given_up(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_ovirt_release.checks.download.PAUSE", 0.01)
    answer = web.answers["/f"] = Breaking(10)
    with pytest.raises(Unreachable, match="cannot be downloaded"):
        download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY)
    assert len(answer.begins) == 5
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("answered", ["bytes 7-1023999/1024000", "", "bytes */1024000"])
def test_another_part_than_the_missing_one_is_refused(web: Web, tmp_path: Path, answered: str) -> None:
    def answer(handler: Handler) -> None:
        if handler.headers.get("Range"):
            handler.send(BODY[7:], 206, Content_Range=answered)
        else:
            handler.send(BODY[:1000], 200, ETag='"one"', Content_Length=str(len(BODY)))
            handler.close_connection = True

    web.answers["/f"] = answer
    with pytest.raises(Unreachable, match="another part"):
        download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=MANY)
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_the_cap_counts_what_came_before_it_broke_off(web: Web, tmp_path: Path) -> None:
    web.answers["/f"] = Breaking(600_000)
    with pytest.raises(TooLarge):
        download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=len(BODY) - 1)
    assert download(f"{web.url}/f", tmp_path / "f", deadline=20, largest=len(BODY)).size == len(BODY)


def test_mirrors_are_asked_when_the_place_does_not_answer(web: Web, tmp_path: Path) -> None:
    web.answers["/a/f"] = lambda h: h.send(b"", 503)
    web.put("wrong/f", b"something else")
    web.put("good/f", BODY)
    urls = addresses(
        f"{web.url}/a/f",
        [
            (f"{web.url}/a", [f"{web.url}/none/", f"{web.url}/wrong", f"{web.url}/good"]),
            ("http://h/b", ["x"]),
        ],
    )
    assert urls[1:] == [f"{web.url}/none/f", f"{web.url}/wrong/f", f"{web.url}/good/f"]
    digest = hashlib.sha256(BODY).hexdigest()
    got = download_any(urls, tmp_path / "f", deadline=20, largest=MANY, sha256=digest)
    assert (got.sha256, got.url) == (digest, urls[3])
    with pytest.raises(Unreachable, match=r"HTTP 503.*nothing at.*other bytes"):
        download_any(urls[:3], tmp_path / "g", deadline=20, largest=MANY, sha256=digest)
    assert not (tmp_path / "g").exists()


def test_only_the_place_itself_says_that_a_file_is_not_there(web: Web, tmp_path: Path) -> None:
    mirror = web.put("mirror/f", b"x")
    with pytest.raises(NotThere):
        download_any([f"{web.url}/a/f", mirror], tmp_path / "f", deadline=20, largest=10)
