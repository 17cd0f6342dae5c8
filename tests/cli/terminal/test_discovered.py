from __future__ import annotations

from procession.cli.terminal.discovered import TEXTS, UNKNOWN


def test_what_nobody_told_is_not_known_also_of_a_server_that_does_not_say_it() -> None:
    unknown = {
        "language": None,
        "services": None,
        "listens": {"tcp": None, "udp": None},
        "tracers": None,
        "instrumented": None,
        "injection": None,
    }

    assert {text(unknown) for text in TEXTS.values()} == {UNKNOWN}
    assert {text({}) for text in TEXTS.values()} == {UNKNOWN}


def test_what_is_there_is_said_and_what_is_not_is_none() -> None:
    attributes = {
        "language": "go",
        "services": [{"name": "shop", "found_by": "spring"}, {"name": "cart", "found_by": None}],
        "listens": {"tcp": [80, 443], "udp": [53]},
        "tracers": [{"runtime_id": "c0ffee", "service": None}],
        "instrumented": False,
        "injection": "not_injected",
    }

    assert {name: text(attributes) for name, text in TEXTS.items()} == {
        "language": "go",
        "services": "shop, cart",
        "listens": "80, 443, udp 53",
        "tracers": "? c0ffee",
        "instrumented": "no",
        "injection": "not_injected",
    }
    assert TEXTS["listens"]({"listens": {"tcp": [], "udp": []}}) == "none"
    assert TEXTS["services"]({"services": []}) == "none"
