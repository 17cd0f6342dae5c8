"""`procession store`, as a user starts it."""

from __future__ import annotations

from tests.cluster.nodes.running import Cluster
from tests.support.running import clean_environment, running


def store(*arguments: str, address: str) -> tuple[int, str]:
    with running("store", *arguments, environment=clean_environment(PROCESSION_STORE=address)) as started:
        code = started.wait(seconds=60)
        return code, "\n".join(started.output)


def test_tables_are_printed_made_and_checked(nodes: Cluster) -> None:
    address = nodes.address("commanded")

    code, printed = store("init", "--print", address=address)
    assert code == 0
    assert "CREATE TABLE IF NOT EXISTS commanded_local.snapshots ON CLUSTER 'fleet'" in printed

    code, before = store("check", address=address)
    assert code == 1
    assert "run `procession store init`" in before

    assert store("init", address=address)[0] == 0
    code, again = store("init", address=address)
    assert (code, "0 statements" in again) == (0, True), again

    code, after = store("check", address=address)
    assert code == 0, after
    assert "2 shards, 4 replicas" in after
    assert after.count("not replicated") == 4
    assert "p:ss" not in printed + before + again + after


def test_a_server_does_not_start_on_tables_that_are_not_there(nodes: Cluster) -> None:
    environment = clean_environment(PROCESSION_STORE=nodes.address("nothing"))
    with running("serve", "--listen", "127.0.0.1:0", environment=environment) as started:
        assert started.wait(seconds=60) == 1
        assert "procession store init" in "\n".join(started.output)


def test_a_wrong_password_is_said_in_a_line(nodes: Cluster) -> None:
    code, output = store("check", address=nodes.address("x").replace("ss%2F", "xx"))

    assert code == 1
    assert "refuses the user default or its password" in output
    assert output.count("\n") == 0
