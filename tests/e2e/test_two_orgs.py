"""Two orgs with hosts and pids of the same names, one fed by our agent's payloads and one by a Datadog Agent's: neither
ever sees the other."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from procession.accounts.scopes import Scope
from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import PayloadMaker
from procession.lifecycle.events import ProcessEvents, ProcessExit
from procession.process import ProcessNumbers, Sighting
from procession.wire.datadog import Encoding, MessageType, RequestId, decode_answer, frame
from procession.wire.datadog import process_pb2 as pb
from tests.support.builders import a_description, a_snapshot
from tests.support.running import clean_environment, running

HOST = "web-1"
PIDS = range(1, 8)
OWN = "/api/procession/v1"
DETAILS = f"{OWN}/processes"
WATCH = f"{OWN}/watch"


@dataclass
class Org:
    """What one of the two sends, and what it may see: each text in it has the org's own name."""

    url: str
    name: str
    id: int
    api_key: str
    application_key: str
    begin: int
    """Before now, and the moment of its first snapshot."""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        response = self.http.post(self.url + path, content=body, headers={"DD-Api-Key": self.api_key, **headers})
        assert response.status_code in (200, 202), response.text
        return response

    def send(self, payloads: list[Payload]) -> list[httpx.Response]:
        return [self.post(payload.path, payload.body, payload.headers) for payload in payloads]

    def ask(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        headers = {"dd-api-key": self.api_key, "dd-application-key": self.application_key}
        return self.http.request(method, self.url + path, headers=headers, **options)

    def listed(self, path: str = "/api/v2/processes", query: str = "") -> dict[int, dict[str, Any]]:
        """By pid."""
        answer = self.ask(f"{path}?from={self.begin - 60}&to={self.begin + 60}&page[limit]=100{query}")
        assert answer.status_code == 200, answer.text
        return {item["attributes"]["pid"]: item["attributes"] | {"id": item["id"]} for item in answer.json()["data"]}


class Ours(Org):
    """Posts as Procession's agent does."""

    def snapshot(self, at: int, pids: range) -> None:
        self.send(self._maker.make_host_tags(at))
        self.send(self._maker.make(a_snapshot(*map(self._sighting, pids), host=HOST, taken_at=at)))

    def live(self, at: int, pids: range) -> None:
        self.send(self._maker.make_live(at, [], list(map(self._sighting, pids))))

    def exit(self, at: int, pid: int) -> None:
        one = ProcessExit(pid=pid, at=at, exit_code=137, description=self._sighting(pid).description)
        self.send(self._maker.make(a_snapshot(host=HOST, taken_at=at), ProcessEvents(HOST, (one,))))

    @property
    def _maker(self) -> PayloadMaker:
        if not hasattr(self, "_made"):
            self._made = PayloadMaker(host=HOST, run=77, started_at=self.begin, tags=(f"{self.name}:host",))
        return self._made

    def _sighting(self, pid: int) -> Sighting:
        name = self.name
        description = a_description(
            cmdline=f"{name} {pid}",
            exe=f"/usr/bin/{name}",
            command=name,
            user=f"{name}-user",
            container_id=f"{name}-container",
            tags=(f"tag:{name}",),
        )
        return Sighting(pid, self.begin - 500, description, ProcessNumbers(rss_bytes=1000 + pid, state="S"))


class Theirs(Org):
    """Posts as a Datadog Agent does: frames of all versions, containers beside the processes, and all its headers."""

    def snapshot(self, at: int, pids: range) -> None:
        group = at % 1000
        for index, version in enumerate((1, 2, 3)):
            some = pids[index::3]
            message = pb.CollectorProc(hostName=HOST, groupId=group, groupSize=3, networkId="vpc-1", hintMask=0)
            message.processes.extend(map(self._process, some))
            message.containers.add(id=f"{self.name}-container", tags=[f"container:{self.name}"], type="docker")
            message.info.os.name = "linux"
            self.post("/api/v1/collector", framed(version, MessageType.PROCESSES, message), self._headers(at, index))

    def live(self, at: int, pids: range) -> None:
        message = pb.CollectorRealTime(hostName=HOST, groupId=at % 1000, groupSize=1, numCpus=4)
        for pid in pids:
            stat = message.stats.add(pid=pid, createTime=(self.begin - 500) * 1000)
            stat.memory.rss = 2000 + pid
        self.post("/api/v1/collector", framed(3, MessageType.REAL_TIME, message), self._headers(at, None))
        containers = pb.CollectorContainer(hostName=HOST)
        self.post("/api/v1/container", framed(3, MessageType.CONTAINERS, containers), self._headers(at, None))

    def exit(self, at: int, pid: int) -> None:
        event = pb.ProcessEvent(pid=pid, type=pb.ProcEventType.Value("exit"), collectionTime=at * 10**9)
        event.command.args.append(self.name)
        event.exit.exitTime, event.exit.exitCode = at * 10**9, 1
        body = pb.CollectorProcEvent(hostname=HOST, events=[event]).SerializeToString()
        self.post("/api/v2/proclcycle", body, self._headers(at, None) | {"DD-EVP-ORIGIN": "process-agent"})

    def metadata(self) -> None:
        document = {"internalHostname": HOST, "host-tags": {"system": [f"{self.name}:host"]}, "agentVersion": "7.66.1"}
        self.post("/intake/", json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _process(self, pid: int) -> pb.Process:
        process = pb.Process(pid=pid, createTime=(self.begin - 500) * 1000, key=pid, byteKey=b"k", nsPid=pid)
        process.command.args.extend([self.name, str(pid)])
        process.command.exe = f"/usr/bin/{self.name}"
        process.user.name = f"{self.name}-user"
        process.containerId = f"{self.name}-container"
        process.tags.append(f"tag:{self.name}")
        process.memory.rss = 1000 + pid
        process.networks.connectionRate = 1.0
        process.state = pb.ProcessState.Value("S")
        return process

    def _headers(self, at: int, index: int | None) -> dict[str, str]:
        headers = {
            "User-Agent": "datadog-agent/7.66.1",
            "DD-Agent-Version": "7.66.1",
            "X-DD-Agent-Attempts": "1",
            "X-Dd-Hostname": HOST,
            "X-DD-Agent-Timestamp": str(at),
            "X-Dd-Processagentversion": "7.66.1",
            "X-Dd-ContainerCount": "1",
            "Content-Type": "application/x-protobuf",
            "X-DD-Agent-Start-Time": str(self.begin),
            "X-DD-Payload-Source": "process_agent",
            "X-DD-Processes-Enabled": "true",
            "X-DD-Service-Discovery-Enabled": "true",
        }
        if index is not None:
            # The very number that our agent sends, too: a request id says nothing without its org.
            headers["X-DD-Request-ID"] = str(RequestId.of(HOST, 77, at, index).pack())
        return headers


def framed(version: int, message_type: MessageType, message: Any) -> bytes:
    """Version 1 plain, version 2 in zstd 0.5, version 3 in zstd."""
    body: bytes = message.SerializeToString()
    if version == 1:
        return struct.pack("<BBBB", 1, Encoding.PLAIN, message_type, 0) + body
    if version == 2:
        assert len(body) < 128 * 1024
        raw_block = bytes((0x40 | len(body) >> 16, len(body) >> 8 & 0xFF, len(body) & 0xFF)) + body
        old = b"\x25\xb5\x2f\xfd\x06" + raw_block + b"\xc0\x00\x00"
        return struct.pack("<BBBBi", 2, Encoding.ZSTD_05, message_type, 0, 0) + old
    return frame.encode(message_type, body)


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ours, Theirs]]:
    data_dir = tmp_path_factory.mktemp("data")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(data_dir), "--rate-limit", "0")
    with running("serve", *options, environment=clean_environment()) as server:
        url = next(word for word in server.line_with("http://").split() if word.startswith("http://"))
        begin = int(time.time()) - 60

        def admin(path: str, body: dict[str, Any]) -> Any:
            headers = {"authorization": f"Bearer {(data_dir / 'keys' / 'admin-key').read_text().strip()}"}
            return httpx.post(f"{url}{OWN}/admin/{path}", json=body, headers=headers).raise_for_status().json()

        def org(kind: type[Org], name: str) -> Any:
            org_id = admin("orgs", {"name": name})["org"]["id"]
            api_key, application_key = (
                admin("keys", {"org_id": org_id, "kind": key, "name": name, "scopes": scopes})["secret"]
                for key, scopes in (("api", []), ("application", [str(scope) for scope in Scope]))
            )
            return kind(url, name, org_id, api_key, application_key, begin)

        ours, theirs = org(Ours, "ours"), org(Theirs, "theirs")
        theirs.metadata()
        for one in (ours, theirs):
            admin("hosts/tags", {"org_id": one.id, "host": HOST, "add": [f"by-hand:{one.name}"]})
            one.snapshot(begin, PIDS)
        # From here on each says something of a process of which the other says nothing.
        ours.snapshot(begin + 10, range(1, 7))
        theirs.snapshot(begin + 10, range(2, 8))
        ours.live(begin + 12, range(1, 6))
        theirs.live(begin + 12, range(2, 8))
        theirs.exit(begin + 13, 3)
        ours.exit(begin + 14, 4)
        yield ours, theirs
        for one in (ours, theirs):
            one.http.close()


