from __future__ import annotations

import os
from pathlib import Path

import pytest

from procession.cli.commands.restore import restore
from procession.cli.local.frozen_store import frozen_store
from procession.cli.local.owner import refuse_root_in_folder_of_others
from procession.config import ServerSettings
from procession.errors import UsageError


@pytest.fixture
def of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of somebody who is not root, as root sees it."""
    folder = tmp_path / "data"
    (folder / "clickhouse").mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(folder, 65534, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


def test_root_does_not_write_into_the_data_folder_of_another(of_another: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="could not read what root writes there"):
        refuse_root_in_folder_of_others(of_another)
    with pytest.raises(UsageError, match="could not read"), frozen_store(ServerSettings(data_dir=str(of_another))):
        pass
    with pytest.raises(UsageError, match="could not read"):
        restore.main([str(tmp_path / "backup"), "--data-dir", str(of_another)], standalone_mode=False)

    assert [one.name for one in of_another.iterdir()] == ["clickhouse"]


def test_the_owner_writes_into_the_data_folder(of_another: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: of_another.stat().st_uid)

    refuse_root_in_folder_of_others(of_another)


def test_root_makes_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    refuse_root_in_folder_of_others(tmp_path / "none")
