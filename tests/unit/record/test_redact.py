"""A known secret is masked in every form that libraries print it in."""

from __future__ import annotations

import base64

import pytest

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.record.redact import Redactor

SECRET = "pä ss?>w/ord"
USERS = ("a", "ad", "adm", "admin@internal")


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_masked_inside_basic_credentials(user: str, encode: object) -> None:
    redact = Redactor()
    redact.add(SECRET)
    assert callable(encode)
    code = encode(f"{user}:{SECRET}".encode()).decode()
    clean = redact(code)
    assert "***" in clean
    assert len(clean) < len(code) - len(SECRET)


@pytest.mark.parametrize("form", [ascii(SECRET), repr(SECRET.encode()), SECRET.encode().hex()])
def test_a_secret_is_masked_as_python_prints_it(form: str) -> None:
    redact = Redactor()
    redact.add(SECRET)
    assert "***" in redact(form)


def test_a_secret_too_short_to_hide_is_a_mistake_of_the_tester() -> None:
    with pytest.raises(ReleaseError, match="fewer than 4 characters"):
        Redactor().add("abc")
