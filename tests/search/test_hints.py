"""What is said of questions in other languages: which sign was meant, and how it is written here."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.search.hints import MOST_HINTS, host_tag_hint, moment_hint, search_hints, tags_hints


@pytest.mark.parametrize(
    ("search", "meant"),
    [
        # A parenthesis after a key, as in Lucene, Elasticsearch and Datadog's logs.
        ("host:(a OR b)", "'(host:a OR host:b)'"),
        ("host: (a OR b)", "'(host:a OR host:b)'"),
        ("java host:(a AND b)", "'(host:a AND host:b)'"),
        ("host:(a", "'(host:a)'"),
        ("-host:(a OR b)", "'(host:a OR host:b)'"),
        # What is left out.
        ("-nginx", "'!nginx'"),
        ("-host:web-1", "'!host:web-1'"),
        ("java -worker", "'!worker'"),
        ("not nginx", "NOT"),
        ("host!=web-1", "'!host:web-1'"),
        ("host<>web-1", "'!host:web-1'"),
        # Tags.
        ("host=web-1", "'host:web-1'"),
        ("host==web-1", "'host:web-1'"),
        ("host~web", "'host:web'"),
        ("(host=web-1 OR x)", "'host:web-1'"),
        ("host: web-1", "'host:web-1'"),
        ("nginx: worker", "'nginx: worker'"),
        ("@host:web-1", "'host:web-1'"),
        ("hostname:web-1", "'host:web-1'"),
        ("Process_Name:nginx", "'command:nginx'"),
        ("pid:17", "pid"),
        ("host:a,b", "'(host:a OR host:b)'"),
        ("host:a|b", "'(host:a OR host:b)'"),
        ("host:{a,b}", "'(host:a OR host:b)'"),
        ("host IN (a, b)", "'host:value'"),
        ("user LIKE 'ro%'", "'user:value'"),
        # Operators.
        ("a and b", "AND"),
        ("a Or b", "OR"),
        ("a && b", "AND"),
        ("a || b", "OR"),
        ("a | b", "OR"),
        ("a||b", "AND and OR"),
        ("a, b", "OR means any"),
        ("a|b", "OR means any"),
        ("+nginx", "'nginx'"),
        # Wildcards and expressions.
        ("%nginx%", "'nginx'"),
        ("host:web-%", "'host:web-*'"),
        ("nginx*", "'nginx'"),
        ("*nginx*", "'nginx'"),
        ("host:web-?", "the only wildcard"),
        ("/ngin.x/", "no regular expressions"),
        ("host:/web-[0-9]+/", "no regular expressions"),
        ("ngin.*", "no regular expressions"),
        ("^nginx$", "no regular expressions"),
        ("cpu>50", "numbers cannot be compared"),
        ("cpu:>=50", "numbers cannot be compared"),
        # Quotes and wide signs.
        ("'java -jar'", 'only " quotes'),
        ("“java -jar”", 'only " quotes'),
        ("`java`", 'only " quotes'),
        ("host：web-1", "':'"),
        ("！nginx", "'!'"),
        ("（a OR b）", "'('"),
        ("＂a b＂", "'\"'"),
    ],
)
def test_a_search_in_another_language_is_told_how_it_is_written_here(search: str, meant: str) -> None:
    hints = search_hints(search)

    assert any(meant in hint for hint in hints), hints
    assert all(hint.startswith("search: ") for hint in hints)


@pytest.mark.parametrize(
    "search",
    [
        "",
        "nginx",
        "java env:prod !user:root",
        "HOST:web-1",
        "NOT(a)",
        "NOT (a OR b) AND c",
        "host:web-*",
        '"a && b"',
        '"host = x"',
        'command:"Plex Media Server"',
        "--port=80",
        '-Dname="a b" !x'.replace("-D", "--define-"),
        "/usr/sbin/nginx",
        "C:\\Windows\\System32\\svchost.exe",
        "http://[::1]:80/x",
        "a%20b",
        "O'Brien",
        "(a OR b) !(c d)",
        "名前",
    ],
)
def test_a_search_in_this_language_gets_no_hint(search: str) -> None:
    assert search_hints(search) == []


@pytest.mark.parametrize(
    ("tags", "meant"),
    [
        ("env=prod", "'env:prod'"),
        ("!env=prod", "'env:prod'"),
        ("host:a,env=prod", "'env:prod'"),
        ("env:prod role:web", "'env:prod,role:web'"),
        ("env=prod role=web", "'env:prod,role:web'"),
        ("env:prod AND role:web", "'env:prod,role:web'"),
        ("env:prod;role:web", "'env:prod,role:web'"),
        ("env:prod & role:web", "'env:prod,role:web'"),
        ("env:prod or env:test", "OR stands between tags"),
        ("env:prod|env:test", "OR stands between tags"),
        ("env:prod OR env=test", "'env:test'"),
        ("-env:prod", "'!env:prod'"),
        ("NOT env:prod", "'!env:prod'"),
        ('"env:prod"', "around them"),
        ("(env:prod)", "around them"),
        ("[env:prod]", "around them"),
        ("{env:prod}", "around them"),
        ("'env:prod'", 'only " quotes'),
        ("env: prod", "'env:prod'"),
        ("env :prod", "'env:prod'"),
        ("env = prod", "'env:prod'"),
        ("@env:prod", "'env:prod'"),
        ("hostname:a", "'host:a'"),
        ("env:pro%", "'env:pro*'"),
        ("env：prod", "':'"),
        ("env:prod，role:web", "','"),
    ],
)
def test_tags_in_another_form_are_told_how_they_are_written_here(tags: str, meant: str) -> None:
    hints = tags_hints(tags, "other_tags")

    assert any(meant in hint for hint in hints), hints
    assert all(hint.startswith("other_tags: ") for hint in hints)


@pytest.mark.parametrize(
    "tags",
    ["", "env:prod", "env:prod, !role:web", "ENV:prod", "host:web-*", "*prod*", "canary", "user:John Smith", "a:b=c"],
)
def test_tags_as_they_are_written_get_no_hint(tags: str) -> None:
    assert tags_hints(tags) == []


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("env=prod", "'env:prod' meant"),
        ("env==prod", "'env:prod' meant"),
        ("env = prod", "'env:prod' meant"),
        ("env:", "no value"),
        (":prod", "no key"),
        ("env:prod role:web", "several"),
        ("env:prod;role:web", "several"),
        ("'env:prod'", "part of the tag"),
        ('"env:prod"', "part of the tag"),
        ("[env:prod", "part of the tag"),
    ],
)
def test_a_tag_for_a_host_that_has_no_value_is_noticed(tag: str, said: str) -> None:
    assert said in (host_tag_hint(tag) or "")


@pytest.mark.parametrize("tag", ["env:prod", "canary", "url:http://a/?b=c", "command:Plex Media Server", "a:b=c", ""])
def test_a_tag_as_it_is_written_is_not(tag: str) -> None:
    assert host_tag_hint(tag) is None


@pytest.mark.parametrize(
    ("moment", "unit"),
    [
        (1_700_000_000_000, "milliseconds"),
        (1_700_000_000_000_000, "microseconds"),
        (1_700_000_000_000_000_000, "nanoseconds"),
        (100_000_000_000, "milliseconds"),
    ],
)
def test_a_moment_in_parts_of_seconds_is_told_its_seconds(moment: int, unit: str) -> None:
    hint = moment_hint("from", moment)

    assert hint is not None
    assert (
        f"from is in Unix seconds; {moment} looks like {unit}, which would be {str(moment)[:10].lstrip('0')}"[:60]
        in hint
    )


@pytest.mark.parametrize("moment", [0, -1, 1_700_000_000, 4_294_967_295, 99_999_999_999])
def test_a_moment_in_seconds_is_right(moment: int) -> None:
    assert moment_hint("from", moment) is None


@given(st.text(alphabet="abc:=()\"'!-+%*?/\\[]{}|&,; \n\t@：（", max_size=60))
def test_any_text_gets_few_hints_of_one_line_each(text: str) -> None:
    for hint in (*search_hints(text), *tags_hints(text), *filter(None, [host_tag_hint(text)])):
        assert 0 < len(hint) < 400
        assert hint.isprintable()
    assert len(search_hints(text)) <= MOST_HINTS


@pytest.mark.parametrize("piece", ["[-", "/a", "a,", "a:", "a: ", "(", '"', "host:(", '\\"', "- ", "=", "a IN "])
def test_a_long_text_costs_no_time(piece: str) -> None:
    begin = time.process_time()

    search_hints(piece * 100_000)
    tags_hints(piece * 100_000)

    assert time.process_time() - begin < 0.5
