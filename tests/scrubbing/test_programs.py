"""The table of programs: each row does what it says, and says where it is from."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product

import pytest

from procession.scrubbing import Scrubber
from procession.scrubbing.programs import LAUNCHERS, STARTS_NOTHING, TABLE, Client

SECRET = "Zq7wLt93"  # noqa: S105
SCRUBBER = Scrubber(words=False, url_passwords=False, more_forms=False)

PAGE = re.compile(r"[\w.+\-]+\(\d\w*\)")


def arguments_of(template: str) -> list[str]:
    """What the template says, with a word for each placeholder."""
    text = template.removesuffix("...").removesuffix("!").replace("[SECRET]", SECRET).replace(", SECRET", f" {SECRET}")
    text = text.replace("... ", "file user ").replace("*=", "name=").replace("-*b*", "-b").replace("*", "x")
    text = re.sub(r"!\S+", "value", text)
    return re.sub(r"(?<![A-Za-z0-9])[A-Z][A-Z_]+(?![A-Za-z0-9])", "value", text.replace("SECRET", SECRET)).split(" ")


@pytest.mark.parametrize("client", TABLE, ids=lambda client: client.names.split()[0])
def test_each_row_hides_its_secrets_and_nothing_else(client: Client) -> None:
    for name, template in product(client.names.split(), client.takes):
        arguments = arguments_of(template)
        assert SECRET in " ".join(arguments)

        hidden = SCRUBBER.scrub([name, *arguments])

        assert hidden[0] == name
        for before, after in zip(arguments, hidden[1:], strict=True):
            # Another template may hide what is passed over here: `qpdf --encrypt` has two passwords.
            assert after == before.replace(SECRET, "********") or (before, after) == ("value", "********"), template


def test_no_program_has_two_rows() -> None:
    names = Counter(name for client in TABLE for name in client.names.split())

    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("client", TABLE, ids=lambda client: client.names.split()[0])
def test_each_row_says_which_manual_page_it_is_from(client: Client) -> None:
    assert re.fullmatch(rf"{PAGE.pattern}(?:, {PAGE.pattern})*|[\w .\-*]+: [\w .,:\-*']+.*|[\w.\- ]+", client.manual)


def test_the_table_was_taken_from_well_over_sixty_manual_pages() -> None:
    pages = {page for client in TABLE for page in PAGE.findall(client.manual)}

    assert len(pages) > 200


def test_names_are_as_the_folders_of_programs_have_them_without_capitals() -> None:
    names = {name for client in TABLE for name in client.names.split()} | LAUNCHERS.keys() | STARTS_NOTHING

    assert {name for name in names if name != name.casefold()} == set()