def test_each_org_lists_its_own_processes(orgs: tuple[Ours, Theirs]) -> None:
    for one in orgs:
        found = one.listed()

        assert sorted(found) == list(PIDS)
        for pid, process in found.items():
            assert process["cmdline"] == f"{one.name} {pid}"
            assert process["user"] == f"{one.name}-user"
            assert {f"{one.name}:host", f"by-hand:{one.name}", f"tag:{one.name}"} <= set(process["tags"])
    ours, theirs = (one.listed() for one in orgs)
    assert not {process["id"] for process in ours.values()} & {process["id"] for process in theirs.values()}


def test_what_one_org_says_of_ends_and_numbers_is_not_so_in_the_other(orgs: tuple[Ours, Theirs]) -> None:
    ours, theirs = (one.listed(DETAILS) for one in orgs)

    assert [pid for pid, process in ours.items() if process["ended"]] == [4, 6, 7]
    assert [pid for pid, process in theirs.items() if process["ended"]] == [1, 3]
    assert (ours[4]["exit_code"], theirs[3]["exit_code"]) == (137, 1)
    assert (ours[2]["numbers"]["rss_bytes"], theirs[2]["numbers"]["rss_bytes"]) == (1002, 2002)


def test_no_answer_to_one_org_has_a_word_of_the_other(orgs: tuple[Ours, Theirs]) -> None:
    """On any path that there is, by the server's own description, whatever it needs."""
    paths = [
        path
        for path, methods in orgs[0].ask("/openapi.json").json()["paths"].items()
        if path.startswith("/api/") and "get" in methods and "/admin/" not in path
    ]
    assert {"/api/v2/processes", DETAILS} <= set(paths)
    for one, other in (orgs, orgs[::-1]):
        own_id, other_id = (org.listed()[2]["id"] for org in (one, other))
        window = f"from={one.begin - 60}&to={one.begin + 60}"
        for query in (window, f"at={one.begin + 10}", f"{window}&keys=host,user,tag,container", "sort=start&", ""):
            for process_id in (own_id, other_id):
                for path in paths:
                    address = path.replace("{process_id}", process_id)
                    answer = one.ask(f"{address}?{query}&host={HOST}&by=tag&key=tag&x=rss_bytes&y=threads&limit=100")
                    assert answer.status_code < 500, f"{address}?{query}: {answer.text}"
                    assert other.name not in answer.text, f"{address}?{query}"
                    assert other_id not in answer.text, f"{address}?{query}"
                    if process_id == other_id and "{process_id}" in path:
                        assert answer.status_code >= 400, f"{address}?{query}"


