from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.process import (
    MAX_UINT32,
    MAX_UINT64,
    ProcessIdentity,
    ProcessKey,
    ProcessSummary,
    generated_tags,
    host_key,
    id_text,
)
from tests.support.builders import NOON, a_description, a_sighting

keys = st.builds(
    ProcessKey,
    st.integers(0, 3) | st.integers(0, MAX_UINT32),
    st.integers(0, 3) | st.integers(0, MAX_UINT64),
    st.integers(0, 3) | st.integers(0, MAX_UINT32),
)


@given(st.lists(keys), st.integers(0, MAX_UINT32))
def test_keys_ascend_where_start_ascends_and_its_ties_descend_by_id(some: list[ProcessKey], org_id: int) -> None:
    by_id = sorted(some, key=lambda key: key.id_of(org_id), reverse=True)

    assert sorted(some) == sorted(by_id, key=lambda key: key.started_at)


@given(keys, keys, st.integers(0, MAX_UINT32))
def test_an_id_is_20_bytes_that_begin_with_the_org_and_name_one_process(
    one: ProcessKey, other: ProcessKey, org_id: int
) -> None:
    assert len(one.id_of(org_id)) == 20
    assert one.id_of(org_id)[:4] == org_id.to_bytes(4, "little")
    assert (one.id_of(org_id) == other.id_of(org_id)) is (one == other)


def test_an_id_stays_what_it_is() -> None:
    key = ProcessKey.of(ProcessIdentity("pks-db-0", 6, 1_612_439_541))

    # Clients keep ids: another value here is another API. Org, host key and pid inverted, start.
    assert key.id_of(321_813).hex(" ", 4) == "15e90400 c37040ad d51b2b85 fffffff9 601bdff5"


@pytest.mark.parametrize(
    "change",
    [{"host": "web-2"}, {"host": "Web-1"}, {"pid": 8}, {"started_at": NOON + 1}],
    ids=lambda change: next(iter(change)),
)
def test_another_host_pid_or_start_is_another_process(change: dict[str, str | int]) -> None:
    identity = ProcessIdentity("web-1", 7, NOON)

    other = msgspec.structs.replace(identity, **change)

    assert other != identity
    assert ProcessKey.of(other) != ProcessKey.of(identity)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_of_a_host_has_a_key_of_64_bits(host: str) -> None:
    assert 0 <= host_key(host) <= MAX_UINT64
    assert host_key(host) == host_key(str(host.encode(), "utf-8"))


def test_a_hosts_key_stays_what_it_is() -> None:
    # Stored rows and ids hold it.
    assert host_key("web-1") == 79_806_415_912_652_391


def test_the_tags_of_a_process_end_with_the_four_that_each_has() -> None:
    description = a_description(user="Ольга", command="nginx", is_zombie=True, tags=("a:z", "pci"))

    summary = ProcessSummary(ProcessIdentity("Web-1", 7, NOON), NOON, description)

    assert summary.tags == ("a:z", "pci", "host:Web-1", "user:Ольга", "command:nginx", "state_zombie:true")


def test_a_living_process_is_tagged_as_no_zombie() -> None:
    assert generated_tags("h", a_description(user="", command="")) == (
        "host:h",
        "user:",
        "command:",
        "state_zombie:false",
    )


def test_what_is_not_known_of_a_process_is_none() -> None:
    sighting = a_sighting()

    assert sighting.description.uid is None
    assert sighting.description.namespace_pid is None
    assert all(value is None for value in msgspec.structs.asdict(sighting.numbers).values() if value != "")


@given(st.text(max_size=20), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_an_id_as_text_is_that_of_the_key(host: str, pid: int, started_at: int, org_id: int) -> None:
    identity = ProcessIdentity(host, pid, started_at)

    assert id_text(org_id, identity) == ProcessKey.of(identity).id_of(org_id).hex()
