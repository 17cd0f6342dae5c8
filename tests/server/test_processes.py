from __future__ import annotations

import json

from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.served import ORG, OTHER_API_KEY, OTHER_APPLICATION_KEY, Client, Served


def test_an_empty_answer_is_the_recorded_49_bytes(client: Client) -> None:
    answer = client.processes("tags=testing:true")

    assert answer.content == b'{"meta":{"page":{"after":"","size":0}},"data":[]}'


def test_a_process_is_rendered_compactly_with_its_keys_in_the_recorded_order(served: Served, client: Client) -> None:
    sighting = a_sighting(pid=7, started_at=NOON - 100, tags=("env:prod", "p-bosh"))
    served.store.add([(ORG, a_snapshot(sighting))])

    answer = client.processes()

    after = answer.json()["meta"]["page"]["after"]
    process_id = answer.json()["data"][0]["id"]
    assert answer.text == (
        f'{{"meta":{{"page":{{"after":"{after}","size":1}}}},'
        f'"data":[{{"type":"process","id":"{process_id}","attributes":'
        '{"cmdline":"/usr/sbin/nginx -g daemon off;","timestamp":"2023-11-14T22:13:20","start":"2023-11-14T22:11:40",'
        '"user":"www-data","pid":7,"ppid":1,"host":"web-1",'
        '"tags":["env:prod","p-bosh","host:web-1","user:www-data","command:nginx","state_zombie:false"]}}]}'
    )
    assert answer.text == json.dumps(answer.json(), separators=(",", ":"))


def test_an_org_never_sees_the_processes_of_another(served: Served, client: Client) -> None:
    served.store.add([(ORG, a_snapshot(a_sighting()))])

    answer = client.processes(headers={"dd-api-key": OTHER_API_KEY, "dd-application-key": OTHER_APPLICATION_KEY})

    assert answer.json()["data"] == []
