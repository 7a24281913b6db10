"""The engine as the checks see it: groups of operations over one session."""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from pytest_ovirt_release.checks import waiting
from pytest_ovirt_release.checks.engine.events import Events
from pytest_ovirt_release.checks.engine.facts import Correlation, ProductInfo
from pytest_ovirt_release.checks.engine.hosts import Hosts
from pytest_ovirt_release.checks.engine.repeating import Patience
from pytest_ovirt_release.checks.engine.session import Session
from pytest_ovirt_release.checks.engine.storage import Storage
from pytest_ovirt_release.checks.engine.vms import Vms
from pytest_ovirt_release.checks.ledger import correlation_id
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.target.credentials import read_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from pytest_ovirt_release.target.model import Target


class Engine:
    """One engine, as one user; every thread gets a login of its own.

    `met(where, text)` is told what stands behind the address (CA subject, product_info) before anything else
    is asked. `flag` ends requests and waits early; removal passes one that nobody sets.
    """

    def __init__(
        self,
        target: Target,
        run_id: str,
        met: Callable[[str, str], None],
        *,
        flag: threading.Event | None = None,
    ) -> None:
        """Read the password and the CA; nothing is sent yet. ReleaseError when one of them cannot be read."""
        self.target = target
        self.run_id = run_id
        self.flag = waiting.stop if flag is None else flag
        self.deadlines = target.deadlines
        self.met = met
        self.correlations: list[Correlation] = []
        self._product: ProductInfo | None = None
        self._lock = threading.Lock()
        self._ca_subjects = ca_subjects(target.engine.ca_file)
        password = read_secret(
            target.engine.password_file, target.engine.password_env, "the engine's password"
        )
        self._session = Session(
            url=target.engine.url.rstrip("/"),
            user=target.engine.user,
            password=password.reveal(),
            ca_file=str(target.engine.ca_file),
            seconds=target.deadlines.request,
            flag=self.flag,
            proxy=target.engine.proxy or "",
        )
        self._patience = Patience(target.deadlines.restart, self.flag)
        self.hosts = Hosts(self._call, self._correlation, target.deadlines)
        self.storage = Storage(self._call, self._correlation, target.deadlines)
        self.vms = Vms(self._call, self._correlation, target.deadlines)
        self.events = Events(self._call)

    def __enter__(self) -> Self:
        """Log in, so that a wrong password or CA is told once, before any check begins."""
        self.product()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out; never fails and takes seconds at most."""
        self._session.close()

    @property
    def logins(self) -> int:
        """How many sessions were opened so far."""
        return self._session.logins

    @property
    def unanswered(self) -> int:
        """How many requests got no usable answer so far."""
        return self._patience.unanswered

    @property
    def base(self) -> str:
        """The engine's address without the API path: `https://engine.example:443`."""
        return self.target.engine.url.split("/ovirt-engine", 1)[0].rstrip("/")

    def product(self) -> ProductInfo:
        """Return name and version of the engine; the first call tells `met` who answered."""
        with self._lock:
            if self._product is None:
                self.met("ca", "; ".join(self._ca_subjects))
                info = self._session.call("say who it is", lambda system: system.get().product_info)
                version = info.version.full_version if info.version is not None else None
                self._product = ProductInfo(info.name or "", info.vendor or "", version or "unknown")
                known = (self._product.name, self._product.vendor, self._product.version)
                self.met("engine", " ".join(part for part in known if part))
            return self._product

    def _call(
        self,
        request: str,
        ask: Callable[[Any], Any],
        *,
        seconds: float | None = None,
        correlation: str | None = None,
    ) -> Any:  # noqa: ANN401 - each group reads what comes back into records of ours
        self.product()
        return self._patience.ask(
            lambda: self._session.call(request, ask, seconds=seconds, correlation=correlation),
            changes=correlation is not None,  # every change carries one, no question does
        )

    def said(self) -> list[str]:
        """Return the engine's newest events of our own requests, oldest first; Unreachable when it does not answer."""
        ours = {correlation.id for correlation in self.correlations}
        return [str(event) for event in self.events.newest() if event.correlation in ours]

    def _correlation(self, what: str) -> str:
        made = correlation_id(self.run_id, what)
        self.correlations.append(Correlation(made, datetime.now(UTC)))
        return made


def ca_subjects(ca_file: Path) -> tuple[str, ...]:
    """Return the subject of every CA in a PEM file; ReleaseError when it is not one."""
    try:
        context = ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ReleaseError(
            f"the CA file {ca_file} of [engine] cannot be used: {error}; "
            "the engine gives its own at /ovirt-engine/services/pki-resource?resource=ca-certificate"
        ) from error
    subjects = []
    for certificate in context.get_ca_certs():
        names: Any = certificate.get("subject", ())
        subjects.append(", ".join(f"{key}={value}" for rdn in names for key, value in rdn))
    if not subjects:
        raise ReleaseError(f"the CA file {ca_file} of [engine] holds no CA certificate")
    return tuple(subjects)
