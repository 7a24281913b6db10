"""SSO, the 401 pages, and what needs no login."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import ovirtsdk4 as sdk
import pytest

from pytest_ovirt_release.target.brand import is_lab
from tests.lab.engine.fakes import PASSWORD, Bench
from tests.lab.engine.http import Http

WHO = {"grant_type": "password", "scope": "ovirt-app-api", "username": "admin@internal", "password": PASSWORD}
API_NEEDS = [
    *("ovirt-ext=token-info:authz-search", "ovirt-ext=token-info:public-authz-search"),
    *("ovirt-ext=token-info:validate", "ovirt-ext=token:password-access"),
]
UNAUTHORIZED = "<html><head><title>Error</title></head><body>Unauthorized</body></html>"
EXPIRED = "invalid_grant: The provided authorization grant for the auth code has expired."
WRONG = (
    "Cannot authenticate user 'admin@internal': Unable to log in. Verify your login information or contact the "
    "system administrator.."
)


def test_the_sdk_logs_in_and_finds_the_brand(connection: sdk.Connection) -> None:
    product = connection.system_service().get().product_info
    assert is_lab(product.name)
    assert (product.version.major, product.version.minor, product.version.full_version) == (
        4,
        5,
        "4.5.8-1.el9",
    )


def test_a_token_is_86_characters_and_lives_until_logout(reader: Http) -> None:
    status, answer = reader.token(**WHO)
    assert status == 200
    assert len(answer["access_token"]) == 86
    assert answer["token_type"] == "bearer"
    assert answer["exp"].isdecimal()
    assert answer["scope"].startswith("ovirt-app-api ovirt-ext=token-info:authz-search")
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert reader("GET", "/ovirt-engine/api", headers=bearer).status == 200
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    logout = reader("POST", "/ovirt-engine/services/sso-logout", f"token={answer['access_token']}", form)
    assert (logout.status, logout.text) == (200, "{ }")
    after = reader("GET", "/ovirt-engine/api", headers=bearer)
    assert (after.status, EXPIRED in after.text) == (401, True)


@pytest.mark.parametrize(
    ("asked", "more"),
    [
        ("", []),
        ("bogus", ["bogus"]),
        ("bogus ovirt-app-api", ["bogus", "ovirt-app-api", *API_NEEDS]),
        ("ovirt-app-admin", ["ovirt-app-admin", "ovirt-app-api", "ovirt-ext=revoke:revoke-all", *API_NEEDS]),
    ],
)
def test_a_scope_brings_what_it_needs(reader: Http, asked: str, more: list[str]) -> None:
    status, answer = reader.token(**WHO | {"scope": asked})
    assert (status, answer["scope"].split()) == (200, more)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"password": "wrong"}, {"error_code": "access_denied", "error": WRONG}),
        ({"password": "wrong", "scope": ""}, {"error": "access_denied", "error_description": WRONG}),
        (
            {"username": "admin"},
            {
                "error_code": "access_denied",
                "error": "Cannot authenticate user 'admin@N/A': No valid profile found in credentials..",
            },
        ),
        (
            {"grant_type": "bogus"},
            {
                "error_code": "unsupported_grant_type",
                "error": "The authorization grant type is not supported by the authorization server.",
            },
        ),
        (
            {"accept": "*/*"},
            {"error_code": "invalid_request", "error": "Missing parameter: 'Accept Header'"},
        ),
    ],
)
def test_a_refused_login_says_what_the_engine_says(
    reader: Http, change: dict[str, str], answer: dict[str, str]
) -> None:
    assert reader.token(**(WHO | change)) == (400, answer)


def test_a_wrong_password_costs_five_scaled_seconds(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    waits: list[float] = []

    async def remember(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(seconds / 200)

    bench.engine.core.sleep = remember  # type: ignore[method-assign] # its waits are what is looked at
    client = Http(bench)
    client.token(**(WHO | {"password": "wrong"}))
    client.pool.clear()
    assert 5.0 in waits


def test_the_sdk_calls_a_wrong_password_an_auth_error(bench: Bench) -> None:
    connection = bench.connection(password="wrong")
    with pytest.raises(sdk.AuthError, match="Error during SSO authentication access_denied"):
        connection.system_service().get()
    connection.close()


def test_no_credentials_are_answered_by_the_container(reader: Http) -> None:
    answer = reader("GET", "/ovirt-engine/api/vms", headers={"Accept": "application/xml"})
    assert (answer.status, answer.text) == (401, UNAUTHORIZED)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="RESTAPI"'
    assert answer.headers["Content-Type"] == "text/html;charset=UTF-8"
    assert "Correlation-Id" not in answer.headers


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Bearer nobody-knows-this", EXPIRED),
        (
            "Basic bm90LWJhc2U2NA",
            "access_denied: Cannot authenticate user '@N/A': No user name found in credentials..",
        ),
        ("Digest x", "Unauthorized"),
    ],
)
def test_bad_credentials_put_the_reason_in_the_page(reader: Http, value: str, reason: str) -> None:
    answer = reader("GET", "/ovirt-engine/api", headers={"Authorization": value})
    assert answer.status == 401
    assert f"<body>{reason}</body>" in answer.text


def test_health_and_certificates_need_no_login(http: Http, bench: Bench) -> None:
    health = http("GET", "/ovirt-engine/services/health")
    assert (health.text, health.headers["Content-Type"]) == (
        "DB Up!Welcome to Health Status!",
        "text/html;charset=ISO-8859-1",
    )
    ca = http("GET", "/ovirt-engine/services/pki-resource?resource=ca-certificate")
    assert ca.headers["Content-Type"] == "application/x-x509-ca-cert; charset=ISO-8859-1"
    lines = ca.text.splitlines()
    assert {len(line) for line in lines[1:-2]} == {76}
    assert "".join(lines[1:-1]) in bench.ca_file.read_text(encoding="utf-8").replace("\n", "")
    key = http(
        "GET",
        "/ovirt-engine/services/pki-resource?resource=engine-certificate&format=OPENSSH-PUBKEY&alias=me",
    )
    assert key.text == bench.ssh.public_key.replace("ovirt-engine", "me")
    for query, text in (
        ("", "Missing resource name"),
        ("?resource=x", "Resource 'x' is invalid"),
        ("?resource=ca-certificate&format=x", "Format 'x' is invalid"),
    ):
        bad = http("GET", f"/ovirt-engine/services/pki-resource{query}")
        assert (bad.status, f"<body>{text}</body>" in bad.text) == (400, True)
    assert http("POST", "/ovirt-engine/services/health").status == 405


def test_under_ca_mismatch_the_engine_cannot_be_verified(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench("ca-mismatch")
    connection = bench.connection()
    with pytest.raises(sdk.Error, match="60"):
        connection.system_service().get()
