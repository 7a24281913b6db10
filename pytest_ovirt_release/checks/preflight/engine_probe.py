"""The engine: its certificate, clock, login and version, and whether it knows the nodes already."""

from __future__ import annotations

import ssl
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import urllib3

from pytest_ovirt_release.checks import tls
from pytest_ovirt_release.checks.engine import Engine
from pytest_ovirt_release.checks.preflight.findings import ENGINE, Finding, clock, installed, node_unknown
from pytest_ovirt_release.checks.tls_connection import pool as pool_to
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unproven
from pytest_ovirt_release.target.credentials import read_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_ovirt_release.checks.preflight.probe import Asked

HEALTH = "/ovirt-engine/services/health"
COMPONENT = "ovirt-engine"
PREFLIGHT = "preflight"
"""Stands for the run id: nothing is created under it."""


def look_at_engine(asked: Asked) -> Sequence[Finding]:
    """Return what was found of the engine; the first thing that does not work ends it."""
    return tuple(_look(asked))


def _look(asked: Asked) -> Iterator[Finding]:
    engine, seconds = asked.target.engine, asked.seconds
    try:
        facts = tls.check_server(engine.url, engine.ca_file, seconds, asked.met, engine.proxy)
    except (CheckFailed, Unproven, ReleaseError) as error:
        todo = f"check url and ca_file of [engine]; {tls.Endpoint.of(engine.url)} must be reachable from here"
        yield Finding("engine TLS", "wrong", str(error), todo, (ENGINE,))
        return
    yield Finding("engine TLS", "works", f"the CA verifies {facts.subject}, {facts.tls_version}")
    yield from _clock(asked)
    yield from _password(asked)
    quick = asked.target.deadlines.model_copy(update={"request": seconds})
    target = asked.target.model_copy(update={"deadlines": quick})
    try:
        with Engine(target, PREFLIGHT, asked.met, flag=asked.flag) as connected:
            yield Finding("engine login", "works", f"{engine.user} may log in")
            if wanted := asked.versions.get(COMPONENT):
                yield installed("engine version", connected.product().version, wanted, (ENGINE,))
            else:
                yield Finding("engine version", "works", connected.product().version)
            hosts = connected.hosts.list()
    except (Unproven, ReleaseError) as error:
        yield Finding("engine login", "wrong", str(error), "check user and password of [engine]", (ENGINE,))
        return
    for node in asked.target.nodes:
        yield node_unknown(node.name, node.address, hosts)


def _password(asked: Asked) -> Iterator[Finding]:
    """Warn of a password file that others can read; that it cannot be read is told by the login."""
    engine = asked.target.engine
    try:
        secret = read_secret(engine.password_file, engine.password_env, "the engine's password")
    except ReleaseError:
        return
    if secret.warning is not None:
        yield Finding("engine password", "not seen", secret.warning)


def _clock(asked: Asked) -> Iterator[Finding]:
    """Compare clocks by the date that every answer of the engine's web server carries."""
    engine = asked.target.engine
    context = ssl.create_default_context(cafile=str(engine.ca_file))
    before = time.time()
    try:
        with pool_to(context, engine.proxy) as pool:
            url = engine.url.split("/ovirt-engine", 1)[0] + HEALTH
            limit = urllib3.Timeout(total=asked.seconds)
            answer = pool.request("GET", url, timeout=limit, redirect=False, preload_content=False)
            answer.close()
            theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (urllib3.exceptions.HTTPError, ValueError, TypeError, OverflowError) as error:
        yield Finding("engine clock", "not seen", f"it does not tell its time: {error}")
        return
    # The header knows whole seconds only, and cuts them off.
    yield clock("engine clock", theirs, before - 1, time.time(), (ENGINE,))
