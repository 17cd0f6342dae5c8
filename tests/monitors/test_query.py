from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.errors import InvalidRequest
from procession.monitors.query import Function, parse_monitor_query
from procession.search.parser import Language, parse_search

FULL = "processes('nginx').over('env:prod','role:web').by('host').rollup('count').last('5m') < 1"


def test_a_query_of_datadog_is_read_whole() -> None:
    query = parse_monitor_query(FULL)

    assert query.search_text == "nginx"
    assert query.over == ("env:prod", "role:web")
    assert query.by == ("host",)
    assert (query.function, query.window_seconds) == (Function.COUNT, 300)
    assert (query.comparison, query.threshold) == ("<", 1.0)
    assert query.text == FULL


@pytest.mark.parametrize(
    "text",
    [
        "processes('').rollup('count').last('1d') >= 0.5",
        "processes('java').by('host','command').rollup('count_now') == 0",
        "processes('').over('env:prod').rollup('sum','rss_bytes') > 1000000000",
        "processes('').by('user').rollup('max','cpu_total_percent') > 90",
        "processes('worker').by('host').rollup('starts').last('10m') > 5",
        "processes('').by('command').rollup('first_seen').last('1h') > 0",
        "processes('web-1 ppid:7').language('procession').by('host').rollup('count').last('5m') < 1",
        "processes('ended:oom').language('procession').by('host').rollup('count').last('5m') > 0",
        "processes('x !exit_code:0 (lifetime<1m OR signal:9)').language('procession').rollup('starts').last('1h') >= 3",
    ],
)
def test_the_canonical_text_of_a_canonical_query_is_itself(text: str) -> None:
    assert parse_monitor_query(text).text == text


def test_blanks_and_double_quotes_are_allowed() -> None:
    text = ' processes("it\'s") . over( "a:b" , \'c\' ) .rollup("count").last("60s")<=2 '

    query = parse_monitor_query(text)

    assert query.text == "processes('it\\'s').over('a:b','c').rollup('count').last('1m') <= 2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected processes('...') at character 1"),
        ("processes('a').language('sql').rollup('count_now') < 1", "expected .language('procession') at character 25"),
        (
            "processes('a cpu>5 !exit_code:1').language('procession').rollup('count_now') < 1",
            "the search of a monitor cannot compare cpu_total_percent, exit_code at character 11",
        ),
        (
            "processes('a ended:oom').language('procession').rollup('count_now') < 1",
            "the search of a monitor cannot compare ended:oom at character 11",
        ),
        (
            "processes('a cpu>5 exit_code:1').language('procession').rollup('count').last('5m') < 1",
            "invalid: the search of a monitor cannot compare cpu_total_percent at character 11",
        ),
        (
            "processes('a ended:true').language('procession').by('host').rollup('first_seen').last('5m') < 1",
            "invalid: with 'first_seen' the search of a monitor cannot compare ended at character 11",
        ),
        (
            "processes('signal:9').language('procession').rollup('sum','rss_bytes') > 1",
            "invalid: with 'sum' the search of a monitor cannot compare signal at character 11",
        ),
        ("processes('cpu>').language('procession').rollup('count_now') < 1", "expected a number"),
        ("avg(last_5m):avg:system.load.1{*} > 2", "expected processes('...') at character 1"),
        ("processes(nginx)", "expected a string in quotes at character 11"),
        ("processes('(a').rollup('count').last('5m') < 1", "the search of processes(...): "),
        ("processes('a').last('5m') < 1", "expected .rollup('count') at character 15"),
        ("processes('a').rollup('avg').last('5m') < 1", "there is no function 'avg'; there are count, "),
        ("processes('a').rollup('sum') < 1", "'sum' needs a measure"),
        ("processes('a').rollup('sum','iq') < 1", "there is no measure 'iq'"),
        ("processes('a').rollup('count','rss_bytes').last('5m') < 1", "'count' takes no measure at character 31"),
        ("processes('a').rollup('count') < 1", "expected .last('5m') at character 31"),
        ("processes('a').rollup('count_now').last('5m') < 1", "has no .last(...) at character 35"),
        ("processes('a').rollup('count').last('5 minutes') < 1", "expected a timeframe such as '5m'"),
        ("processes('a').rollup('count').last('30s') < 1", "whole minutes, from 1m to 24h at character 37"),
        ("processes('a').rollup('count').last('2d') < 1", "whole minutes, from 1m to 24h"),
        ("processes('a').rollup('count').last('5m') ~ 1", "expected one of <= >= == != < > at character 43"),
        ("processes('a').rollup('count').last('5m') < x", "expected a number at character 45"),
        ("processes('a').rollup('count').last('5m') < " + "9" * 400, "a number of at most 300 digits at character 45"),
        ("processes('a').rollup('count').last('5m') < 1 or 2", "expected nothing more at character 47"),
        ("processes('a').rollup('first_seen').last('5m') > 0", "'first_seen' needs a .by(...)"),
        ("processes('a').by('a b').rollup('count').last('5m') < 1", "expected the key of a tag"),
        ("processes('a').over('a,b').rollup('count').last('5m') < 1", "expected one tag in each string"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_monitor_query(text)

    (said,) = refusal.value.messages
    assert said.startswith("The value provided for parameter 'query' is invalid: ")
    assert message in said


@given(st.text(), st.lists(st.from_regex(r"[^,*]+", fullmatch=True).filter(str.strip), max_size=3))
def test_any_text_survives_the_canonical_form(search: str, over: list[str]) -> None:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    tags = f".over({','.join(map(quoted, over))})" if over else ""
    # Quoted as one term, any text is a search.
    term = '"' + search.replace("\\", "\\\\").replace('"', '\\"') + '"'

    query = parse_monitor_query(f"processes({quoted(term)}){tags}.rollup('count_now') > 3")

    assert (query.search_text, query.over) == (term, tuple(over))
    assert parse_monitor_query(query.text) == query


def test_without_its_name_a_search_is_in_datadogs_language() -> None:
    old = parse_monitor_query("processes('web-1 cpu>5').rollup('count_now') < 1")
    new = parse_monitor_query("processes('web-1').language('procession').rollup('count_now') < 1")

    assert old.search == parse_search("web-1 cpu>5")
    assert new.search == parse_search("web-1", Language.PROCESSION)
