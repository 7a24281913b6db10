"""The engine's search language: order, relations, case, wild cards."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.engine.http import Http


@pytest.fixture(scope="module")
def centers(reader: Http) -> Iterator[Http]:
    """Return a client of an engine with three data centers besides its own, not made in the order of their names."""
    for name in ("search-c", "Search-a", "search_b"):
        body = f"<data_center><name>{name}</name><local>false</local><description>of {name}</description></data_center>"
        assert reader.api("POST", "/datacenters", body).status == 201
    yield reader
    for center in fromstring(
        reader.api("GET", "/datacenters?search=name%3Dsearch*%20or%20name%3DSearch*").text
    ):
        reader.api("DELETE", f"/datacenters/{center.get('id')}")


def names(client: Http, query: str, rest: str = "") -> list[str | None]:
    answer = client.api("GET", f"/datacenters?search={quote(query)}{rest}")
    assert answer.status == 200
    return [center.findtext("name") for center in fromstring(answer.text)]


def test_lists_come_in_the_order_of_names(centers: Http) -> None:
    assert names(centers, "") == ["Default", "Search-a", "search-c", "search_b"]


@pytest.mark.parametrize(
    ("query", "rest", "expected"),
    [
        ("name=SEARCH*", "", []),
        ("name=SEARCH*", "&case_sensitive=false", ["Search-a", "search-c", "search_b"]),
        ("name=search*", "&case_sensitive=true", ["search-c", "search_b"]),
        ("name!=search*", "", ["Default", "Search-a"]),
        ("name=search?b", "", []),
        ("name=search*b", "", ["search_b"]),
        ("name=search-c or name=search_b", "&max=1", ["search-c"]),
        ("earch-", "", ["Search-a", "search-c"]),
        ("name=search* sortby name desc", "", ["search_b", "search-c"]),
        ("comment!=null and name=search*", "", []),
        ("comment=null and name=search*", "", ["search-c", "search_b"]),
        ("description!=null and name=search*", "", ["search-c", "search_b"]),
        ("status=UNINITIALIZED and name=search*", "", ["search-c", "search_b"]),
        ("status!=uninitialized and name=search*", "", []),
    ],
)
def test_each_relation(centers: Http, query: str, rest: str, expected: list[str]) -> None:
    assert names(centers, query, rest) == expected


@pytest.mark.parametrize(
    ("query", "most"),
    [
        ("severity>normal", {"warning", "error", "alert"}),
        ("severity >= error", {"error", "alert"}),
        ("severity<warning", {"normal"}),
        ("severity!=NORMAL", {"warning", "error", "alert"}),
        ("severity<=alert", {"normal", "warning", "error", "alert"}),
    ],
)
def test_severities_have_an_order(http: Http, query: str, most: set[str]) -> None:
    for severity in ("normal", "warning", "error", "alert"):
        body = (
            f"<event><custom_id>1</custom_id><description>{severity}</description><origin>probe</origin>"
            f"<severity>{severity}</severity></event>"
        )
        assert http.api("POST", "/events", body).status == 201
    found = fromstring(http.api("GET", f"/events?search={quote(query)}").text)
    assert {event.findtext("severity") for event in found} == most
