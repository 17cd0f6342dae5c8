"""An org that is removed at one server is gone from the whole cluster."""

from __future__ import annotations

import secrets
import time
from functools import partial

import httpx

from tests.cluster.nodes.pair import Pair
from tests.cluster.test_restarts import payload, pids, status
from tests.conformance.conftest import Keys, Server
from tests.support.agents.posting import COLLECTOR
from tests.support.running import eventually

PATH = "/api/procession/v1/admin/orgs"


def post(url: str, keys: Keys, host: str, pid: int) -> int:
    headers = {"dd-api-key": keys.api_key}
    return httpx.post(f"{url}{COLLECTOR}", content=payload(host, pid), headers=headers, timeout=60).status_code


def are_known(pair: Pair, keys: Keys) -> bool:
    return [status(url, keys) for url in pair.urls] == [200, 200]


def test_an_org_that_is_removed_at_one_server_is_gone_from_all(pair: Pair) -> None:
    server = Server(pair.urls[0], pair.data_dir(0))
    names = [secrets.token_hex(8) for _ in range(2)]
    going, staying = map(server.new_org, names)
    server.http.close()
    secret = (pair.data_dir(0) / "keys" / "admin-key").read_text().strip()
    with httpx.Client(base_url=pair.urls[0], headers={"authorization": f"Bearer {secret}"}, timeout=120) as admin:
        ids = {org["name"]: org["id"] for org in admin.get(PATH).json()["orgs"]}
        org_id, other_id = (ids[name] for name in names)
        for keys in (going, staying):
            eventually(partial(are_known, pair, keys), what="the keys at both")
            for number in range(6):
                assert post(pair.urls[number % 2], keys, f"host-{number}", 100 + number) == 200
        before = set(admin.get(f"{PATH}/{other_id}").json()["rows"])
        assert {"snapshots", "presence", "keys", "orgs"} <= set(admin.get(f"{PATH}/{org_id}").json()["rows"])

        begun = time.monotonic()
        assert admin.delete(f"{PATH}/{org_id}").status_code == 202
        assert post(pair.urls[0], going, "host-1", 200) == 403
        eventually(lambda: post(pair.urls[1], going, "host-1", 200) == 403, what="the other server's refusal")
        assert time.monotonic() - begun < 30

        def is_erased() -> bool:
            removed = admin.get(PATH).json()["removed"]
            return any(org["id"] == org_id and org["is_erased"] for org in removed)

        eventually(is_erased, seconds=120, what="the end of the org")
        assert admin.get(f"{PATH}/{org_id}").status_code == 404
        # When keys were used is written once a minute, so that its table may have come meanwhile.
        assert set(admin.get(f"{PATH}/{other_id}").json()["rows"]) - {"key_uses"} == before - {"key_uses"}
    assert [pids(url, staying, "host-3") for url in pair.urls] == [{103}, {103}]
