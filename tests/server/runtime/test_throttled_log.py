from __future__ import annotations

import logging

import pytest

from procession.server.runtime.throttled_log import ThrottledLog

log = logging.getLogger("procession.test")


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "procession")


def test_so_many_lines_of_an_event_come_in_a_minute_and_the_next_says_how_many_did_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    moment = 1000.0
    lines = ThrottledLog(log, 2, lambda: moment)

    for _ in range(5):
        lines.log(logging.INFO, "seen", "saw %(host)s", {"host": "web-1"})
    lines.log(logging.INFO, "gone", "%(host)s has gone", {"host": "web-1"})
    moment += 59
    lines.log(logging.INFO, "seen", "saw %(host)s", {"host": "web-1"})
    moment += 1
    lines.log(logging.INFO, "seen", "saw %(host)s", {"host": "web-2"})
    moment += 60
    lines.log(logging.INFO, "seen", "saw %(host)s", {"host": "web-3"})

    assert caplog.messages == [
        "saw web-1",
        "saw web-1",
        "web-1 has gone",
        "saw web-2; 4 more of this kind were left out",
        "saw web-3",
    ]
    assert [record.args["event"] for record in caplog.records if isinstance(record.args, dict)] == [
        "seen", "seen", "gone", "seen", "seen",
    ]  # fmt: skip