def test_a_search_or_tag_of_the_other_org_finds_nothing(orgs: tuple[Ours, Theirs]) -> None:
    for one, other in (orgs, orgs[::-1]):
        for path in ("/api/v2/processes", DETAILS):
            for query in (f"&search={other.name}", f"&tags={other.name}:host", f"&tags=tag:{other.name}"):
                assert one.listed(path, query) == {}
            assert len(one.listed(path, f"&tags=host:{HOST},tag:{one.name}")) == 7


def test_a_cursor_of_the_other_org_leads_on_in_ones_own(orgs: tuple[Ours, Theirs]) -> None:
    ours, theirs = orgs
    window = f"from={ours.begin - 60}&to={ours.begin + 60}"
    cursor = theirs.ask(f"/api/v2/processes?{window}&page[limit]=2").json()["meta"]["page"]["after"]

    answer = ours.ask(f"/api/v2/processes?page[cursor]={cursor}")

    assert answer.status_code in (200, 400)
    assert theirs.name not in answer.text


def test_host_tags_given_to_one_org_are_not_the_others(orgs: tuple[Ours, Theirs]) -> None:
    for one, other in (orgs, orgs[::-1]):
        assert not any(other.name in tag for process in one.listed().values() for tag in process["tags"])


def test_who_watches_one_org_is_not_heard_in_the_other(orgs: tuple[Ours, Theirs]) -> None:
    ours, theirs = orgs

    def told(org: Org) -> int:
        body = framed(3, MessageType.CONNECTIONS, pb.CollectorConnections(hostName=HOST))
        answer = org.post("/api/v1/connections", body, {"X-Dd-Hostname": HOST})
        return decode_answer(answer.content).active_clients

    assert (told(ours), told(theirs)) == (0, 0)
    assert theirs.ask(WATCH, "POST", json={"host": HOST}).status_code == 200
    assert (told(ours), told(theirs)) == (0, 1)
    assert ours.ask(WATCH, "POST", json={}).status_code == 200
    assert (told(ours), told(theirs)) == (1, 1)


