from __future__ import annotations

import pytest

from procession.accounts.hosts import HostNotice, HostTags, TagSource
from procession.monitors.observing.host_facts import Hearing, HostFacts, KnownHosts, silent_seconds
from procession.search.tag_filter import TagFilter
from tests.support.builders import NOON
from tests.support.stores.oracle import OracleStore

ORG = 1


@pytest.mark.parametrize(("interval", "seconds"), [(0, 60), (1, 15), (5, 15), (10, 30), (120, 360)])
def test_silence_is_three_intervals_where_they_are_known(interval: int, seconds: int) -> None:
    assert silent_seconds(HostNotice(ORG, "web-1", interval)) == seconds
    assert silent_seconds(None) == 60


def test_of_several_hosts_the_least_known_counts() -> None:
    notices = {"down": HostNotice(ORG, "down", 10, NOON - 50)}
    facts = HostFacts({"told": NOON - 5, "late": NOON - 61}, frozenset({"slow"}), notices, NOON)
    telling = facts.telling()

    def hearing(*hosts: str, seen_at: int = NOON - 100) -> Hearing:
        return facts.hearing(telling, hosts, seen_at)

    assert telling == {"told"}
    assert hearing("told") is Hearing.TOLD
    assert hearing("told", "down") is Hearing.SHUT_DOWN
    assert hearing("down", seen_at=NOON - 20) is Hearing.SILENT
    assert hearing("told", "slow") is Hearing.WAITING
    assert hearing("down", "late") is hearing("late") is hearing("nobody") is Hearing.SILENT


def test_tags_are_read_again_when_they_have_changed() -> None:
    store = OracleStore()
    known = KnownHosts(store)
    prod = TagFilter.parse("env:prod,host:web-*")

    def tagged() -> frozenset[str]:
        return known.tagged(ORG, prod, NOON, 3600)

    store.put_host_tags(HostTags(ORG, "web-1", TagSource.AGENT, ("env:prod",), NOON))
    store.put_host_tags(HostTags(ORG, "db-1", TagSource.AGENT, ("env:prod",), NOON))
    assert tagged() == {"web-1"}
    store.put_host_tags(HostTags(ORG, "web-2", TagSource.USER, ("env:prod",)))
    assert tagged() == {"web-1", "web-2"}
