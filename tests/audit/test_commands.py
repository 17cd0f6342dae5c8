from __future__ import annotations

from pathlib import Path

import pytest

from procession.audit.commands import record_command
from procession.audit.trail import Trail
from procession.audit.verification import verify
from procession.errors import UsageError
from tests.audit.trails import NOON, a_trail, all_records, folder_in

CHANGE = {"kind": "key", "subject": "x", "action": "created", "org_id": 1, "after": {"name": "b" * 40}}


def test_a_command_goes_on_with_the_trail_and_its_retention(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 2, retention_days=12)

    record_command(folder, CHANGE, org_id=1, now=NOON + 1)

    (record,) = all_records(folder, "command")
    assert record["number"] == 4
    assert record["who"]["name"] == "owner of the store"
    assert "b" * 40 not in str(record)
    assert all_records(folder, "retention") == []
    assert verify(folder).is_good


def test_where_there_is_no_trail_none_is_begun(tmp_path: Path) -> None:
    record_command(folder_in(tmp_path), CHANGE, org_id=1, now=NOON)

    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_recorded_may_not_be_done(tmp_path: Path) -> None:
    folder = folder_in(tmp_path)
    a_trail(folder, 1)
    held = Trail(folder, retention_days=1, now=NOON)

    with pytest.raises(UsageError, match="another process writes this audit trail"):
        record_command(folder, CHANGE, org_id=1, now=NOON)
    held.close()
