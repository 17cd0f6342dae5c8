from __future__ import annotations

from procession.storage.history.engine.long_texts import MAX_BYTES, with_long_texts

TEXT = "SELECT {name:String}, {names:Array(String)}, {numbers:Array(UInt64)}"


def test_what_is_short_is_bound_as_it_is() -> None:
    parameters = {"name": "a" * MAX_BYTES, "names": ["b" * 1000] * 90, "numbers": list(range(100_000))}

    assert with_long_texts(TEXT, parameters) == (TEXT, parameters)
    assert with_long_texts(TEXT, None) == (TEXT, None)


def test_what_is_long_as_it_is_sent_stands_in_the_statement_in_digits_alone() -> None:
    hostile = "'}); DROP TABLE keys; -- {name:String}\ud800"
    name = hostile * 3000
    text, parameters = with_long_texts(TEXT, {"name": name, "names": ["é" * 20_000, hostile], "numbers": [1]})

    assert parameters == {"numbers": [1]}
    assert "DROP" not in text
    assert text.startswith("SELECT unhex('277d293b")
    assert f"[unhex('{('é' * 20_000).encode().hex()}'), unhex('277d29" in text
