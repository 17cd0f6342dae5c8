"""Which monitors a reader may see: those that count nothing else, by what their queries say."""

from __future__ import annotations

import pytest

from procession.accounts.restriction import Restriction
from procession.accounts.visibility import Visibility
from procession.monitors.monitor import Creator, Monitor, new_monitor
from procession.monitors.restricted.seen import may_see
from tests.support.builders import NOON


def a_monitor(query: str, **options: str) -> Monitor:
    body = {"type": "process alert", "name": "a", "query": query, "options": options}
    creator = Creator(7, "anna", "anna", "")
    return new_monitor(1, 1, body, creator=creator, changed_by="k", now_us=NOON * 1_000_000)


def counts(over: str, search: str = "", by: str = "host", more: str = "") -> str:
    return f"processes('{search}'){more}{over}.by('{by}').rollup('count_now') < 1"


@pytest.mark.parametrize(
    ("rows", "over", "is_seen"),
    [
        ("env:a", ".over('env:a')", True),
        ("env:a", ".over('team:x','ENV:A')", True),
        ("env:a", "", False),
        ("env:a", ".over('*')", False),
        ("env:a", ".over('env:*')", False),
        ("env:a", ".over('!env:b')", False),
        ("env:a", ".over('env:b')", False),
        ("env:a,team:x", ".over('env:a')", False),
        ("env:a,team:x", ".over('team:x','env:a')", True),
        ("env:a OR env:b", ".over('env:b')", True),
        ("env:a OR env:b", ".over('env:c')", False),
        ("env:prod-*", ".over('env:prod-1')", True),
        ("!team:db", ".over('!team:db')", True),
        ("!team:db", ".over('!team:*')", True),
        ("!team:*", ".over('!team:db')", False),
        ("!team:db", ".over('team:web')", False),
        # The process itself has a say in what is found out about it.
        ("service:shop", ".over('service:shop')", False),
        ("listens:443", ".over('listens:443')", False),
    ],
)
def test_by_rows(rows: str, over: str, is_seen: bool) -> None:
    seen = Visibility(1, Restriction.parse(rows))

    assert may_see(seen, a_monitor(counts(over))) is is_seen
    assert may_see(Visibility(1), a_monitor(counts(over)))


@pytest.mark.parametrize("search", ["env:a", "nginx", "nginx OR env:a"])
def test_a_search_does_not_say_which_rows(search: str) -> None:
    """It looks into texts where there is no such tag."""
    seen = Visibility(1, Restriction("env:a"))

    assert not may_see(seen, a_monitor(counts("", search)))
    assert may_see(seen, a_monitor(counts(".over('env:a')", search)))


@pytest.mark.parametrize(
    ("query", "is_seen"),
    [
        (counts(""), True),
        (counts("", "command:nginx"), True),
        (counts(".over('listens:443')", by="user"), True),
        (counts("", by="exe"), True),
        (counts("", "nginx"), False),
        (counts("", "env:a"), False),
        (counts("", by="cmdline"), False),
        (counts("", by="service"), False),
        (counts("", by="cwd"), False),
        (counts(".over('service:x')"), False),
        (counts(".over('!service:x')"), False),
        (counts(".over('s*')"), False),
        (counts("", "web-1", more=".language('procession')"), False),
    ],
)
def test_without_arguments(query: str, is_seen: bool) -> None:
    monitor = a_monitor(query)

    assert may_see(Visibility(1, Restriction("", True)), monitor) is is_seen
    assert not may_see(Visibility(1, Restriction("env:a", True)), monitor)


def test_hosts_that_are_expected_by_their_tags_may_be_hidden_ones() -> None:
    monitor = a_monitor(counts(".over('env:a')"), expected_groups="tagged_hosts")

    assert not may_see(Visibility(1, Restriction("env:a")), monitor)
    assert may_see(Visibility(1, Restriction("", True)), monitor)
