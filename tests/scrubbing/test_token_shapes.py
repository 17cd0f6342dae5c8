from __future__ import annotations

import pytest

from procession.scrubbing import Scrubber

SCRUBBER = Scrubber()
LETTERS = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"

# The fronts stand apart, so that nobody who looks for tokens takes this file for a leak.
TOKENS = [
    front + rest
    for front, rest in [
        ("gh" + "p_", LETTERS[:36]),
        ("github" + "_pat_", LETTERS),
        ("gl" + "pat-", LETTERS[:20]),
        ("xo" + "xb-", "123456789012-" + LETTERS[:24]),
        ("AK" + "IA", "IOSFODNN7EXAMPLE"),
        ("AI" + "za", LETTERS[:35]),
        ("sk" + "_live_", LETTERS[:24]),
        ("sk" + "-", LETTERS[:40]),
        ("sk" + "-ant-api03-", LETTERS[:40]),
        ("eyJ" + "hbGciOiJIUzI1NiJ9.", "eyJ" + "zdWIiOiIxIn0." + LETTERS[:20]),
        ("SG" + ".", LETTERS[:22] + "." + LETTERS[:30]),
        ("hv" + "s.", LETTERS[:24]),
        ("hf" + "_", LETTERS[:34]),
        ("np" + "m_", LETTERS[:36]),
        ("py" + "pi-", LETTERS),
        ("do" + "p_v1_", "0123456789abcdef" * 4),
        ("dckr" + "_pat_", LETTERS[:27]),
    ]
]


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:4])
@pytest.mark.parametrize("form", ["{}", "--x={}", "a {} b", "https://h/{}/y", "'{}'", "u,{}"])
def test_a_token_is_known_by_its_front(token: str, form: str) -> None:
    (_, after) = SCRUBBER.scrub(["app", form.format(token)])

    assert after == form.format("********")


def test_the_inside_of_a_private_key_is_hidden() -> None:
    kind = "RSA PRIVATE" + " KEY"
    pem = f"-----BEGIN {kind}-----\nMIIEow\nab-cd==\n-----END {kind}-----"

    (_, after) = SCRUBBER.scrub(["app", pem])

    assert after == f"-----BEGIN {kind}-----********-----END {kind}-----"


@pytest.mark.parametrize(
    "text",
    ["task-runner-12345678901234567890", "/usr/lib/sk-1", "ghp_short", "keyboard-0123456789abcdef", "eyJ.eyJ", "AKIAX",
     "disk-" + LETTERS, "risk_live_" + LETTERS],
)  # fmt: skip
def test_what_only_begins_like_a_token_is_shown(text: str) -> None:
    assert SCRUBBER.scrub(["app", text]) == ("app", text)
