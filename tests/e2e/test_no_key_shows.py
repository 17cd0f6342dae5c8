"""Keys are in files and variables, and nowhere that others can look: no list of processes, no log, no answer."""

from __future__ import annotations

from pathlib import Path

import httpx

from procession.accounts.orgs import KeyKind
from tests.support.running import clean_environment, running, up

REST = "/api/v1/validate"


def command_lines(session: int) -> list[str]:
    """Of all processes that a process has started, as any user of the machine sees them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            text = (folder / "cmdline").read_bytes().decode()
        except OSError:
            continue
        if session in (int(folder.name), int(fields[1])):
            found.append(text)
    return found


def test_no_key_is_in_the_list_of_processes_or_in_a_log(tmp_path: Path) -> None:
    mine = {"DD_API_KEY": "1234567890abcdef" * 2, "DD_APP_KEY": "fedcba0987654321" * 2}
    with up(tmp_path, environment=clean_environment(**mine)) as (server, url):
        server.line_with("The first processes have arrived.")
        keys = {kind: (tmp_path / "keys" / f"{kind.value}-key").read_text().strip() for kind in KeyKind}
        assert keys[KeyKind.API] == mine["DD_API_KEY"]
        secrets = list(keys.values())
        for secret in secrets:
            for query in (f"?api_key={secret}", f"?search={secret}&page[limit]=x"):
                for headers in ({}, {"dd-api-key": secret}, {"authorization": f"Bearer {secret}"}):
                    for path in (REST, "/api/v2/processes", "/nowhere", "/metrics"):
                        answer = httpx.get(url + path + query, headers=headers)
                        assert secret not in answer.text + str(answer.headers)
                httpx.post(f"{url}/api/v1/collector{query}", content=b"\x00nonsense")

        options = ("--url", url, "--interval-seconds", "1")
        environment = clean_environment(DD_API_KEY=keys[KeyKind.API])
        with running("agent", *options, environment=environment) as agent:
            agent.line_with("sending the processes of")
            shown = command_lines(server.pid) + command_lines(agent.pid)
            agent.stop()
        server.stop()

    assert len(shown) >= 3, "a server, its agent, and another agent"
    text = "\n".join(
        [*shown, *server.output[server.output.index("The first processes have arrived.") :], *agent.output]
    )
    assert not [secret for secret in secrets if secret in text]
