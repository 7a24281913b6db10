"""A secret is read from where the target says, and shows itself only when asked by name."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.target.credentials import Secret, read_secret

WHAT = "the engine's password"


def test_no_text_form_shows_the_secret() -> None:
    secret = Secret("hunter2")
    for text in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>9}",
        f"{secret!r}",
        repr([secret]),
    ):
        assert "hunter2" not in text
        assert "***" in text
    assert secret.reveal() == "hunter2"


def test_a_secret_is_not_pickled_or_copied_away() -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret("hunter2"))
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.deepcopy(Secret("hunter2"))


def test_the_first_line_of_the_file_is_the_password(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.touch(mode=0o600)
    path.write_bytes("pässword \r\nsecond\n".encode())
    secret = read_secret(path, None, WHAT)
    assert secret.reveal() == "pässword "
    assert secret.warning is None


def test_a_file_that_others_can_read_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_text("hunter2")
    path.chmod(0o644)
    assert read_secret(path, None, WHAT).warning == f"{WHAT}: {path} can be read by others; chmod 600 {path}"


def test_a_password_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_PASSWORD", "hunter2")
    assert read_secret(None, "OUR_PASSWORD", WHAT).reveal() == "hunter2"
    monkeypatch.delenv("OUR_PASSWORD")
    with pytest.raises(ReleaseError, match="environment variable OUR_PASSWORD is not set or empty"):
        read_secret(None, "OUR_PASSWORD", WHAT)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\nhunter2", "is empty"),
        (b"hunter2\xff", "is not UTF-8"),
        (b"hunter2" * 999, "is larger"),
    ],
    ids=["empty", "empty line", "binary", "large"],
)
def test_a_bad_file_is_told_without_its_content(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "pw"
    path.write_bytes(content)
    with pytest.raises(ReleaseError) as caught:
        read_secret(path, None, WHAT)
    assert str(caught.value).startswith(f"{WHAT}: {path} {sentence}")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_file_or_source_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="cannot be read: No such file or directory"):
        read_secret(tmp_path / "pw", None, WHAT)
    with pytest.raises(ReleaseError, match="is no regular file"):
        read_secret(tmp_path, None, WHAT)
    for file, variable in ((None, None), (tmp_path, "X")):
        with pytest.raises(ReleaseError, match="give exactly one of password_file and password_env"):
            read_secret(file, variable, WHAT)
