"""Every bad release of the corpus is refused with its reason, and its good twin passes the same check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.errors import CheckFailed, Unproven
from tests.corpus.frame import Case, corpus, reason

if TYPE_CHECKING:
    from tests.corpus.workshop import Workshop

CASES = corpus()
each_case = pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])


def can_be_built(case: Case) -> None:
    if program := case.missing():
        pytest.skip(f"{program} is not installed, so {case.name} cannot be built")


@each_case
def test_the_bad_release_is_refused_with_its_reason(case: Case, shop: Workshop) -> None:
    can_be_built(case)
    check = case.build(shop, bad=True)
    with pytest.raises((CheckFailed, Unproven)) as caught:
        check()
    assert reason(caught.value) == case.code, str(caught.value)
    assert len(str(caught.value).split()) > 3, "the refusal has to be a sentence"


@each_case
def test_its_good_twin_passes(case: Case, shop: Workshop) -> None:
    can_be_built(case)
    case.build(shop, bad=False)()
