from __future__ import annotations

import re

import pytest

from procession.agent.describe import expressions
from procession.agent.describe.expressions import MAX_LOOKED_AT, MAX_TAGS, ProcessFilter, TagRules, compiled
from procession.agent.read.process_reading import ProcessFacts, ProcessReading
from procession.agent.read.procfs import Stat
from procession.agent.tag_text import MAX_TAG_LENGTH, tag_of
from procession.errors import UsageError

STAT = Stat("comm", "S", 1, 0, 0, 0, 0, 1, 1, 1, 1, b"")


def a_process(*arguments: str, exe: str = "") -> ProcessReading:
    return ProcessReading(7, 0, STAT, ProcessFacts(arguments, exe, "", "", None, None, None))


def tags(cmdline: str, *rules: str) -> list[str]:
    said: list[str] = []
    found = TagRules(rules, said.append).tags_of(cmdline)
    assert said == []
    return found


# Which processes are sent


def test_without_patterns_everything_is_sent() -> None:
    assert ProcessFilter().wants(a_process("nginx"))
    assert not ProcessFilter()


def test_what_is_excluded_is_left_out_even_where_it_is_included() -> None:
    process_filter = ProcessFilter(include=["java", "nginx"], exclude=["--test", "^/opt/"])

    assert process_filter.wants(a_process("java", "-jar", "x.jar"))
    assert process_filter.wants(a_process("/usr/sbin/nginx"))
    assert not process_filter.wants(a_process("postgres"))
    assert not process_filter.wants(a_process("java", "--test"))
    assert not process_filter.wants(a_process("/opt/java"))


def test_a_pattern_is_looked_for_in_the_arguments_else_in_the_executable_else_in_the_name() -> None:
    process_filter = ProcessFilter(include=["a b$"])

    assert process_filter.wants(a_process("x", "a", "b"))
    assert not process_filter.wants(a_process("x", exe="a b"))
    assert process_filter.wants(a_process(exe="a b"))
    assert ProcessFilter(include=["^comm$"]).wants(a_process())


def test_only_the_beginning_of_a_long_line_is_looked_at() -> None:
    assert ProcessFilter(exclude=["needle"]).wants(a_process("x" * MAX_LOOKED_AT + "needle"))


# Tags


def test_named_groups_become_tags() -> None:
    rule = r"-Dapp=(?P<app>\S+)(?:.* -Drole=(?P<role>\S+))?"

    assert tags("java -Dapp=shop -Xmx1g -Drole=web -jar x", rule) == ["app:shop", "role:web"]
    assert tags("java -Dapp=shop", rule) == ["app:shop"]
    assert tags("java", rule) == []
    assert tags("/srv/teams/pay/run", rule, r"^/srv/teams/(?P<team>[a-z]+)/") == ["team:pay"]


def test_a_tag_is_fit_to_be_asked_for() -> None:
    assert tag_of("team", " a, b\n\x1bc ") == "team:a_b_c"
    assert tag_of("team", " , ") == tag_of("team", None) == ""
    assert len(tag_of("team", "x" * 1000)) == MAX_TAG_LENGTH


def test_rules_make_so_many_tags_at_most() -> None:
    many = [f"(?P<n{number}>x)" for number in range(50)]

    assert len(tags("x", *many)) == MAX_TAGS


def test_a_rule_without_a_named_group_is_refused() -> None:
    with pytest.raises(UsageError, match=r"tag-rules: 'x\(y\)' has no named group, as in"):
        TagRules(["x(y)"], print)


def test_a_rule_that_is_slow_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "SLOW_SECONDS", 0.0)
    said: list[str] = []
    rules = TagRules(["(?P<a>x)"], said.append)

    assert (rules.tags_of("x"), rules.tags_of("x")) == (["a:x"], [])
    assert len(said) == 1
    assert said[0].startswith("tag-rules: '(?P<a>x)' took 0.0 s on one command line; left out from now")


# Expressions


@pytest.mark.parametrize("text", ["(", "*", "[a", "(?P<a>x", "a{2,1}", r"\1"])
def test_what_is_no_expression_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(UsageError, match=r"exclude-patterns: .* is no regular expression: "):
        ProcessFilter(exclude=[text])


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+",
        "(a*)*b",
        r"(\w+\.)+x",
        "(a|aa)+",
        "(?:foo|bar)*",
        r"(\w\w|\w)*",
        "((a{0,3})b)*",
        "x(?=(a+)+)",
        "(a?){30}",
    ],
)
def test_an_expression_that_may_take_for_ever_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="repeats what repeats itself"):
        compiled(text, "tag-rules")


@pytest.mark.parametrize(
    "text",
    [
        "a+b*",
        r"java .*-Dapp=(\w+)",
        "(?:foo|bar)*+",
        r"(?:[a-z]++\.)++x",
        "(?>a+)+",
        "(a{2})+",
        "[ab]*c",
        "a|b+",
        "(x(a+)){2}",
    ],
)
def test_an_expression_that_takes_one_way_through_a_text_is_taken(text: str) -> None:
    assert isinstance(compiled(text, "tag-rules"), re.Pattern)
