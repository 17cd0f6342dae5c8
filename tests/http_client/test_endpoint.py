from __future__ import annotations

import pytest

from procession.http_client import Endpoint, InvalidUrl


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://example.org", Endpoint("example.org", 80, False, "")),
        ("https://example.org/", Endpoint("example.org", 443, True, "")),
        ("http://example.org:7171/a/b/", Endpoint("example.org", 7171, False, "/a/b")),
        ("http://[::1]", Endpoint("::1", 80, False, "")),
        ("https://[fe80::1]:7171", Endpoint("fe80::1", 7171, True, "")),
    ],
)
def test_an_endpoint_is_what_a_url_names(url: str, endpoint: Endpoint) -> None:
    assert Endpoint.of(url) == endpoint


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org", "http://", "http://h:port", "http://h:99999", "//h", "http://[::1"],
)
def test_what_names_no_server_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl):
        Endpoint.of(url)
