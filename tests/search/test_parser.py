from __future__ import annotations

import inspect
import re
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procession.errors import InvalidParameter
from procession.process import ProcessDescription, ProcessIdentity, ProcessSummary
from procession.search.evaluation import accepts
from procession.search.parser import MAX_OPEN_PARENTHESES, MAX_TERMS, parse_search
from procession.search.pattern import Pattern
from procession.search.tree import And, Not, Or, SearchNode, TagTerm, TextTerm
from tests.support.builders import NOON
from tests.support.stores import strategies


def text(literal: str) -> TextTerm:
    return TextTerm(Pattern((literal,)))


def tag(key: str, *parts: str) -> TagTerm:
    return TagTerm(key, Pattern(parts))


A, B, C = text("a"), text("b"), text("c")


@pytest.mark.parametrize("text", ['"C:\\Program Files\\"', 'nginx "C:\\Temp\\" x', 'exe:"C:\\a\\"'])
def test_a_quote_that_was_escaped_by_mistake_is_told_apart(text: str) -> None:
    with pytest.raises(InvalidParameter) as raised:
        parse_search(text)

    assert raised.value.hint == 'in quotes \\" is a quote and \\\\ a backslash, as in "C:\\\\Program Files\\\\"'
    assert parse_search('"C:\\\\Program Files\\\\"') == TextTerm(Pattern.literal("C:\\Program Files\\"))


def test_a_quote_that_is_only_not_closed_needs_no_hint() -> None:
    with pytest.raises(InvalidParameter) as raised:
        parse_search('a "b')

    assert raised.value.hint == ""


@pytest.mark.parametrize("blank", ["", " ", "\t\n  ", "\u3000"])
def test_a_blank_text_is_no_search(blank: str) -> None:
    assert parse_search(blank) is None


