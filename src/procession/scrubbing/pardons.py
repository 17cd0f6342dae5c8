"""What a Datadog Agent hides though it is no secret: `kubectl get secret web`, `psql --password -U app`."""

from __future__ import annotations

import re

from procession.scrubbing.names import Secrecy, is_about_a_secret, is_harmless, is_switch_value, secrecy

_OPTION = re.compile(r"--?(?:(?P<name>[A-Za-z][\w.\-]*)(?:=.*)?)?\Z", re.ASCII | re.DOTALL)
# What a password seldom is.
_PLAIN = re.compile(r"[\w./:@=,+*|{}()\[\]<>\-]*\Z", re.ASCII)
_LOGIN = re.compile(r"[\w.@\-]+:\S+")


def is_pardoned(key: str, value: str) -> bool:
    """Whether a value is shown; `key` has with it what parts it from the value, blanks or one of `=:`."""
    name = key.rstrip(" =:").strip("\"'`{}[](<>,")
    if is_about_a_secret(name.rpartition("=")[2]) or is_switch_value(value):
        return True
    if "credential" in name.casefold() and (
        is_harmless(value.partition(",")[0]) or _LOGIN.fullmatch(value)
    ):  # its user may be shown
        return True
    if key[-1:] != " ":
        return False
    if not name.startswith("-") and _PLAIN.match(value):  # a word of a text, a command or a name: `secret list`
        return True
    option = _OPTION.match(value)
    return option is not None and (not option["name"] or secrecy(option["name"]) is Secrecy.NO)
