"""What a message says, and to whom; and that no process can change either by what it calls itself."""

from __future__ import annotations

import json
import re
import time
from email import message_from_bytes, policy
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from procession.errors import InvalidRequest
from procession.monitors.transition import State, Transition, TransitionKind
from procession.notifications import message
from procession.notifications.channels import AlertmanagerChannel, Encoding, PagerDutyChannel, SlackChannel, Webhook
from procession.notifications.payloads.alertmanager import alertmanager_request
from procession.notifications.payloads.mail import mail_of
from procession.notifications.payloads.pagerduty import pagerduty_request
from procession.notifications.payloads.slack import slack_request
from procession.notifications.payloads.webhook import check_webhook, webhook_request
from procession.notifications.template import MAX_TEMPLATE_CHARACTERS, check_template
from tests.support.notifying import HOSTILE, a_recovery, a_transition

EVERYTHING = (
    "{{#is_alert}}ALERT {{value}} {{{value}}} {{&value}} of {{threshold}} on {{host.name}} @webhook-oncall{{/is_alert}}"
    "{{#is_recovery}}RECOVERED @pagerduty-night{{/is_recovery}}{{^is_alert}}NO ALERT{{/is_alert}}"
    " {{reason}} {{processes}} {{service.name}} @ops@example.org"
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{value}}/{{threshold}}/{{warn_threshold}}", "0/1/"),
        ("{{ host.name }} {{host}}", "web-1 web-1"),
        ("{{#is_alert}}a{{/is_alert}}{{#is_warning}}w{{/is_warning}}{{^is_alert}}n{{/is_alert}}", "a"),
        ("{{#is_no_data}}n{{/is_no_data}}{{#is_recovery}}r{{/is_recovery}}{{^is_recovery}}not{{/is_recovery}}", "not"),
        ("{{! a note }}x{{nothing}}{{value.__class__}}{{.}}", "x"),
    ],
)
def test_a_template_has_datadogs_variables_and_conditions(template: str, text: str) -> None:
    assert message.text(a_transition(message=template)) == text


@pytest.mark.parametrize(
    ("previous", "state", "names"),
    [
        (State.OK, State.ALERT, {"is_alert"}),
        (State.OK, State.WARN, {"is_warning"}),
        (State.ALERT, State.WARN, {"is_warning", "is_alert_to_warning"}),
        (State.WARN, State.ALERT, {"is_alert", "is_warning_to_alert"}),
        (State.ALERT, State.NO_DATA, {"is_no_data", "is_alert_to_no_data"}),
        (State.NO_DATA, State.ALERT, {"is_alert", "is_no_data_to_alert"}),
        (State.ALERT, State.OK, {"is_recovery", "is_alert_recovery"}),
        (State.WARN, State.OK, {"is_recovery", "is_warning_recovery"}),
        (State.NO_DATA, State.OK, {"is_recovery", "is_no_data_recovery"}),
    ],
)
def test_conditions_say_how_the_state_changed(previous: State, state: State, names: set[str]) -> None:
    values = message.template_values(a_transition(previous=previous, state=state))

    assert {name for name, value in values.items() if value is True} == names


def test_a_message_calls_those_that_are_named_for_its_state() -> None:
    assert message.mentions(a_transition(message=EVERYTHING)) == ("webhook-oncall", "ops@example.org")
    assert message.mentions(a_recovery(message=EVERYTHING)) == ("pagerduty-night", "ops@example.org")
    assert message.mentions(a_transition(message="(@slack-a), @slack-b. a@b.test @slack-{{host.name}}")) == (
        "slack-a",
        "slack-b",
    )


@pytest.mark.parametrize(
    "template",
    ["{{#a}}", "{{/a}}", "{{a", "{{=<% %>=}}", "{{>file}}", "{{<parent}}{{/parent}}", f"{{{{{'9' * 5000}}}}}"],
)
def test_what_is_no_template_is_refused_and_sent_as_it_stands(template: str) -> None:
    with pytest.raises(InvalidRequest):
        check_template(template)

    transition = a_transition(message=f"{template} @webhook-oncall")
    assert message.text(transition) == transition.message
    assert "webhook-oncall" in message.mentions(transition)


@pytest.mark.parametrize(
    "template",
    ["{{#a}}" * 17 + "{{/a}}" * 17, "{{a}}" * 501, "x" * (MAX_TEMPLATE_CHARACTERS + 1), "{{#a}}" * 2_000],
)
def test_templates_have_bounds(template: str) -> None:
    with pytest.raises(InvalidRequest):
        check_template(template)


def test_the_largest_template_renders_at_once() -> None:
    transition = a_transition(message="{{processes}}" * 500, processes=("x" * 1_000_000,))

    began = time.thread_time()
    assert len(message.text(transition)) <= message.MAX_TEXT_CHARACTERS
    assert time.thread_time() - began < 1


