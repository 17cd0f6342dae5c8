from __future__ import annotations

import pytest

from procession.server.http.compression import takes_gzip


@pytest.mark.parametrize(
    "header",
    ["gzip", "GZip", "x-gzip", "*", "gzip;q=1.0", "br, gzip;q=0.001", "deflate,gzip,x-gzip,zstd1", "br , gzip"],
)
def test_gzip_is_for_whoever_names_it(header: str) -> None:
    assert takes_gzip(header)


@pytest.mark.parametrize(
    "header",
    ["", "identity", "deflate", "zstd1", "br;q=1.0", "gzip;q=0", "gzip; q=0.000", "gzip;q=0, *", "*;q=0", "notgzip"],
)
def test_gzip_is_not_for_those_who_do_not_or_refuse_it(header: str) -> None:
    assert not takes_gzip(header)
