"""`-p tests.lab.secret_spy`: notes what engines give as tokens in a file outside the run, named by RELEASE_TEST_TOKENS."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_ovirt_release.checks.engine.session import BoundedConnection

log = logging.getLogger(__name__)


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Note every token, and log it as a careless library would: a test that sees it masked can see it leak."""
    real = BoundedConnection._get_sso_response

    def noted(self: BoundedConnection, url: str, params: Any = "") -> Any:
        answer = real(self, url, params)
        token = answer.get("access_token")
        if token:
            with Path(os.environ["RELEASE_TEST_TOKENS"]).open("a") as file:
                file.write(f"{token}\n")
            log.debug("careless: %s got Bearer %s", params, token)
        return answer

    BoundedConnection._get_sso_response = noted  # type: ignore[method-assign] # that is the point