def test_a_key_of_one_org_does_not_read_with_that_of_the_other(orgs: tuple[Ours, Theirs]) -> None:
    ours, theirs = orgs
    headers = {"dd-api-key": ours.api_key, "dd-application-key": theirs.application_key}

    assert httpx.get(f"{ours.url}/api/v2/processes", headers=headers).status_code == 403


def test_a_saved_view_of_one_org_is_neither_shown_to_the_other_nor_changed_by_it(orgs: tuple[Ours, Theirs]) -> None:
    ours, theirs = orgs
    for one in orgs:
        assert one.ask(f"{OWN}/views/same", "PUT", json={"state": f"of {one.name}"}).status_code == 200

    assert ours.ask(f"{OWN}/views/same", "DELETE").status_code == 200

    assert ours.ask(f"{OWN}/views").json()["views"] == []
    (view,) = theirs.ask(f"{OWN}/views").json()["views"]
    assert (view["name"], view["state"]) == ("same", "of theirs")
    assert theirs.ask(f"{OWN}/views/same", "DELETE").status_code == 200


def test_a_channel_of_one_org_is_neither_shown_to_the_other_nor_changed_by_it(orgs: tuple[Ours, Theirs]) -> None:
    ours, theirs = orgs
    path = f"{OWN}/channels/email/same"
    for one in orgs:
        assert one.ask(path, "PUT", json={"addresses": [f"{one.name}@example.org"]}).status_code == 200

    for one, other in (orgs, orgs[::-1]):
        shown = one.ask(f"{OWN}/channels").text
        assert f"{one.name}@" in shown
        assert f"{other.name}@" not in shown
    assert ours.ask(path, "DELETE").json()["channels"] == []
    assert ours.ask(f"{path}/test", "POST").status_code == 404
    (channel,) = theirs.ask(f"{OWN}/channels").json()["channels"]
    assert "theirs@example.org" in json.dumps(channel)
    assert theirs.ask(path, "DELETE").status_code == 200


def test_a_monitor_of_one_org_counts_nothing_of_the_other_and_is_not_there_for_it(orgs: tuple[Ours, Theirs]) -> None:
    def monitor(search: str) -> dict[str, Any]:
        query = f"processes('{search}').rollup('count').last('5m') > 0"
        return {"name": search, "type": "process alert", "query": query, "message": "", "options": {}}

    for one, other in (orgs, orgs[::-1]):
        for search, states in ((one.name, {"Alert"}), (other.name, set())):
            body = {"monitor": monitor(search), "from": one.begin + 1, "to": int(time.time())}
            answer = one.ask(f"{OWN}/monitors/backtest", "POST", json=body)
            assert answer.status_code == 200, answer.text
            assert {found["state"] for found in answer.json()["transitions"]} - {"No Data"} == states
        made = one.ask("/api/v1/monitor", "POST", json=monitor(one.name)).json()["id"]
        assert other.ask(f"/api/v1/monitor/{made}").status_code == 404
        assert other.ask(f"/api/v1/monitor/{made}", "PUT", json={"name": "taken"}).status_code == 404
        assert other.ask(f"/api/v1/monitor/{made}", "DELETE").status_code == 404
        assert other.ask(f"{OWN}/monitors/test", "POST", json={"monitor_id": made}).status_code == 404
        assert one.ask(f"/api/v1/monitor/{made}").json()["name"] == one.name
        assert one.ask(f"/api/v1/monitor/{made}", "DELETE").status_code == 200


