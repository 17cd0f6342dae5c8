"""Alerts in a real Alertmanager: Debian's."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from procession.accounts.orgs import Org
from procession.monitors.transition import TransitionKind
from procession.notifications.channels import AlertmanagerChannel
from procession.notifications.notification import Delivery
from tests.support.notifying import HOSTILE, Posting, a_recovery, a_transition
from tests.support.stores.notification_oracle import OracleNotifications
from tests.support.stores.oracle import OracleStore

PROGRAM = "prometheus-alertmanager"


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"no {PROGRAM}: Debian has a package of this name")
    configuration = tmp_path / "alertmanager.yml"
    configuration.write_text(json.dumps({"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}))
    options = (
        f"--config.file={configuration}",
        f"--storage.path={tmp_path / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    )
    with subprocess.Popen([PROGRAM, *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stderr:
            said.append(line)
            if match := re.search(r'msg="Listening on" address=(\S+)', line):
                yield f"http://{match[1]}"
                break
        else:
            pytest.fail("".join(said))
        process.kill()


def alerts(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{url}/api/v2/alerts").json()
    return found


def test_a_test_is_an_alert_of_its_own_and_ends_by_itself(alertmanager: str) -> None:
    store, orgs = OracleNotifications(), OracleStore()
    orgs.put_org(Org(1, "main"))
    store.put_channel(1, AlertmanagerChannel("main", alertmanager))
    posting = Posting(store, store, orgs)
    now = int(time.time())
    alert = a_transition(message="gone @alertmanager-main", at=now)

    posting.put(alert, replace(alert, kind=TransitionKind.TEST, cycle_key="test-1"))
    posting.send()

    found = {one["labels"].get("test"): one for one in alerts(alertmanager)}
    assert set(found) == {None, "true"}
    ends = {test: datetime.fromisoformat(one["endsAt"]).timestamp() - now for test, one in found.items()}
    assert ends["true"] == 300
    assert ends[None] > 86400


def test_each_group_has_an_alert_from_trigger_to_recovery_whatever_it_calls_itself(alertmanager: str) -> None:
    store, orgs = OracleNotifications(), OracleStore()
    orgs.put_org(Org(1, "main"))
    store.put_channel(1, AlertmanagerChannel("main", alertmanager))
    posting = Posting(store, store, orgs)
    now = int(time.time())
    groups = [(("host", name), ("0 strange-key", name)) for name in HOSTILE]
    given: dict[str, Any] = {"message": "gone from {{host.name}} @alertmanager-main"}

    for number, group in enumerate(groups):
        posting.put(a_transition(**given, group=group, at=now - 5, cycle_key=f"c{number}"))
    posting.send()
    found = alerts(alertmanager)
    assert {one["labels"]["monitor_id"] for one in found} == {"7"}
    assert {one["annotations"]["cycle_key"] for one in found} == {f"c{number}" for number in range(len(groups))}
    assert {one["status"]["state"] for one in found} == {"active"}

    for number, group in enumerate(groups):
        posting.put(a_recovery(**given, group=group, at=now - 1, cycle_key=f"c{number}"))
    posting.send()

    assert alerts(alertmanager) == []
    assert set(posting.deliveries()) == {Delivery.SENT}
