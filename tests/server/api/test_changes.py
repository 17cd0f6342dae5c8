"""Whoever changes a monitor, a channel, a variable, a downtime or a key is recorded, with what it was before."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from procession.accounts.change import Change
from procession.accounts.orgs import Key, KeyKind, hash_secret
from procession.accounts.scopes import Scope
from procession.errors import Unavailable
from procession.server import create_app
from tests.support.builders import NOON
from tests.support.served import ADMIN, ORG, READER, Client, Served, StoreSink, a_store
from tests.support.stores.changes_oracle import OracleChanges
from tests.support.stores.stores import oracle_stores

CHANGES = "/api/procession/v1/changes"
MONITOR = "/api/v1/monitor"
WEBHOOKS = "/api/v1/integration/webhooks/configuration"
QUERY = "processes('nginx').by('host').rollup('count_now') < 1"
SECRET = "0f5e8c0d"  # noqa: S105 (of this test)
READER_KEY = {"key_id": "bbbb", "name": "application of 1"}


def changed(client: Client, query: str = "") -> list[dict[str, Any]]:
    """The oldest first, without what differs from run to run."""
    answer = client.get(f"{CHANGES}?{query}", headers=READER)
    assert answer.status_code == 200, answer.text
    found = answer.json()["changes"]
    assert all(one.pop("id") and one.pop("at") == NOON for one in found)
    return list(reversed(found))


def done(client: Client, method: str, path: str, body: Any = None, headers: dict[str, str] = READER) -> Any:
    answer = client.request(method, path, json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def test_changes_of_a_monitor_say_who_and_what_was_before(client: Client) -> None:
    body = {"type": "process alert", "name": "a", "query": QUERY, "tags": ["x"]}
    path = f"{MONITOR}/{done(client, 'POST', MONITOR, body)['id']}"
    done(client, "PUT", path, {"name": "b"})
    done(client, "PUT", path, {"name": "b"})
    done(client, "POST", f"{path}/mute", {"scope": "host:web-1"})
    done(client, "DELETE", path)

    made, renamed, muted, deleted = changed(client)

    assert [one["action"] for one in (made, renamed, muted, deleted)] == ["created", "changed", "changed", "deleted"]
    assert {(one["kind"], one["subject"]) for one in (made, renamed, muted, deleted)} == {
        ("monitor", path.rpartition("/")[2])
    }
    assert all(one["by"] == READER_KEY for one in (made, renamed, muted, deleted))
    assert made["before"] is None
    assert (made["after"]["name"], made["after"]["query"], made["after"]["tags"]) == ("a", QUERY, ["x"])
    assert (renamed["before"], renamed["after"]) == ({"name": "a"}, {"name": "b"})
    assert (muted["before"]["options"]["silenced"], muted["after"]["options"]["silenced"]) == ({}, {"host:web-1": None})
    assert deleted["before"] == made["after"] | {"name": "b", "options": muted["after"]["options"]}
    assert deleted["after"] is None


def test_changes_of_channels_and_variables_hold_no_secret(client: Client) -> None:
    channels = "/api/procession/v1/channels"
    done(client, "POST", f"{WEBHOOKS}/webhooks", {"name": "w", "url": f"https://example.com/{SECRET}"})
    done(client, "PUT", f"{WEBHOOKS}/webhooks/w", {"payload": f'{{"token": "{SECRET}"}}', "name": "v"})
    done(client, "DELETE", f"{WEBHOOKS}/webhooks/v")
    done(client, "PUT", f"{channels}/pagerduty/night", {"routing_key": SECRET})
    done(client, "PUT", f"{channels}/pagerduty/night", {"routing_key": f"{SECRET}2"})
    done(client, "DELETE", f"{channels}/pagerduty/night")
    done(client, "DELETE", f"{channels}/pagerduty/never")
    done(client, "PUT", f"{channels}/email/ops", {"addresses": ["ops@example.org"]})
    done(client, "POST", f"{WEBHOOKS}/custom-variables", {"name": "TOKEN", "value": SECRET, "is_secret": True})
    done(client, "PUT", f"{WEBHOOKS}/custom-variables/TOKEN", {"value": f"{SECRET}2"})
    done(client, "DELETE", f"{WEBHOOKS}/custom-variables/TOKEN")

    found = changed(client)

    assert SECRET not in str(found)
    assert [(one["kind"], one["subject"], one["action"]) for one in found] == [
        ("channel", "webhook-w", "created"),
        ("channel", "webhook-v", "changed"),
        ("channel", "webhook-v", "deleted"),
        ("channel", "pagerduty-night", "created"),
        ("channel", "pagerduty-night", "changed"),
        ("channel", "pagerduty-night", "deleted"),
        ("channel", "email-ops", "created"),
        ("variable", "TOKEN", "created"),
        ("variable", "TOKEN", "changed"),
        ("variable", "TOKEN", "deleted"),
    ]
    assert (found[1]["before"], found[1]["after"]) == ({"name": "w", "payload": None}, {"name": "v", "payload": "…"})
    assert (found[4]["before"], found[4]["after"]) == ({"routing_key": "…"}, {"routing_key": "…"})
    assert found[6]["after"]["addresses"] == ["ops@example.org"]


def test_changes_of_downtimes_are_recorded(client: Client) -> None:
    path = "/api/v2/downtime"
    attributes = {"scope": "env:prod", "monitor_identifier": {"monitor_tags": ["*"]}}
    made = done(client, "POST", path, {"data": {"type": "downtime", "attributes": attributes}})["data"]["id"]
    body = {"data": {"type": "downtime", "id": made, "attributes": {"message": "deploy"}}}
    done(client, "PATCH", f"{path}/{made}", body)
    done(client, "DELETE", f"{path}/{made}")

    created, renamed, canceled = changed(client, f"kind=downtime&subject={made}")

    assert (created["action"], created["after"]["scope"]) == ("created", "env:prod")
    assert (renamed["before"], renamed["after"]) == ({"message": None}, {"message": "deploy"})
    assert (canceled["before"], canceled["after"]) == ({"canceled_at": None}, {"canceled_at": NOON})


def test_changes_of_a_key_are_of_its_org_and_by_the_admin_key(client: Client) -> None:
    keys = "/api/procession/v1/admin/keys"
    body = {"org_id": ORG, "kind": "application", "name": "bot", "scopes": ["monitors_read"]}
    made = done(client, "POST", keys, body, ADMIN)
    theirs = done(client, "POST", keys, body | {"org_id": 2}, ADMIN)
    for _ in range(2):
        done(client, "POST", f"{keys}/{made['key']['id']}/revoke", None, ADMIN)

    created, revoked = changed(client, "kind=key")

    assert {one["subject"] for one in (created, revoked)} == {made["key"]["id"]} != {theirs["key"]["id"]}
    assert {one["by"]["key_id"] for one in (created, revoked)} == {"cccc"}
    fields = {"kind": "application", "name": "bot", "revoked_at": None, "scopes": ["monitors_read"]}
    fields |= {"owner": "service", "expires_at": None}
    assert (created["before"], created["after"]) == (None, fields)
    assert (revoked["before"], revoked["after"]) == ({"revoked_at": None}, {"revoked_at": NOON})
    assert made["secret"] not in str((created, revoked))


def test_changes_are_narrowed_and_their_parameters_checked(client: Client) -> None:
    for name in ("a", "b", "c"):
        done(client, "POST", f"{WEBHOOKS}/webhooks", {"name": name, "url": "https://example.com/"})

    assert [one["subject"] for one in changed(client, "limit=2")] == ["webhook-b", "webhook-c"]
    assert [one["subject"] for one in changed(client, "kind=channel&subject=webhook-a")] == ["webhook-a"]
    assert changed(client, f"to={NOON - 1}") == changed(client, "kind=key") == []
    for query in ("kind=process", "limit=0", "limit=1001", f"from={NOON}&to={NOON - 1}", "from=x"):
        assert client.get(f"{CHANGES}?{query}", headers=READER).status_code == 400


def test_a_key_needs_a_scope_of_its_own_to_read_changes() -> None:
    store = a_store()
    others = frozenset(Scope) - {Scope.AUDIT_LOGS_READ}
    store.put_key(Key("ffff", ORG, KeyKind.APPLICATION, "x", hash_secret("7" * 40), NOON - 9, scopes=others))
    client = Client(Served(store).app())

    answer = client.get(CHANGES, headers={"authorization": f"Bearer {'7' * 40}"})

    assert answer.status_code == 403
    client.close()


class _FullChanges(OracleChanges):
    def put_change(self, change: Change) -> None:
        raise Unavailable(f"The disk is full: {change.kind}")


@pytest.mark.parametrize("admin", [False, True])
def test_what_cannot_be_recorded_is_not_done(admin: bool) -> None:
    served = Served(a_store())
    stores = dataclasses.replace(oracle_stores(served.store), changes=_FullChanges())
    sink, names = StoreSink(served.store), ("procession.test",)
    client = Client(create_app(stores, sink=sink, settings=served.settings, host_names=names, now=served.clock))
    keys = served.store.keys()

    if admin:
        body = {"org_id": ORG, "kind": "api", "name": "x"}
        assert client.post("/api/procession/v1/admin/keys", json=body, headers=ADMIN).status_code == 503
        assert served.store.keys() == keys
    else:
        body = {"type": "process alert", "name": "a", "query": QUERY}
        assert client.post(MONITOR, json=body, headers=READER).status_code == 503
        assert client.get(MONITOR, headers=READER).json() == []
    client.close()
