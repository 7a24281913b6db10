"""An engine for each test, a CA for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import ovirtsdk4 as sdk
import pytest

from tests.lab.engine.fakes import Bench, FakePki
from tests.lab.engine.flows import Lab
from tests.lab.engine.http import Http


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> FakePki:
    return FakePki.make(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def make_bench(tmp_path: Path, pki: FakePki) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*faults: str, speed: float = 200.0) -> Bench:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Bench(folder, pki, frozenset(faults), speed))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture
def http(bench: Bench) -> Iterator[Http]:
    client = Http(bench)
    yield client
    client.pool.clear()


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory, pki: FakePki) -> Iterator[Http]:
    """Return a client of an engine that tests share which leave nothing behind."""
    bench = Bench(tmp_path_factory.mktemp("shared"), pki)
    client = Http(bench)
    yield client
    client.pool.clear()
    bench.close()


@pytest.fixture
def connection(bench: Bench) -> Iterator[sdk.Connection]:
    opened = bench.connection()
    yield opened
    opened.close()


@pytest.fixture
def lab(bench: Bench) -> Iterator[Lab]:
    """Return what a client does with the engine, over a connection of its own."""
    opened = Lab(bench)
    yield opened
    opened.close()
