"""What a server loads when agents post and readers ask for the first time."""

from __future__ import annotations

import http.client
import time
from pathlib import Path
from urllib.parse import urlsplit

from procession.agent.send.payload_maker import PayloadMaker
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import clean_environment, running

API_KEY, APPLICATION_KEY = "c" * 32, "d" * 40
HEADERS = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APPLICATION_KEY}


def test_a_server_never_loads_pandas(tmp_path: Path) -> None:
    """pyarrow would, for its first array: whoever posts first would wait for it."""
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path))
    environment = clean_environment(DD_API_KEY=API_KEY, DD_APP_KEY=APPLICATION_KEY)
    now = int(time.time())
    (payload,) = PayloadMaker(host="web-1", run=1, started_at=now - 60).make(
        a_snapshot(*(a_sighting(pid, now - 60) for pid in (1, 2, 3)), taken_at=now)
    )
    with running("serve", *options, environment=environment) as server:
        url = server.line_with("http://").split()[-1]
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

        def ask(method: str, path: str, body: bytes | None = None, **headers: str) -> int:
            connection.request(method, path, body, HEADERS | headers)
            response = connection.getresponse()
            response.read()
            return response.status

        statuses = [
            ask("POST", payload.path, payload.body, **payload.headers),
            ask("GET", "/api/v2/processes"),
            ask("GET", f"/api/procession/v1/groups?by=command&at={now}"),
            ask("GET", f"/api/procession/v1/facets?keys=user&at={now}"),
        ]
        loaded = Path(f"/proc/{server.pid}/maps").read_text()

    assert statuses == [200] * 4
    assert "/pyarrow/" in loaded
    assert "/pandas/" not in loaded