def hostile(name: str) -> Transition:
    """All that a process can say of itself, said by one that calls itself so."""
    return a_transition(
        message=EVERYTHING,
        group=(("host", name), ("service", name)),
        processes=(name, name),
        monitor_name="gone: {{host.name}}",
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_changes_who_is_called_or_what_a_message_is_about(name: str) -> None:
    transition = hostile(name)

    assert message.mentions(transition) == ("webhook-oncall", "ops@example.org")
    text = message.text(transition)
    assert text.startswith("ALERT 0 0 0 of 1 on ")
    assert "RECOVERED @" not in text
    assert "NO ALERT" not in text
    for shown in (text, message.title(transition)):
        assert len(shown.splitlines()) == 1
        assert not re.search("[\\x00-\\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_a_webhook(name: str) -> None:
    webhook = Webhook(
        "oncall",
        "https://example.org/hook/$HOSTNAME?title=$EVENT_TITLE&key=$SECRET",
        payload='{"t": "<$EVENT_TITLE>", "n": $ALERT_ID, "h": $HOSTNAME, "tag": "$TAGS[host]", "$HOSTNAME": 1}',
        custom_headers='{"X-Host": "$HOSTNAME", "Authorization": "Bearer $SECRET"}',
    )

    request = webhook_request(webhook, hostile(name), {"SECRET": "s3cret"}, notification_id="n", org_name="o", link="")

    body = json.loads(request.body)
    assert len(body) == 5
    assert (body["t"][0], body["t"][-1], body["n"]) == ("<", ">", 7)
    assert body["h"] == body["tag"]
    url = urlsplit(request.url)
    assert (url.netloc, url.path.count("/"), url.fragment) == ("example.org", 2, "")
    assert list(parse_qs(url.query)) == ["title", "key"]
    headers = dict(request.headers)
    assert headers["Authorization"] == "Bearer s3cret"
    assert "\r" not in headers["X-Host"]
    assert "\n" not in headers["X-Host"]
    assert b"s3cret" not in request.body


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_a_form(name: str) -> None:
    webhook = Webhook("f", "https://e.test", payload='{"title": "$EVENT_TITLE", "n": [1]}', encode_as=Encoding.FORM)

    request = webhook_request(webhook, hostile(name), {}, notification_id="n", org_name="o", link="")

    fields = parse_qs(request.body.decode(), strict_parsing=True)
    assert request.content_type == "application/x-www-form-urlencoded"
    assert (list(fields), fields["n"]) == (["title", "n"], ["[1]"])


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_markup_for_slack(name: str) -> None:
    request = slack_request(SlackChannel("s", "https://e.test"), hostile(name), link="")

    text = json.loads(request.body)["text"]
    assert "<" not in text
    assert ">" not in text
    assert text.count("\n") == 3
    assert text.split("\n")[0].startswith("*[Triggered on ")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_writes_a_header_or_html_of_a_mail(name: str) -> None:
    mail = mail_of(hostile(name), sender="a@b.test", to=("c@d.test",), notification_id="n", link="")

    read = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert read["To"] == "c@d.test"
    assert read.keys() == mail.keys()
    assert not {"bcc", "x-evil"} & {key.lower() for key in read.keys()}  # noqa: SIM118 (of a message)
    plain, html = (part.get_content() for part in read.iter_parts())
    inside = html.removeprefix("<!doctype html><pre>").rstrip().removesuffix("</pre>")
    assert "<" not in inside
    assert unescape(inside) == plain
    assert plain.count("\nProcess: ") == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_forges_another_alert_or_group(name: str) -> None:
    trigger, over = hostile(name), a_recovery(group=hostile(name).group, monitor_name="gone: {{host.name}}")

    first, last = (
        json.loads(alertmanager_request(AlertmanagerChannel("a", "https://e.test"), one, link="").body)[0]
        for one in (trigger, over)
    )
    assert first["labels"] == last["labels"]
    assert set(first["labels"]) == {"alertname", "host", "service", "monitor_id", "org_id"}
    opened, resolved = (
        json.loads(pagerduty_request(PagerDutyChannel("p", "key"), one, link="").body) for one in (trigger, over)
    )
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"] == "cycle-1"


@pytest.mark.parametrize(
    "webhook",
    [
        Webhook("w", "https://e.test", payload='{"a": '),
        Webhook("w", "https://e.test", custom_headers="no"),
        Webhook("w", "https://e.test", custom_headers='{"a b": "c"}'),
        Webhook("w", "https://e.test", custom_headers='{"Host": "c"}'),
        Webhook("w", "https://e.test", custom_headers='{"a": "x\\ny"}'),
    ],
)
def test_a_webhook_that_could_not_be_sent_is_refused(webhook: Webhook) -> None:
    with pytest.raises(InvalidRequest):
        check_webhook(webhook)


def test_a_webhook_may_have_numbers_of_its_variables() -> None:
    check_webhook(Webhook("w", "https://e.test", payload='{"id": $ALERT_ID, "t": "$TAGS[host]", "x": $TAGS[host]}'))


def test_titles_say_what_happened() -> None:
    titles = [
        message.title(one)
        for one in (
            a_transition(),
            a_transition(kind=TransitionKind.RENOTIFY),
            a_recovery(group=()),
            a_transition(state=State.NO_DATA),
        )
    ]

    assert titles == [
        "[Triggered on {host:web-1}] nginx is gone",
        "[Re-Triggered on {host:web-1}] nginx is gone",
        "[Recovered] nginx is gone",
        "[No Data on {host:web-1}] nginx is gone",
    ]
