from __future__ import annotations

from pathlib import Path

import pytest

from procession.cli.local.service_installation import CAPABILITIES, ENVIRONMENT_FILE, STATE
from procession.cli.local.service_units import unit_text

AGENT, SERVER = "procession-agent.service", "procession-server.service"


def text(service: str, user: str | None = None) -> str:
    return unit_text(
        service, command="/usr/bin/procession x", environment=ENVIRONMENT_FILE, origin="Of a test.", user=user
    )


def values(unit: str, name: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{name}=")]


@pytest.mark.parametrize("service", [AGENT, SERVER])
def test_a_unit_runs_the_command_with_the_settings_of_its_file(service: str) -> None:
    unit = text(service)

    assert values(unit, "ExecStart") == ["/usr/bin/procession x"]
    assert values(unit, "EnvironmentFile") == [str(ENVIRONMENT_FILE)]
    assert unit.startswith("# Of a test. `systemctl edit ")
    assert not {"{", "}"} & set(unit)


@pytest.mark.parametrize("service", [AGENT, SERVER])
def test_a_unit_has_a_user_of_its_own_that_systemd_makes_or_that_there_is(service: str) -> None:
    assert values(text(service), "DynamicUser") == ["yes"]
    assert values(text(service, user="someone"), "User") == ["someone"]
    assert values(text(service, user="someone"), "DynamicUser") == []


def test_the_agent_has_three_of_roots_powers_and_the_server_none() -> None:
    for name in ("CapabilityBoundingSet", "AmbientCapabilities"):
        assert values(text(AGENT), name) == [CAPABILITIES]
        assert values(text(SERVER), name) == [""]


def test_each_may_write_its_own_folder_alone() -> None:
    assert values(text(AGENT), "StateDirectory") == [STATE]
    assert values(text(SERVER), "StateDirectory") == ["procession"]
    for service in (AGENT, SERVER):
        assert values(text(service), "ProtectSystem") == ["strict"]
        assert values(text(service), "ReadWritePaths") == []


def test_there_is_a_unit_for_each_service_and_no_other() -> None:
    folder = Path(__file__).parents[3] / "src" / "procession" / "cli" / "local" / "units"

    assert {path.name for path in folder.iterdir()} == {AGENT, SERVER}
