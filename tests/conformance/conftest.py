"""One server with the fleet, one more with a limit, and each client's answers: made once for all tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from procession.accounts.scopes import Scope
from procession.containers.container import Container
from procession.process import Snapshot
from procession.wire.datadog import ContainerInfo, MessageType, SnapshotEncoder, encode_containers, frame
from procession.wire.datadog import process_pb2 as pb
from tests.conformance.cases import LIMITED, RETRIED, Case, cases
from tests.conformance.clients import BY_ITSELF, IN_EVERY_RUN, CannotBuild, Language, Run, Say
from tests.conformance.fleet import snapshots
from tests.support.running import Running, running

LANGUAGES = (BY_ITSELF[alone],) if (alone := os.environ.get("PROCESSION_CONFORMANCE")) else IN_EVERY_RUN
"""All that are quick to build, or the one that the variable names."""

ARE_BUILT = bool(os.environ.get("PROCESSION_CLIENTS_BUILT"))
"""Whether `python -m tests.conformance.clients` has just run."""

PROCESSES = "/api/v2/processes"
ORGS = "/api/procession/v1/admin/orgs"
KEYS = "/api/procession/v1/admin/keys"

SECONDS = 1800
"""For the first test, which waits until all programs are built; a compiler may be slow on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(SECONDS))


@dataclass(frozen=True)
class Keys:
    api_key: str
    application_key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"dd-api-key": self.api_key, "dd-application-key": self.application_key}


class Server:
    """`procession serve` with a store of its own, and what its administrator may do."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.url = url
        self._keys = data_dir / "keys"
        self.reader = Keys(self._secret("api-key"), self._secret("application-key"))
        admin = {"authorization": f"Bearer {self._secret('admin-key')}"}
        self.http = httpx.Client(base_url=url, headers=admin, timeout=60)
        self.org_id = min(org["id"] for org in self.http.get(ORGS).json()["orgs"])  # the reader's, made at the start

    def _secret(self, name: str) -> str:
        return (self._keys / name).read_text().strip()

    def new_org(self, name: str, scopes: Sequence[Scope] = ()) -> Keys:
        about = {"org_id": self._post(ORGS, {"name": name})["org"]["id"], "name": name}
        api_key = self._post(KEYS, about | {"kind": "api"})["secret"]
        return Keys(api_key, self._post(KEYS, about | {"kind": "application", "scopes": list(scopes)})["secret"])

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.post(path, json=body).raise_for_status().json()
        return answer

    def take(self, snapshot: Snapshot, keys: Keys | None = None, *, cpus: int = 0) -> None:
        """As from the snapshot's agent: chunk by chunk, in frames. `keys`: of another org than the reader's. `cpus`: of
        the host, each as a Datadog Agent lists it."""
        info = pb.CollectorProc(info=pb.SystemInfo(cpus=[pb.CPUInfo(cores=1)] * cpus)).SerializeToString()
        for number, chunk in enumerate(SnapshotEncoder().encode(snapshot)):
            headers = {
                "dd-api-key": (keys or self.reader).api_key,
                "x-dd-hostname": snapshot.host,
                "x-dd-agent-timestamp": str(snapshot.taken_at),
                "x-dd-request-id": str(number),
            }
            body = frame.encode(MessageType.PROCESSES, chunk + info)
            self.http.post("/api/v1/collector", content=body, headers=headers).raise_for_status()

    def take_containers(self, host: str, containers: Sequence[Container], taken_at: int, keys: Keys) -> None:
        """As from the agent of a host."""
        told = [
            (
                ContainerInfo(
                    container_id=one.container_id,
                    runtime=one.runtime,
                    name=one.name,
                    image=f"{one.image_name}:{','.join(one.image_tags)}",
                    created_at=one.created_at or 0,
                    tags=one.tags,
                ),
                one,
            )
            for one in containers
        ]
        headers = {
            "dd-api-key": keys.api_key,
            "x-dd-hostname": host,
            "x-dd-agent-timestamp": str(taken_at),
            "x-dd-request-id": str(taken_at),
        }
        for message, _ in encode_containers(host, told, split_id=taken_at):
            body = frame.encode(MessageType.CONTAINERS, message)
            self.http.post("/api/v1/container", content=body, headers=headers).raise_for_status()

    def scalars(self, body: dict[str, Any], keys: Keys) -> dict[str, list[float | None]]:
        """What a query answers, by the names of columns."""
        answer = self.http.post("/api/v2/query/scalar", json=body, headers=keys.headers).raise_for_status().json()
        return {one["name"]: one["values"] for one in answer["data"]["attributes"]["columns"]}

    def get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        headers = self.reader.headers
        answer: dict[str, Any] = self.http.get(PROCESSES, params=parameters, headers=headers).raise_for_status().json()
        return answer


def _served(data_dir: Path, rate_limit: int) -> Iterator[Server]:
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(data_dir), "--rate-limit", str(rate_limit))
    with running("serve", *options) as started:
        yield Server(_url_of(started), data_dir)


def _url_of(started: Running) -> str:
    return started.line_with("Procession listens at").split()[-1]


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Say:
    """A line on the terminal, even while output is captured: building takes a while."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    capture = pytestconfig.pluginmanager.get_plugin("capturemanager")

    def say(text: str) -> None:
        if reporter is not None and capture is not None:
            with capture.global_and_fixture_disabled():
                reporter.write_line(f"  conformance, {text}")

    return say


