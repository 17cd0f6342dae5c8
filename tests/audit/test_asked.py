from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.accounts.orgs import KeyKind, new_secret
from procession.accounts.sessions import new_token
from procession.audit.asked import MAX_CHARACTERS, MOST_NAMES, NAMES, asked_of, scrubbed, scrubbed_change
from procession.server.web.openapi import load_document
from tests.audit.trails import an_entry

SECRETS = [
    *(new_secret(kind) for kind in KeyKind),
    new_token(),
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
]


def asked(**parameters: str) -> dict[str, object]:
    return asked_of(an_entry(query=urlencode(parameters).encode()))


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))  # random: no two workers would name them alike
@pytest.mark.parametrize("text", ["{}", "cmdline:{}", '"--token {}"', "a {} b", "password={}"])
def test_a_secret_that_somebody_searches_for_is_hidden(secret: str, text: str) -> None:
    assert secret not in json.dumps(asked(search=text.format(secret)))


@pytest.mark.parametrize(
    "text",
    ["--password hunter2secret", "mysql -phunter2secret", "https://joe:hunter2secret@db/x", "PASSWORD=hunter2secret"],
)
def test_a_search_is_scrubbed_as_a_command_line_is(text: str) -> None:
    assert "hunter2secret" not in json.dumps(asked(search=text))


@pytest.mark.parametrize(
    "text",
    [
        "nginx -g daemon",
        "host:web-frontend-prod-eu-west-1a-0001",
        "container_id:" + "a1" * 32,
        "cpu:>50 user:root",
    ],
)
def test_what_is_no_secret_is_kept(text: str) -> None:
    assert asked(search=text) == {"search": text}


def test_of_parameters_that_nobody_knows_only_their_number_is_kept() -> None:
    assert asked(search="a", application_key="b" * 40, other="x") == {"search": "a", "other parameters": 2}


@given(
    parameters=st.lists(st.tuples(st.sampled_from(sorted(NAMES)), st.text(max_size=20)), max_size=MOST_NAMES),
    raw=st.sampled_from([b"", b"&&", b"&search", b"&search=%zz%C3", b"&search=a=b;c+d", b"&=1&search=" + b"a b" * 400]),
)
def test_parameters_are_those_that_the_standard_library_reads(parameters: list[tuple[str, str]], raw: bytes) -> None:
    query = urlencode(parameters).encode() + raw
    read = parse_qsl(query.decode(), keep_blank_values=True, errors="replace")[:MOST_NAMES]
    expected = {name: scrubbed(value) for name, value in read if name in NAMES}

    for _ in range(2):  # the second time some of it is remembered
        found = asked_of(an_entry(query=query))
        assert {name: value for name, value in found.items() if name != "other parameters"} == expected


def test_a_cursor_says_nothing_that_the_rest_does_not() -> None:
    assert asked_of(an_entry(query=b"search=a&page%5Bcursor%5D=abc&page[limit]=5")) == {
        "search": "a",
        "page[limit]": "5",
    }


def test_what_is_long_is_cut() -> None:
    long = asked(search="x" * 10**6, tags="a," * 10**5)

    assert {len(str(value)) for value in long.values()} == {MAX_CHARACTERS + 1}
    assert len(asked_of(an_entry(query=b"&".join(b"search=%d" % n for n in range(10_000))))) == 1
    assert len(json.dumps(asked_of(an_entry(body=b"\xff" * 4096, query=b"")))) < 10_000


@pytest.mark.parametrize("query", [b"search=%ff%fe", b"search=%00", b"search=%ed%a0%80", b"%", b"&&=&", b"search=\xff"])
def test_bytes_of_any_kind_become_text(query: bytes) -> None:
    assert json.dumps(asked_of(an_entry(query=query))).isascii()


def test_the_id_of_a_process_is_kept_and_what_only_looks_like_one_is_not() -> None:
    kept, hidden = "01000000" + "ab" * 16, "ab" * 20

    assert asked_of(an_entry(path={"process_id": kept}, query=b"")) == {"process_id": kept}
    assert hidden not in json.dumps(asked_of(an_entry(path={"process_id": hidden}, query=b"")))


def test_every_text_of_a_change_is_scrubbed() -> None:
    secret = new_secret(KeyKind.APPLICATION)
    change = {"kind": "view", "after": {"state": f"search={secret}", "list": [secret, 1, None, True], secret: 2.5}}

    clean = scrubbed_change(change)

    assert secret not in json.dumps(clean)
    assert clean["after"]["list"][1:] == [1, None, True]


def test_a_change_that_has_no_end_has_one_here() -> None:
    deep: dict[str, object] = {}
    for _ in range(10_000):
        deep = {"in": deep}

    assert len(json.dumps(scrubbed_change(deep))) < 200


def test_scrubbing_a_text_again_changes_nothing() -> None:
    for text in ("nginx", "x" * 5000, "é" * 5000):
        assert scrubbed(text) == scrubbed(scrubbed(text)[:MAX_CHARACTERS]) or len(text) > MAX_CHARACTERS


def test_every_parameter_of_the_api_is_known() -> None:
    document = load_document()
    shared = document["components"].get("parameters", {})
    named = set()
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()) if isinstance(operation, dict) else ():
                found = shared[parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter
                if found["in"] == "query":
                    named.add(found["name"])

    assert named
    # What a provider sends along with somebody who signs in: secrets for once, and texts of its own.
    of_providers = {"code", "error", "iss", "state"}
    assert named - NAMES == {"page[cursor]", *of_providers}
