"""Fixtures of the acceptance suite; whatever is heavy is imported by the fixture that needs it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.record.context import Context
from pytest_ovirt_release.record.recorder import CELLS
from pytest_ovirt_release.release.engines import not_judged
from pytest_ovirt_release.release.resolved import resolve_component, resolve_distribution
from pytest_ovirt_release.target.brand import is_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_ovirt_release.checks.cycle import Cycle
    from pytest_ovirt_release.checks.database import Database
    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Ledger
    from pytest_ovirt_release.checks.preflight import Finding, Gate
    from pytest_ovirt_release.checks.signers import SignerPolicy
    from pytest_ovirt_release.checks.tarball import SignedTarball
    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.resolved import ComponentUnderTest, DistributionUnderTest
    from pytest_ovirt_release.target.model import NodeTarget, Target

CONTEXT = pytest.StashKey[Context]()
PREFLIGHT_SECONDS, PREFLIGHT_TOTAL = 10.0, 30.0
"""Seconds that each answer, and all of preflight, may take in a run; both are far above what a healthy target needs."""
LARGEST_EVIDENCE = 4 * 1024 * 1024
"""Bytes of one evidence file; more is cut and says so."""


class EvidenceWriter:
    """Keeps what a check found: values in the journal, files in `evidence/`, each with its SHA-256."""

    def __init__(self, context: Context, item: pytest.Item) -> None:
        """Keep evidence of one test."""
        self._context = context
        self._item = item
        self._cells = [cell for _, _, cell in item.stash.get(CELLS, ())] or [""]

    def value(self, name: str, value: object) -> None:
        """Keep a plain value: text, number, list or dict."""
        for cell in self._cells:
            self._context.journal.write(
                "evidence", nodeid=self._item.nodeid, cell=cell, name=name, value=value
            )

    def file(self, name: str, data: bytes) -> None:
        """Keep a file; texts in it are redacted."""
        kept = data if len(data) <= LARGEST_EVIDENCE else data[:LARGEST_EVIDENCE] + b"\n[cut]\n"
        kept = self._context.redact(kept.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        )
        digest = hashlib.sha256(kept).hexdigest()
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "evidence"
        path = self._context.folder / "evidence" / f"{digest[:12]}-{safe}"
        path.write_bytes(kept)
        # For pytest's own reports, which know nothing of journals; it crosses from workers with the test's report.
        self._item.user_properties.append(("release.evidence", f"evidence/{path.name} sha256:{digest}"))
        for cell in self._cells:
            self._context.journal.write(
                "evidence",
                nodeid=self._item.nodeid,
                cell=cell,
                name=name,
                file=f"evidence/{path.name}",
                sha256=digest,
                size=len(kept),
            )

    def fact(self, key: str, value: object, source: str) -> None:
        """Keep a fact that timeline and gaps are judged by, and where it comes from.

        Raises:
            ReleaseError: the test stands for no requirement, so that nobody will know whether it passed.
        """
        if self._cells == [""]:
            raise ReleaseError(
                f"{self._item.nodeid} found {key}, but is marked neither must nor should: only such a test may"
            )
        self._context.journal.write("fact", key=key, value=value, source=source, nodeid=self._item.nodeid)


@pytest.fixture(scope="session")
def release_context(pytestconfig: pytest.Config) -> Context:
    """Everything this process knows of the run."""
    return pytestconfig.stash[CONTEXT]


@pytest.fixture(scope="session")
def release_page(release_context: Context) -> Page:
    """The release page, with the lab's overlay when there is one."""
    return release_context.page


@pytest.fixture(scope="session")
def release_candidate(release_context: Context) -> Candidate:
    """The candidate under test."""
    if release_context.candidate is None:
        raise ReleaseError("there is no candidate")
    return release_context.candidate


@pytest.fixture(scope="session")
def release_target(release_context: Context) -> Target:
    """The target file, with absolute paths."""
    if release_context.target is None:
        raise ReleaseError("there is no target")
    return release_context.target


@pytest.fixture(scope="session")
def run_folder(release_context: Context) -> Path:
    """Return the folder that this run is recorded in."""
    return release_context.folder


@pytest.fixture(scope="session")
def component(
    request: pytest.FixtureRequest, release_page: Page, release_candidate: Candidate
) -> ComponentUnderTest:
    """One component of the page at a time."""
    return resolve_component(release_page, release_candidate, str(request.param))


@pytest.fixture(scope="session")
def distribution(
    request: pytest.FixtureRequest, release_page: Page, release_candidate: Candidate
) -> DistributionUnderTest:
    """One distribution of the page at a time."""
    return resolve_distribution(release_page, release_candidate, str(request.param))


@pytest.fixture(scope="session")
def node(request: pytest.FixtureRequest, release_target: Target) -> NodeTarget:
    """One node of the target at a time."""
    return next(n for n in release_target.nodes if n.name == request.param)


@pytest.fixture
def evidence(request: pytest.FixtureRequest, release_context: Context) -> EvidenceWriter:
    """Keep what the check found."""
    return EvidenceWriter(release_context, request.node)


