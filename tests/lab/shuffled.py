"""Runs a suite in another order: `-p tests.lab.shuffled`, with RELEASE_TEST_SEED the same in every worker."""

from __future__ import annotations

import os
import random

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shuffle the tests by the seed."""
    random.Random(os.environ["RELEASE_TEST_SEED"]).shuffle(items)  # noqa: S311 - an order, no secret
