from __future__ import annotations

import pytest

from procession.scrubbing import Scrubber

SCRUBBER = Scrubber()


@pytest.mark.parametrize(
    "text",
    [
        "http://[::1]:80/x@y",
        "http://[fe80::1%25eth0]:8080/a@b",
        "http://h:80/a@b",
        "http://$HOST:$PORT/a@b",
        "http://h:${PORT}/a@b",
        "http://*:80/a@b",
        "mongodb://h1:27017,h2:27017/db?a=b@c",
        "docker://alpine:3.18@sha256:abcdef",
        "file:///C:/x@y",
        "file://C:/x@y",
        "nfs://host:/export@x",
        "ssh://git@h:22/x@y",
        "git@github.com:org/repo",
    ],
)
def test_what_is_no_password_in_an_address_is_shown(text: str) -> None:
    assert SCRUBBER.scrub(["app", text]) == ("app", text)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("http://u:p9@[::1]:80/x", "http://u:********@[::1]:80/x"),
        ("https://hooks.slack.com/services/T0/B0/abcDEF123", "https://hooks.slack.com/services/T0/B0/********"),
        ("https://api.telegram.org/bot12345:AAF-xyz/getMe", "https://api.telegram.org/bot12345:********/getMe"),
        ("https://discord.com/api/webhooks/123/abcDEF-1", "https://discord.com/api/webhooks/123/********"),
    ],
)
def test_passwords_in_addresses_of_other_forms_are_hidden(text: str, after: str) -> None:
    assert SCRUBBER.scrub(["app", text]) == ("app", after)
