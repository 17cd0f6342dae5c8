"""Where a store is, in words and as a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from procession.errors import UsageError
from procession.storage.history.engine.address import ServerAddress, parse_address


def parsed(text: str, **more: str) -> ServerAddress:
    found = parse_address(text, **more)
    assert isinstance(found, ServerAddress)
    return found


def test_what_is_no_url_is_a_folder() -> None:
    assert parse_address("/var/lib/procession") == Path("/var/lib/procession")
    assert parse_address("here") == Path("here").absolute()


def test_a_url_has_hosts_user_database_and_cluster() -> None:
    address = parsed("https://reader:s%40cret@one:9443,two,[::1]:1/fleet?cluster=big")

    assert address.hosts == (("one", 9443), ("two", 8443), ("::1", 1))
    assert (address.user, address.password, address.database, address.cluster) == ("reader", "s@cret", "fleet", "big")
    assert address.is_tls


def test_what_a_url_leaves_out_is_as_usual() -> None:
    assert parsed("http://clickhouse") == ServerAddress((("clickhouse", 8123),), is_tls=False)
    assert parsed("https://clickhouse/").hosts == (("clickhouse", 8443),)


def test_a_password_may_be_beside_the_url(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\n")

    assert parsed("https://u:in-url@c", password="given").password == "given"  # noqa: S105, S106
    assert parsed("https://u@c", password_file=str(file)).password == "from a file"  # noqa: S105
    with pytest.raises(UsageError, match="cannot read the store's password from"):
        parsed("https://u@c", password_file=str(tmp_path / "none"))


def test_a_password_is_never_shown() -> None:
    address = parsed("https://u:hidden@c/d?cluster=e")

    assert "hidden" not in f"{address} {address!r}"
    assert str(address) == "https://u@c:8443/d?cluster=e"


@pytest.mark.parametrize(
    "text",
    [
        "tcp://c",
        "https://",
        "https://c:port",
        "https://c:70000",
        "https://a,,b",
        "https://c/da-ta",
        "https://c/d?cluster=",
        "https://c/d?cluster=a'b",
        "https://c/d?secure=0",
    ],
)
def test_what_makes_no_sense_is_refused_and_shows_no_password(text: str) -> None:
    with pytest.raises(UsageError, match="store's address") as caught:
        parse_address(text.replace("://", "://u:hidden@"))

    assert "hidden" not in str(caught.value)