@pytest.fixture(scope="session")
def built(say: Say) -> dict[str, str]:
    """Why a language cannot take part, by its name: nothing where all is well."""
    reasons: dict[str, str] = {}
    for language in LANGUAGES:
        if (tool := language.missing_tool()) is not None:
            reasons[language.name] = f"skip: {language.name} needs {tool}, which does not run here"
            say(f"{language.name}: {tool} does not run here")
            continue
        if ARE_BUILT:
            continue
        try:
            language.build(say)
        except CannotBuild as error:
            reasons[language.name] = str(error)
    return reasons


@dataclass(frozen=True)
class Fleet:
    server: Server
    posted_at: int
    snapshots: list[Snapshot]
    cases: list[Case]


@pytest.fixture(scope="session")
def fleet(built: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The server with the fleet in its store; posted once all is built, so that everything was seen just now."""
    # A limit that nobody reaches, so that there are the headers of one.
    for server in _served(tmp_path_factory.mktemp("fleet") / "data", 1_000_000):
        posted_at = int(time.time())
        posted = snapshots(posted_at)
        for snapshot in posted:
            server.take(snapshot)
        after = server.get({"search": "worker", "page[limit]": 10})["meta"]["page"]["after"]
        yield Fleet(server, posted_at, posted, cases(posted_at, after))


@pytest.fixture(scope="session")
def limited(built: dict[str, str], tmp_path_factory: pytest.TempPathFactory, say: Say) -> Iterator[dict[str, Run]]:
    """Each language's run against a server that answers one query a minute, begun at once: they wait side by side.

    Each has an org of its own, since orgs are counted by themselves.
    """
    for server in _served(tmp_path_factory.mktemp("limited") / "data", 1):
        runs = {}
        for language in LANGUAGES:
            if language.name not in built:
                keys = server.new_org(language.name)
                asked = [
                    *(asked_of(case, server.url, keys) for case in LIMITED),
                    asked_of(RETRIED, server.url, keys, retry=True),
                ]
                runs[language.name] = language.start(asked, tmp_path_factory.mktemp(language.name) / "limited")
        yield runs
        for run in runs.values():
            run.stop()


def asked_of(case: Case, url: str, keys: Keys, *, bearer: str = "", retry: bool = False) -> dict[str, Any]:
    """A case as the programs read it."""
    return {
        "name": case.name,
        "url": url,
        "parameters": case.parameters,
        "all_pages": case.all_pages,
        "api_key": keys.api_key,
        "application_key": keys.application_key,
        "bearer": bearer,
        "retry": retry,
    }


@pytest.fixture(scope="session")
def asked(fleet: Fleet) -> list[dict[str, Any]]:
    """The common list: the same text for all languages."""
    reader, other = fleet.server.reader, fleet.server.new_org("other")
    wrong = "0" * 32
    keys = {
        "reader": reader,
        "bearer": reader,
        "wrong api": Keys(wrong, reader.application_key),
        "wrong application": Keys(reader.api_key, wrong),
        "two orgs": Keys(reader.api_key, other.application_key),
        "other org": other,
    }
    url = fleet.server.url
    bearers = {"bearer": reader.application_key}
    return [asked_of(case, url, keys[case.keys], bearer=bearers.get(case.keys, "")) for case in fleet.cases]


Answers = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def answers_of(
    built: dict[str, str],
    limited: dict[str, Run],
    asked: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
    say: Say,
) -> Callable[[Language], Answers]:
    """What a client answered to all cases, asked at the first use."""
    known: dict[str, Answers | AssertionError] = {}

    def ask(language: Language) -> Answers:
        begin = time.monotonic()
        run = language.start(asked, tmp_path_factory.mktemp(language.name) / "fleet")
        results = run.results()
        say(f"{language.name}: asked {len(results)} times in {time.monotonic() - begin:.0f} s")
        return results

    def answers_of(language: Language) -> Answers:
        take_part(built, language)
        if language.name not in known:
            try:
                known[language.name] = ask(language)
            except AssertionError as error:
                known[language.name] = error
        answers = known[language.name]
        if isinstance(answers, AssertionError):
            raise answers
        return answers

    return answers_of


def take_part(built: dict[str, str], language: Language) -> None:
    """Skips where a toolchain is missing, fails where it is there and does not work."""
    reason = built.get(language.name, "")
    if reason.startswith("skip: "):
        pytest.skip(reason.removeprefix("skip: "))
    assert not reason, reason