@pytest.mark.parametrize(
    ("given_text", "tree"),
    [
        ("a", A),
        ("  a ", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a b AND c", And((A, B, C))),
        ("a OR b", Or((A, B))),
        ("a OR b OR c", Or((A, B, C))),
        ("a b OR c", Or((And((A, B)), C))),
        ("a OR b c", Or((A, And((B, C))))),
        ("a AND b OR c", Or((And((A, B)), C))),
        ("NOT a", Not(A)),
        ("!a", Not(A)),
        ("! a", Not(A)),
        ("!a b", And((Not(A), B))),
        ("a NOT b", And((A, Not(B)))),
        ("a AND NOT b", And((A, Not(B)))),
        ("a OR NOT b", Or((A, Not(B)))),
        ("NOT a OR b", Or((Not(A), B))),
        ("!(a b)", Not(And((A, B)))),
        ("NOT(a)", Not(A)),
        ("(a OR b)c", And((Or((A, B)), C))),
        ("a(b)!c", And((A, B, Not(C)))),
        ("a AND(b OR c)", And((A, Or((B, C))))),
    ],
)
def test_precedence_is_not_and_or(given_text: str, tree: SearchNode) -> None:
    assert parse_search(given_text) == tree


@pytest.mark.parametrize(
    ("given_text", "tree"),
    [
        ("((a))", A),
        ("((a b) c)", And((A, B, C))),
        ("a OR (b OR c)", Or((A, B, C))),
        ("!!a", A),
        ("NOT NOT a", A),
        ("NOT !(!a)", Not(A)),
        ("!(!(a b))", And((A, B))),
        ("!(!a) !b", And((A, Not(B)))),
        ("!(!(a b)) c", And((A, B, C))),
    ],
)
def test_parentheses_without_meaning_and_double_negation_leave_no_node(given_text: str, tree: SearchNode) -> None:
    assert parse_search(given_text) == tree


@pytest.mark.parametrize("word", ["and", "or", "not", "And", "ANDROID", "NOTE", "-NOT", '"AND"', '"NOT"', 'OR""'])
def test_only_a_bare_word_in_capitals_is_an_operator(word: str) -> None:
    assert parse_search(f"a {word} b") == And((A, text(word.replace('"', "").lower()), B))


@pytest.mark.parametrize("word", ["-a", "process-agent", "/9.", "a*b", "*", "a!", "a!b", ":a", "\\", "a\0b", "'a"])
def test_other_characters_stand_for_themselves(word: str) -> None:
    assert parse_search(word) == text(word)


def test_half_a_surrogate_is_a_character_like_any_other() -> None:
    assert parse_search("a\ud800") == text("a\ud800")


def test_case_is_folded() -> None:
    assert parse_search("Java ÄÖ Env:Prod") == And((text("java"), text("äö"), tag("env", "env:prod")))


@pytest.mark.parametrize(
    ("given_text", "literal"),
    [
        ('"a b"', "a b"),
        ('"a (b) OR !c"', "a (b) or !c"),
        (r'"a \"b\" \\ \c"', r'a "b" \ \c'),
        ('"foo -bar"', "foo -bar"),
        ('""', ""),
        ('"env:prod*"', "env:prod*"),
        ('"env":prod', "env:prod"),
        ('-Dname="x y"z', "-dname=x yz"),
        ('a" "b', "a b"),
        ('"a""b"', "ab"),
        ('"a\nb"', "a\nb"),
    ],
)
def test_double_quotes_make_a_literal_part_of_a_term(given_text: str, literal: str) -> None:
    assert parse_search(given_text) == text(literal)


@pytest.mark.parametrize(
    ("given_text", "tree"),
    [
        ("env:prod", tag("env", "env:prod")),
        ("env:", tag("env", "env:")),
        ("env:pr*d", tag("env", "env:pr", "d")),
        ("env:*", tag("env", "env:", "")),
        ("env:***x**", tag("env", "env:", "x", "")),
        ("e*v:x*", tag("e*v", "e*v:x", "")),
        ("a:b:c", tag("a", "a:b:c")),
        ("a::", tag("a", "a::")),
        ('env:"pr*d x"', tag("env", "env:pr*d x")),
        ('env:"a b"*', tag("env", "env:a b", "")),
        ('env:*"*"', tag("env", "env:", "*")),
        ("!env:prod", Not(tag("env", "env:prod"))),
        ("http://x", tag("http", "http://x")),
    ],
)
def test_key_and_value_are_about_tags_with_stars_in_the_value(given_text: str, tree: SearchNode) -> None:
    assert parse_search(given_text) == tree


@pytest.mark.parametrize(
    ("given_text", "rule"),
    [
        ("AND", "expected a term and found AND at character 1"),
        ("a OR", "expected a term and found the end at character 5"),
        ("a AND ", "expected a term and found the end at character 7"),
        ("NOT", "expected a term and found the end at character 4"),
        ("a !", "expected a term and found the end at character 4"),
        ("a AND OR b", "expected a term and found OR at character 7"),
        ("NOT AND a", "expected a term and found AND at character 5"),
        ("(OR a)", "expected a term and found OR at character 2"),
        ("()", 'expected a term and found a ")" at character 2'),
        ("(a OR )", 'expected a term and found a ")" at character 7'),
        ("(a !)", 'expected a term and found a ")" at character 5'),
        (")", 'expected a term and found a ")" at character 1'),
        ("a)", 'expected no ")" without a "(" before it, and found one at character 2'),
        ("(a) b) c", 'expected no ")" without a "(" before it, and found one at character 6'),
        ("a (b (c)", 'expected a ")" for the "(" at character 3'),
        ("(", "expected a term and found the end at character 2"),
        ('a "b', "expected a closing quote for the one at character 3"),
        ('a"', "expected a closing quote for the one at character 2"),
        ('"b\\"', "expected a closing quote for the one at character 1"),
        ("日本 AND", "expected a term and found the end at character 7"),
    ],
)
def test_an_error_says_what_was_expected_and_at_which_character(given_text: str, rule: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse_search(given_text)

    assert caught.value.messages == (f"Invalid query parameter search: {rule}",)


def test_a_search_has_so_many_terms_and_no_more() -> None:
    full = " ".join(["a"] * MAX_TERMS)

    tree = parse_search(full)

    assert isinstance(tree, And)
    assert len(tree.operands) == MAX_TERMS
    with pytest.raises(InvalidParameter, match="no more than 256 terms and found another at character 513"):
        parse_search(full + " a")


def test_so_many_parentheses_may_be_open_and_no_more() -> None:
    def nested(depth: int) -> str:
        return "!(a OR b " * depth + "c" + ")" * depth

    tree = parse_search(nested(MAX_OPEN_PARENTHESES))

    assert depth_of(tree) <= 100
    assert parse_search("(a) " * 200) is not None  # one after another they are no matter
    with pytest.raises(InvalidParameter, match="no more than 32 open parentheses and found another at character 290"):
        parse_search(nested(MAX_OPEN_PARENTHESES + 1))


def depth_of(node: SearchNode | None) -> int:
    match node:
        case And(operands) | Or(operands):
            return 1 + max(depth_of(operand) for operand in operands)
        case Not(operand):
            return 1 + depth_of(operand)
        case _:
            return 1


ANY_TEXT = st.one_of(
    st.text(),
    st.text(st.characters(), max_size=20),  # surrogates too
    st.text('()!"\\*: aAND', max_size=60),
    st.lists(st.sampled_from(["AND", "OR", "NOT", "!", "(", ")", "a", '"b c"', "k:v*", '"', " "]), max_size=40).map(
        " ".join
    ),
)


@settings(max_examples=500)
@given(ANY_TEXT)
@example("\0")
@example('"\\')
def test_any_text_gives_a_tree_or_says_what_is_wrong(anything: str) -> None:
    try:
        tree = parse_search(anything)
    except InvalidParameter as error:
        assert re.fullmatch(r"expected .* at character [1-9]\d*", error.rule)  # noqa: PT017
        return

    assert (tree is None) == (not anything.strip())
    assert_normal(tree)
    hash(tree)


def assert_normal(node: SearchNode | None, parent: SearchNode | None = None) -> None:
    """No node that means nothing: of one operand, like its parent, or undone by it."""
    if parent is not None:
        assert type(node) is not type(parent)
    match node:
        case And(operands) | Or(operands):
            assert len(operands) > 1
            for operand in operands:
                assert_normal(operand, node)
        case Not(operand):
            assert_normal(operand, node)
        case _:
            pass


@settings(max_examples=300)
@given(strategies.searches, strategies.descriptions, st.sampled_from(strategies.HOSTS))
def test_a_tree_written_as_text_means_the_same(tree: SearchNode, description: ProcessDescription, host: str) -> None:
    process = ProcessSummary(ProcessIdentity(host, 7, NOON), NOON, description)

    read = parse_search(written(tree))

    assert accepts(read, process) is accepts(tree, process)


def written(node: SearchNode) -> str:
    match node:
        case And(operands):
            return "(" + " ".join(written(operand) for operand in operands) + ")"
        case Or(operands):
            return "(" + " OR ".join(written(operand) for operand in operands) + ")"
        case Not(operand):
            return f"NOT {written(operand)}"
        case TagTerm(_, pattern):
            return pattern.text
        case TextTerm(pattern):
            return '"' + pattern.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            raise AssertionError(f"Datadog's language has no {node}")


HUGE = {
    "nested parentheses": "(" * 10_000 + "a" + ")" * 10_000,
    "opening parentheses": "(" * 100_000,
    "closing parentheses": ")" * 100_000,
    "exclamation marks": "!" * 100_000,
    "exclamation marks before a term": "!" * 100_001 + "a",
    "NOTs": "NOT " * 25_000 + "a",
    "ANDs": "AND " * 25_000,
    "terms": "a " * 50_000,
    "alternatives": "a OR " * 20_000 + "a",
    "groups": "(a) " * 25_000,
    "quotes": '"' * 100_000,
    "quotes, one open": '"' * 100_001,
    "backslashes in quotes": '"' + "\\" * 100_000,
    "quoted parts": '"a"b' * 25_000,
    "one term": "a" * 100_000,
    "stars": "k:" + "*" * 100_000,
    "stars and letters": "k:" + "a*" * 50_000,
    "blanks": " " * 100_000 + "a" + " " * 100_000,
    "blanks and marks": "! " * 50_000,
}


@pytest.mark.parametrize("huge", HUGE.values(), ids=HUGE.keys())
def test_a_huge_text_is_read_in_a_moment_and_without_recursion(huge: str) -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 60)
    started = time.process_time()
    try:
        parse_search(huge)
    except InvalidParameter:
        pass
    finally:
        sys.setrecursionlimit(limit)

    assert time.process_time() - started < 2  # some 50 ms; a quadratic reader takes minutes
