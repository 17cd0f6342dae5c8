"""What is opened for orgs and keys changes nothing else in a store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.fleet_past import write_past
from procession.cli.serving.open_store import open_accounts
from procession.config import ServerSettings
from procession.simulate import FleetShape
from procession.storage.embedded_store import open_embedded
from procession.storage.history.engine.embedded import EmbeddedEngine

TEN_YEARS = 24 * 365 * 10


def retention_of(folder: Path) -> set[tuple[str, str]]:
    with closing(EmbeddedEngine(folder)) as engine, engine.connection() as connection:
        found = connection.query(
            "SELECT name, extract(engine_full, 'TTL .*') FROM system.tables WHERE database = 'default'"
        )
        return {(str(name), str(rule)) for name, rule in found.result_rows}


def test_keys_and_a_simulated_past_leave_the_retention_of_a_store_as_it_is(tmp_path: Path) -> None:
    open_embedded(tmp_path, retention_hours=TEN_YEARS, sighting_retention_hours=TEN_YEARS).close()
    before = retention_of(tmp_path)
    assert sum(str(TEN_YEARS) in rule for _, rule in before) > 1

    with closing(open_accounts(ServerSettings(), tmp_path)) as accounts:
        assert accounts.keys.orgs() is not None
    write_past(LocalFiles.of(str(tmp_path)), FleetShape(hosts=1, processes=3, begin_at=1_700_000_000), 1_700_000_060)

    assert retention_of(tmp_path) == before
