from __future__ import annotations

from tests.support.served import API_KEY, APPLICATION_KEY, OTHER_API_KEY, READER, Client


def test_an_api_key_is_good_and_names_itself_and_its_org(client: Client) -> None:
    answer = client.get("/api/v2/validate", headers={"dd-api-key": API_KEY})

    attributes = {"api_key_id": "aaaa", "api_key_scopes": [], "valid": True}
    assert answer.status_code == 200
    assert answer.json() == {"data": {"attributes": attributes, "id": "1", "type": "validate_v2"}}


def test_both_keys_are_good_where_they_are_of_one_org(client: Client) -> None:
    good = client.get("/api/v2/validate_keys", headers=READER)
    bad = client.get("/api/v2/validate_keys", headers=READER | {"dd-api-key": OTHER_API_KEY})

    assert (good.status_code, good.json()) == (200, {"status": "ok"})
    assert (bad.status_code, bad.json()) == (403, {"errors": ["Forbidden"]})


def test_no_other_key_is_an_api_key(client: Client) -> None:
    for headers in ({}, {"dd-api-key": APPLICATION_KEY}, {"authorization": f"Bearer {APPLICATION_KEY}"}):
        assert client.get("/api/v2/validate", headers=headers).status_code == 403
