"""The API key of one server."""

from __future__ import annotations

import contextlib
from pathlib import Path

from procession.errors import UsageError


class ApiKey:
    """A key given as it is, or by the file that holds it."""

    def __init__(self, text: str = "", file: str = "") -> None:
        """Raises UsageError for what can be no key."""
        self._file = file
        self.text = _checked(_read(file) if file else text)

    def read_again(self) -> None:
        """Somebody may have put another one into the file. What is wrong with it then changes nothing."""
        if self._file:
            with contextlib.suppress(UsageError):
                self.text = _checked(_read(self._file))

    def hidden_in(self, text: str) -> str:
        """The text without the key: a server may repeat what it was sent."""
        # A short one is a test's, and may be part of any word.
        return text.replace(self.text, "********") if len(self.text) >= 8 else text

    def __repr__(self) -> str:
        return "ApiKey(...)"


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text"
        raise UsageError(f"cannot read the API key in {file}: {reason}") from None


def _checked(text: str) -> str:
    key = text.strip()
    if not key:
        raise UsageError("there is no API key; give one by --api-key-file FILE or in DD_API_KEY")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError("the API key has characters that no key has")
    return key