@pytest.fixture(scope="session")
def met(release_context: Context) -> Callable[[str, str], None]:
    """Report what a connection met; this is how a rehearsal is recognised."""
    seen: set[tuple[str, str]] = set()

    def report(where: str, text: str) -> None:
        if (where, text) not in seen:
            seen.add((where, text))
            release_context.journal.write("brand", where=where, text=text, lab=is_lab(text), sync=True)

    return report


@pytest.fixture(scope="session")
def ledger(release_context: Context) -> Ledger:
    """What this run creates, written down before it is created."""
    from pytest_ovirt_release.checks.ledger import Ledger  # noqa: PLC0415 - only suites that run pay for it

    return Ledger(release_context.journal.write, release_context.sources.run_id)


@pytest.fixture(scope="session")
def release_signers(release_context: Context) -> SignerPolicy:
    """Who may sign the release's tarballs."""
    return _policy(release_context, "release-signer")


@pytest.fixture(scope="session")
def repository_signers(release_context: Context) -> SignerPolicy:
    """Who may sign package repositories."""
    return _policy(release_context, "repository-signer")


@pytest.fixture
def package_signers(release_context: Context, distribution: DistributionUnderTest) -> SignerPolicy | None:
    """Who must have signed the distribution's package files themselves; None: the page does not ask."""
    role = distribution.page.packages_signed_by
    return _policy(release_context, role) if role else None


def _policy(context: Context, role: str) -> SignerPolicy:
    from pytest_ovirt_release.checks.signers import SignerPolicy  # noqa: PLC0415 - only suites that run pay for it

    # Key paths are absolute once a page is loaded; the folder only matters for pages made by hand.
    return SignerPolicy.of(context.page, role, context.folder)


@pytest.fixture(scope="session")
def signed_tarball(
    release_context: Context, release_signers: SignerPolicy, met: Callable[[str, str], None]
) -> Callable[[str], SignedTarball]:
    """Return a component's tarball, accepted in this run; blocked when it was not."""
    from pytest_ovirt_release.checks import tarball  # noqa: PLC0415 - only suites that run pay for it

    def accepted(name: str) -> SignedTarball:
        context = release_context
        if context.candidate is None or context.target is None:
            raise ReleaseError("there is no candidate or no target")
        wanted = resolve_component(context.page, context.candidate, name)
        return tarball.for_scripts(
            wanted, release_signers, context.folder / "release-files", context.target.deadlines, met
        )

    return accepted


@pytest.fixture(scope="session")
def engine(
    release_context: Context, release_target: Target, met: Callable[[str, str], None]
) -> Iterator[Engine]:
    """The engine under test, through one adapter; one connection for each process."""
    from pytest_ovirt_release.checks.engine import Engine  # noqa: PLC0415 - only suites that run pay for it

    with Engine(release_target, release_context.sources.run_id, met) as connected:
        if unfit := not_judged(release_context.page, connected.product().version):
            release_context.journal.write("fact", key="engine-not-judged", value=unfit, source="product_info")
        yield connected
        if count := connected.unanswered:
            release_context.journal.write("fact", key="engine-unanswered", value=count, source="requests")


@pytest.fixture(scope="session")
def cycle(
    release_context: Context,
    release_target: Target,
    engine: Engine,
    ledger: Ledger,
    met: Callable[[str, str], None],
) -> Cycle:
    """The stages of every node: whichever test first needs one performs it, after what preflight lets begin."""
    from pytest_ovirt_release.checks.cycle import Cycle  # noqa: PLC0415 - only suites that run pay for it

    write: Any = release_context.journal.write
    gate = _gate(release_context, release_target, met)
    return Cycle(release_target, engine, ledger, release_context.folder, write, met, gate=gate)


def _gate(context: Context, target: Target, met: Callable[[str, str], None]) -> Gate:
    from pytest_ovirt_release.checks.preflight import Gate  # noqa: PLC0415 - only suites that run pay for it
    from pytest_ovirt_release.checks.preflight.probe import Asked  # noqa: PLC0415 - same
    from pytest_ovirt_release.release.engines import versions_wanted  # noqa: PLC0415 - same

    def tell(finding: Finding) -> None:
        said = f"{finding.state}: {finding}"
        context.journal.write("fact", key=f"preflight:{finding.what}", value=said, source="preflight")

    wanted = versions_wanted(context.page, context.candidate) if context.candidate else {}
    asked = Asked(target, met, PREFLIGHT_SECONDS, PREFLIGHT_TOTAL, wanted)
    return Gate(asked, context.folder / "nodes", tell)


@pytest.fixture(scope="session")
def database(
    release_context: Context, ledger: Ledger, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A real, empty PostgreSQL, with the extensions that the page's database script needs."""
    from pytest_ovirt_release.checks.database import Database  # noqa: PLC0415 - only suites that run pay for it

    script = release_context.page.scripts.database
    scratch, extensions = tmp_path_factory.mktemp("database"), script.extensions if script else ()
    with Database(release_context.sources.database, scratch, ledger, extensions=extensions) as ready:
        yield ready
