from __future__ import annotations

from contextlib import nullcontext

import pytest

from procession.command_line.arguments import arguments_of, line_of, words_of
from procession.command_line.without_arguments import (
    depends_on_arguments,
    described_without_arguments,
    program_of_line,
    search_without_arguments,
)
from procession.discovery import Discovery, Service, Tracer
from procession.errors import InvalidRequest
from procession.process import ProcessIdentity, ProcessSummary
from procession.search.evaluation import accepts
from procession.search.parser import Language, parse_search
from tests.support.builders import NOON, a_description


@pytest.mark.parametrize(
    ("arguments", "program"),
    [
        (["/usr/bin/java", "-jar", "secret.jar"], "/usr/bin/java"),
        (["nginx: worker process secret"], "nginx:"),
        (["a\tsecret"], "a"),
        (["a\nsecret"], "a"),
        (["a\u00a0secret"], "a"),
        ([" secret"], ""),
        (["", "secret"], ""),
        (["", "", "secret", "more"], ""),
        (["sh"], "sh"),
        ([], ""),
    ],
)
def test_a_command_line_is_cut_to_its_program(arguments: list[str], program: str) -> None:
    whole = a_description(cmdline=line_of(arguments), argument_words=words_of(arguments))
    left = described_without_arguments(whole)

    assert left.cmdline == program
    assert arguments_of(left.cmdline, left.argument_words) == ([program] if program else [])
    assert described_without_arguments(left) == left


def test_of_a_line_whose_arguments_are_not_known_the_first_word_is_left() -> None:
    left = described_without_arguments(a_description(cmdline="java -jar secret.jar", argument_words=()))

    assert left.cmdline == "java" == program_of_line("java -jar secret.jar")


def test_folders_and_names_of_services_are_hidden_and_the_rest_is_there() -> None:
    whole = a_description(
        cwd="/srv/secret",
        root="/chroot/secret",
        tags=("env:a",),
        discovery=Discovery(
            language="go", services=(Service("secret"),), tracers=(Tracer("id", "secret"),), tcp_ports=(80,)
        ),
    )
    left = described_without_arguments(whole)

    assert "secret" not in str(left)
    assert left.discovery == Discovery(language="go", tcp_ports=(80,))
    assert (left.exe, left.command, left.user, left.tags) == (whole.exe, whole.command, whole.user, whole.tags)


def test_that_only_hidden_things_were_found_out_is_hidden() -> None:
    found = Discovery(services=(Service("secret"),), tracers=())

    assert described_without_arguments(a_description(discovery=found)) == described_without_arguments(a_description())


def test_a_search_with_too_many_texts_is_refused() -> None:
    for search, is_refused in ((" OR ".join("abcdefghijklmnopqrstuvwx"), False), ("!(a b) " * 12 + "c", True)):
        node = parse_search(search, Language.PROCESSION)
        assert node is not None
        with pytest.raises(InvalidRequest) if is_refused else nullcontext():
            search_without_arguments(node)


PROCESS = ProcessSummary(
    ProcessIdentity("web-1", 7, NOON - 100),
    NOON,
    a_description(
        cmdline="/opt/run --key=secret foo:bar",
        exe="/opt/run-secret",
        command="run",
        user="anna",
        tags=("env:prod",),
        discovery=Discovery(language="go", services=(Service("secret"),)),
    ),
)


@pytest.mark.parametrize(
    ("search", "is_found"),
    [
        ("run", True),
        ("RU", True),
        ("anna", True),
        ("web-1", True),
        ("env:prod", True),
        ("command:run", True),
        ("language:go", True),
        ("pid:7", True),
        ("pid>7", False),
        ("secret", False),
        ("prod", False),
        ("/opt", False),
        ("foo:bar", False),
        ("foo:*", False),
        ("key*secret", False),
        ("service:secret", False),
        ("!secret", True),
        ("!foo:bar run", True),
        ("secret OR anna", True),
        ("-- OR (env:prod !run)", False),
    ],
)
def test_a_search_finds_by_what_is_left_alone(search: str, is_found: bool) -> None:
    node = parse_search(search, Language.PROCESSION)
    assert node is not None
    left = search_without_arguments(node)

    assert accepts(left, PROCESS) is is_found
    assert search_without_arguments(left) == left


@pytest.mark.parametrize(
    ("search", "language", "expected"),
    [
        ("", Language.DATADOG, False),
        ("command:nginx", Language.DATADOG, False),
        ("!HOST:web-1 OR (user:root state_zombie:true)", Language.DATADOG, False),
        ("nginx", Language.DATADOG, True),
        ("command:nginx !secret", Language.DATADOG, True),
        ("command:nginx OR secret", Language.DATADOG, True),
        # A process without such a tag is looked for by its text.
        ("env:prod", Language.DATADOG, True),
        ("nginx", Language.PROCESSION, True),
        ("cpu>5", Language.PROCESSION, False),
        ("service:secret", Language.PROCESSION, True),
        ("user:root OR pid:7", Language.PROCESSION, False),
    ],
)
def test_whether_a_search_depends_on_arguments(search: str, language: Language, expected: bool) -> None:
    node = parse_search(search, language)

    assert depends_on_arguments(node) is expected
    assert node is None or not depends_on_arguments(search_without_arguments(node))
