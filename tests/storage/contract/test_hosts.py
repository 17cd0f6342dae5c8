"""What every store promises, asked of each of them: what is said of hosts."""

from __future__ import annotations

from procession.accounts.hosts import HostNotice, HostTags, TagSource, WatchLease
from procession.storage import HostStore
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON
from tests.support.stores.merges import merge

ODD_TAGS = ("bare", 'it\'s "ключ" \\ {x}', "k:v,w", "url:http://x:80/")


def tags_of(hosts: HostStore, org: int) -> list[HostTags]:
    return sorted(
        (entry for entry in hosts.host_tags() if entry.org_id == org),
        key=lambda entry: (entry.host, entry.source.value),
    )


def test_tags_of_hosts_are_kept_whole(hosts: HostStore, org: int) -> None:
    entry = HostTags(org, "база 'x' \\ {y}", TagSource.AGENT, ODD_TAGS)
    hosts.put_host_tags(entry)

    assert tags_of(hosts, org) == [entry]


def test_each_source_replaces_what_it_said_itself(hosts: HostStore, org: int) -> None:
    hosts.put_host_tags(HostTags(org, "web-1", TagSource.USER, ("role:web",)))
    hosts.put_host_tags(HostTags(org, "web-1", TagSource.AGENT, ("env:dev", "pci")))
    hosts.put_host_tags(HostTags(org, "web-1", TagSource.AGENT, ("env:prod",)))
    hosts.put_host_tags(HostTags(org, "web-2", TagSource.AGENT, ("env:prod",)))

    assert tags_of(hosts, org) == [
        HostTags(org, "web-1", TagSource.AGENT, ("env:prod",)),
        HostTags(org, "web-1", TagSource.USER, ("role:web",)),
        HostTags(org, "web-2", TagSource.AGENT, ("env:prod",)),
    ]


def test_tags_of_many_hosts_are_put_at_once(hosts: HostStore, org: int) -> None:
    hosts.put_host_tags(HostTags(org, "web-001", TagSource.AGENT, ("env:dev",)))
    entries = [HostTags(org, f"web-{n:03}", TagSource.AGENT, (*ODD_TAGS, f"n:{n}")) for n in range(250)]

    hosts.put_host_tags(*entries, HostTags(org, "web-007", TagSource.AGENT, ("env:prod",)))

    entries[7] = HostTags(org, "web-007", TagSource.AGENT, ("env:prod",))
    assert tags_of(hosts, org) == entries


def test_a_source_can_take_back_all_it_said(hosts: HostStore, org: int) -> None:
    hosts.put_host_tags(HostTags(org, "web-1", TagSource.USER, ("role:web",)))
    hosts.put_host_tags(HostTags(org, "web-1", TagSource.USER, ()))

    assert tags_of(hosts, org) == []


def test_orgs_may_have_hosts_of_one_name(hosts: HostStore, org: int) -> None:
    for one in (org, org + 4_000_000):
        hosts.put_host_tags(HostTags(one, "web-1", TagSource.USER, (f"org:{one}",)))

    assert [entry.tags for entry in tags_of(hosts, org)] == [(f"org:{org}",)]


def test_whatever_changes_the_tags_of_hosts_changes_their_version(hosts: HostStore, org: int) -> None:
    versions = [hosts.host_tags_version(), hosts.host_tags_version()]
    assert versions[0] == versions[1]

    for tags in (("env:dev",), ("env:prod",), (), ("env:prod",)):
        hosts.put_host_tags(HostTags(org, "web-1", TagSource.USER, tags))
        versions.append(hosts.host_tags_version())

    assert len(set(versions)) == 5


def test_a_merge_of_the_tables_is_no_change(clickhouse: ClickHouseStore, org: int) -> None:
    hosts = clickhouse.hosts
    for tags in (("env:dev",), ("env:prod",)):
        hosts.put_host_tags(HostTags(org, "web-1", TagSource.USER, tags))
    version = hosts.host_tags_version()

    assert merge(clickhouse, ["host_tags"])

    assert hosts.host_tags_version() == version


def leases_of(hosts: HostStore, org: int, now: int) -> list[WatchLease]:
    return sorted((lease for lease in hosts.leases(now) if lease.org_id == org), key=lambda lease: lease.host)


def test_a_lease_holds_until_its_end(hosts: HostStore, org: int) -> None:
    hosts.put_lease(WatchLease(org, "", NOON + 10))
    hosts.put_lease(WatchLease(org, "it's {x} база", NOON + 5))

    assert leases_of(hosts, org, NOON + 4) == [
        WatchLease(org, "", NOON + 10),
        WatchLease(org, "it's {x} база", NOON + 5),
    ]
    assert leases_of(hosts, org, NOON + 5) == [WatchLease(org, "", NOON + 10)]
    assert leases_of(hosts, org, NOON + 10) == []


def test_of_two_leases_the_longer_one_holds(hosts: HostStore, org: int) -> None:
    for until in (NOON + 5, NOON + 9, NOON + 7):
        hosts.put_lease(WatchLease(org, "web-1", until))

    assert leases_of(hosts, org, NOON) == [WatchLease(org, "web-1", NOON + 9)]


def test_what_agents_say_of_themselves_is_kept_for_each_host_and_the_newest_counts(hosts: HostStore, org: int) -> None:
    names = [f"база 'x' \\ {{y}} {number}" for number in range(250)]
    hosts.put_host_notices([HostNotice(org, name, 10) for name in names])
    hosts.put_host_notices(
        [
            HostNotice(org, names[7], 30, NOON, 4),
            HostNotice(org, names[9], cpus=65536),
            HostNotice(org + 1_000_000, names[8], 45),
        ]
    )

    found = {one.host: one for one in hosts.host_notices(org)}

    assert set(found) == set(names)
    assert found[names[7]] == HostNotice(org, names[7], 30, NOON, 4)
    assert found[names[9]] == HostNotice(org, names[9], 0, 0, 65536)
    assert found[names[8]] == HostNotice(org, names[8], 10)