def test_a_session_of_one_org_sees_only_that_org(orgs: tuple[Ours, Theirs]) -> None:
    for one, other in (orgs, orgs[::-1]):
        with httpx.Client(base_url=one.url, headers={"origin": one.url}) as page:
            key = {"application_key": one.application_key}
            assert page.post(f"{OWN}/session", json=key).status_code == 201
            assert page.get(f"{OWN}/session").json()["org"] == one.name
            window = f"from={one.begin - 60}&to={one.begin + 60}"
            answer = page.get(f"{DETAILS}?{window}")
            assert one.name in answer.text
            assert other.name not in answer.text
            other_id = other.listed()[2]["id"]
            assert page.get(f"{DETAILS}/{other_id}?{window}").status_code == 404
            assert page.post(f"{OWN}/session/link", json=key).status_code < 500
            (session,) = (found for found in page.get(f"{OWN}/sessions").json()["sessions"] if found["is_this"])
            listed = other.ask(f"{OWN}/sessions").json()["sessions"]
            assert session["id"] not in [found["id"] for found in listed]
            assert other.ask(f"{OWN}/sessions/{session['id']}", "DELETE").status_code == 404
            assert page.post(f"{OWN}/sign-in", json={"user": one.name, "password": "none"}).status_code == 403
            page.request("DELETE", f"{OWN}/session")
            assert page.get(f"{DETAILS}?{window}").status_code == 403


def test_users_of_one_org_and_their_keys_are_out_of_reach_of_the_other(orgs: tuple[Ours, Theirs]) -> None:
    phrase = "correct horse battery"
    for one, other in (orgs, orgs[::-1]):
        name = f"{one.name}-anna"
        user = f"{OWN}/users/{name}"
        made = one.ask(f"{OWN}/users", "POST", json={"name": name, "role": "viewer", "password": phrase})
        assert made.status_code == 201, made.text
        assert name not in other.ask(f"{OWN}/users").text
        assert other.ask(user, "PATCH", json={"role": "admin"}).status_code == 404
        assert other.ask(f"{user}/sessions", "DELETE").status_code == 404
        assert other.ask(user, "DELETE").status_code == 404

        with httpx.Client(base_url=one.url, headers={"origin": one.url}) as page:
            signed_in = page.post(f"{OWN}/sign-in", json={"user": name, "password": phrase})
            assert signed_in.status_code == 201, signed_in.text
            assert signed_in.json()["org"] == one.name
            key = page.post(f"{OWN}/keys", json={"name": "mine"})
            assert key.status_code == 201, key.text
            key_id = key.json()["key"]["id"]
            assert key_id not in other.ask(f"{OWN}/keys").text
            assert other.ask(f"{OWN}/keys/{key_id}", "DELETE").status_code in (403, 404)
            found = {"dd-api-key": one.api_key, "dd-application-key": key.json()["secret"]}
            window = f"from={one.begin - 60}&to={one.begin + 60}"
            seen = one.http.get(f"{one.url}{DETAILS}?{window}", headers=found)
            assert one.name in seen.text
            assert other.name not in seen.text
            assert page.request("DELETE", f"{OWN}/keys/{key_id}").status_code == 204
        assert one.ask(f"{user}/sessions", "DELETE").status_code == 204
        assert one.ask(user, "DELETE").status_code in (200, 204)


TRIED = {
    ("post", f"{OWN}/users"),
    ("patch", f"{OWN}/users/{{name}}"),
    ("delete", f"{OWN}/users/{{name}}"),
    ("delete", f"{OWN}/users/{{name}}/sessions"),
    ("post", f"{OWN}/keys"),
    ("delete", f"{OWN}/keys/{{key_id}}"),
    ("put", f"{OWN}/views/{{name}}"),
    ("delete", f"{OWN}/views/{{name}}"),
    ("post", f"{OWN}/session"),
    ("get", f"{OWN}/session"),
    ("delete", f"{OWN}/session"),
    ("post", f"{OWN}/session/link"),
    ("delete", f"{OWN}/sessions/{{session_id}}"),
    ("post", f"{OWN}/sign-in"),
    ("post", WATCH),
    ("put", f"{OWN}/channels/{{kind}}/{{name}}"),
    ("delete", f"{OWN}/channels/{{kind}}/{{name}}"),
    ("post", f"{OWN}/monitors/backtest"),
    ("post", f"{OWN}/monitors/test"),
    ("post", f"{OWN}/channels/{{kind}}/{{name}}/test"),
}
"""What is tried by a test of its own. What is read is tried by itself; agents' doors say nothing, but for watching."""


def test_every_route_that_speaks_of_an_org_is_tried(orgs: tuple[Ours, Theirs]) -> None:
    found = {
        (method, path)
        for path, methods in orgs[0].ask("/openapi.json").json()["paths"].items()
        for method in methods
        if method in ("get", "put", "post", "delete", "patch")
        and path.startswith("/api/procession/")
        and "/admin/" not in path
    }
    read = {(method, path) for method, path in found if method == "get"}

    assert found - read - TRIED == set(), "a route without a case here"
    assert found >= TRIED
