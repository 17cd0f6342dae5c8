from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from procession.cli.serving.listen_address import listen_on, url_of
from procession.errors import UsageError


def test_port_0_takes_a_free_port() -> None:
    with listen_on("127.0.0.1:0") as listener:
        port = listener.getsockname()[1]

        assert port > 0
        assert url_of(listener) == f"http://127.0.0.1:{port}"


def test_a_server_on_all_addresses_is_reached_by_the_loopback_one() -> None:
    with listen_on("0.0.0.0:0") as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")


def test_a_port_in_use_is_named_with_who_uses_it() -> None:
    with listen_on("127.0.0.1:0") as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(UsageError) as raised:
            listen_on(address)

    name = Path("/proc/self/comm").read_text().strip()
    assert str(raised.value) == (
        f"cannot listen on {address}: it is in use by process {os.getpid()} ({name}); "
        f"choose another address with --listen"
    )


@pytest.mark.parametrize("address", ["", "7171", ":7171", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "::1:99999"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"it is not like 127\.0\.0\.1:7171"):
        listen_on(address)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot assign requested address"):
        listen_on("192.0.2.1:0")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.may_skip
def test_ipv6_is_written_in_brackets() -> None:
    try:
        listener = listen_on("[::1]:0")
    except UsageError:
        pytest.skip("no IPv6 loopback here")
    with listener:
        assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"
