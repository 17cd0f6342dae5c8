from __future__ import annotations

import pytest

from procession.process import ProcessIdentity, ProcessSummary
from procession.search.evaluation import accepts
from procession.search.parser import parse_search
from procession.search.tree import And, Not, Or, TextTerm
from tests.support.builders import NOON, a_description


def a_summary(host: str = "web-1", **fields: object) -> ProcessSummary:
    return ProcessSummary(ProcessIdentity(host, 7, NOON - 100), NOON, a_description(**fields))


JAVA = a_summary(
    cmdline="java -Xmx4g -cp /srv/app org.apache.kafka.Kafka --topic env:prod",
    exe="/usr/lib/jvm/bin/java",
    user="Ольга",
    tags=("env:staging", "pci", "team:größe"),
)


@pytest.mark.parametrize(
    "text",
    [
        "-cp",
        "kafka",
        "KAFKA",
        "k",
        "/usr/lib/jvm",
        "ольга",
        "ОЛЬГА",
        "льг",
        "4g -cp".replace(" ", '" "'),
        '"-Xmx4g -cp"',
    ],
)
def test_a_term_is_found_anywhere_in_command_line_executable_or_user_whatever_its_case(text: str) -> None:
    assert accepts(parse_search(text), JAVA)


@pytest.mark.parametrize("text", ["python", "web-1", "pci", "kafka*", "java*kafka", "java/usr", '"kafka java"'])
def test_a_term_is_not_found_in_tags_nor_across_texts_and_a_star_is_a_star(text: str) -> None:
    assert not accepts(parse_search(text), JAVA)


def test_no_search_is_for_every_process() -> None:
    assert accepts(None, JAVA)


def test_an_empty_quoted_term_is_in_every_text() -> None:
    assert accepts(parse_search('""'), a_summary(cmdline="", exe="", user=""))
    assert not accepts(parse_search('NOT ""'), JAVA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("java kafka", True),
        ("java python", False),
        ("java AND python", False),
        ("python OR java", True),
        ("python OR ruby", False),
        ("java NOT python", True),
        ("java !kafka", False),
        ("NOT python ruby", False),  # NOT binds to one term
        ("python java OR kafka", True),  # AND binds tighter than OR, written or not
        ("kafka OR java python", True),
        ("(kafka OR java) python", False),
        ("!(python OR ruby)", True),
        ("(NOT (elasticsearch OR kafka) java) OR python", False),
    ],
)
def test_operators_join_terms(text: str, expected: bool) -> None:
    assert accepts(parse_search(text), JAVA) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("env:staging", True),
        ("ENV:Staging", True),
        ("env:stag", False),
        ("env:stag*", True),
        ("env:*g*g", True),
        ("env:*", True),
        ("env:", False),
        ("team:GRÖSSE", False),
        ("team:GRÖẞE", True),
        ("host:web-1", True),
        ("host:web", False),
        ("user:ольга", True),
        ("command:nginx", True),
        ("state_zombie:false", True),
        ("state_zombie:true", False),
        ('env:"staging"', True),
        ('env:"stag*"', False),
    ],
)
def test_key_and_value_match_a_tag_whole_where_the_process_has_that_key(text: str, expected: bool) -> None:
    assert accepts(parse_search(text), JAVA) is expected


def test_key_and_value_are_not_looked_for_in_the_text_where_the_process_has_that_key() -> None:
    assert "env:prod" in JAVA.description.cmdline

    assert not accepts(parse_search("env:prod"), JAVA)
    assert accepts(parse_search('"env:prod"'), JAVA)


@pytest.mark.parametrize("text", ["kind:a", "kind:", "kind:*b", "kind:*", "pci:x", "http://[::1]:80", "KIND:A"])
def test_key_and_value_are_a_text_where_the_process_has_no_such_key(text: str) -> None:
    process = a_summary(cmdline="run kind:a b pci:x http://[::1]:80/", tags=("pci", "kinds:z"))

    assert accepts(parse_search(text), process)
    assert not accepts(parse_search(text), a_summary(cmdline="run", tags=("pci",)))


def test_any_of_several_tags_with_the_key_will_do() -> None:
    process = a_summary(tags=("index:0", "index:bc9e"))

    assert accepts(parse_search("index:0 index:bc*"), process)
    assert not accepts(parse_search("index:1"), process)


def test_a_word_in_greek_capitals_is_found_within_a_longer_one() -> None:
    assert accepts(parse_search("ΟΔΟΣ"), a_summary(cmdline="ΟΔΟΣΗΜΟ"))
    assert accepts(parse_search("οδος"), a_summary(cmdline="ΟΔΟΣ"))


def test_nodes_are_values() -> None:
    tree = parse_search("a OR !(b c)")

    assert isinstance(tree, Or)
    assert isinstance(tree.operands[0], TextTerm)
    assert isinstance(tree.operands[1], Not)
    assert isinstance(tree.operands[1].operand, And)
    assert hash(tree) == hash(parse_search("a  OR NOT ( b AND c )"))
