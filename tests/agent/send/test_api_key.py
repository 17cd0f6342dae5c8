from __future__ import annotations

from pathlib import Path

import pytest

from procession.agent.send.api_key import ApiKey
from procession.errors import UsageError


def test_a_key_is_a_text_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("  abc123\n")

    assert ApiKey(" abc\n").text == "abc"
    assert ApiKey(file=str(tmp_path / "key")).text == "abc123"


def test_another_key_in_the_file_is_taken_and_a_mistake_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("first")
    key = ApiKey(file=str(file))

    file.write_text("second")
    key.read_again()
    assert key.text == "second"

    for mistake in ("", "two words"):
        file.write_text(mistake)
        key.read_again()
    file.unlink()
    key.read_again()
    assert key.text == "second"


@pytest.mark.parametrize("text", ["", " ", "a b", "ü", "a\x00b"])
def test_what_can_be_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="API key") as raised:
        ApiKey(text)

    assert len(text.strip()) < 2 or text not in str(raised.value)


def test_a_key_does_not_show(tmp_path: Path) -> None:
    key = ApiKey("k" * 32)

    assert "k" * 32 not in repr(key)
    assert key.hidden_in(f"you sent {'k' * 32}!") == "you sent ********!"
