from __future__ import annotations

import pytest

from procession.errors import InvalidRequest
from procession.notifications.message import template_values
from procession.notifications.template_names import NAMES, check_message
from tests.support.notifying import a_transition


def test_the_names_are_those_that_a_message_has_values_for() -> None:
    assert template_values(a_transition(group=())).keys() == NAMES


@pytest.mark.parametrize(
    "message",
    [
        "",
        "nginx is gone @slack-ops",
        "{{value}} of {{ threshold }} on {{host.name}} {{{host}}} {{&reason}}",
        "{{#is_alert}}a{{/is_alert}}{{^is_alert_to_warning}}b{{/is_alert_to_warning}}",
        "{{! of whatever {{ name: not.looked.at }}",
        "} }} { a",
    ],
)
def test_a_message_with_known_names_is_good(message: str) -> None:
    check_message(message, ("host",))


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("{{valeu}}", "names {{valeu}}, which is no variable here"),
        ("{{{valeu}}}", "names {{valeu}}, which is no variable here"),
        ("{{& valeu }}", "names {{valeu}}, which is no variable here"),
        ("{{#is_alarm}}a{{/is_alarm}}", "names {{is_alarm}}, which is no variable here"),
        ("{{^is_alarm}}a{{/is_alarm}}", "names {{is_alarm}}, which is no variable here"),
        ("{{.}}", "names {{.}}, which is no variable here"),
        ("{{command.name}}", "names {{command.name}}, and the query has no .by('command')"),
        ("{{#is_alert}}a", "is no template"),
        ("{{value", "is no template"),
        ("{{>file}}", "has a partial"),
        ("{{" + "x" * 500 + "}}", "x…}}, which is no variable"),
    ],
)
def test_what_would_be_found_out_by_night_is_refused(message: str, fault: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_message(message, ("host",))

    assert fault in str(refusal.value)
