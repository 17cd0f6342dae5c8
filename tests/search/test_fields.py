from __future__ import annotations

from typing import Any

import pytest

from procession.errors import InvalidParameter
from procession.process import ExitFacts, ProcessDetail, ProcessIdentity, ProcessNumbers, ProcessSummary
from procession.search.evaluation import accepts
from procession.search.parser import Language, parse_search
from procession.search.tree import Comparison, TagTerm, TextTerm, WordTerm
from tests.support.builders import NOON, a_description

PROCESS = ProcessSummary(
    ProcessIdentity("db-7", 1, NOON - 300), NOON, a_description(cmdline="java", ppid=7, tags=("env:prod", "pci"))
)
DETAIL = ProcessDetail(
    numbers=ProcessNumbers(
        cpu_total_percent=50.5, rss_bytes=2**30, threads=4, read_bytes_per_second=10, write_bytes_per_second=5
    ),
    ended_at=NOON + 5,
    exit_code=137,
    exit_facts=ExitFacts(oom_killed=True),
)


@pytest.mark.parametrize(
    "text",
    [
        *("pid:1", "ppid:7", "cpu>50", "cpu>50%", "CPU:>50", "cpu>=50.5", "cpu:50.5", "rss>=1GiB", "rss:1g"),
        *(
            "rss>1GB",
            "rss<=1048576k",
            "threads<5",
            "io:15",
            "io>=15b/s",
            "age:5m",
            "age<=300",
            "age<1h30m",
            "age>4m59s",
        ),
        *("exit_code:137", "exit_code:*", "exit_code>0", "signal:9", "signal:KILL", "signal:sigkill", "signal:*"),
        *("ended:oom", "ENDED:OOM", "!(ended:false)"),
        *("ended:true", "lifetime:305", "rss_bytes>5", "cpu>5 OR nothing", "!(cpu>60)", "!fds>0", "!swap:*"),
    ],
)
def test_numbers_are_compared_in_their_units(text: str) -> None:
    assert accepts(parse_search(text, Language.PROCESSION), PROCESS, DETAIL)


@pytest.mark.parametrize(
    "text", ["pid:2", "cpu>50.5", "rss>1GiB", "fds>0", "age<5m", "signal:TERM", "ended:false", "!ended:oom"]
)
def test_what_is_not_so_or_not_known_is_not_found(text: str) -> None:
    assert not accepts(parse_search(text, Language.PROCESSION), PROCESS, DETAIL)


@pytest.mark.parametrize("text", ["cpu>", "cpu>x", "age<", "rss>1Q", "ended>1", "pid>1e9", "cpu>" + "9" * 20])
def test_a_comparison_that_is_not_finished_is_told_with_its_place(text: str) -> None:
    with pytest.raises(InvalidParameter, match="at character 6"):
        parse_search(f"java {text}", Language.PROCESSION)


@pytest.mark.parametrize("text", ["pid:1", "cpu>50", "rss>1GiB", "age<5m", "cpu>", "ended:true", "db-7", "prod"])
def test_in_datadogs_language_the_same_text_means_what_it_always_did(text: str) -> None:
    assert isinstance(parse_search(text), TagTerm | TextTerm)
    assert not accepts(parse_search(text), PROCESS, DETAIL)


@pytest.mark.parametrize(("is_killed", "found"), [(True, True), (False, False), (None, False)])
def test_only_what_is_known_to_be_killed_for_want_of_memory_is_found_so(is_killed: bool | None, found: bool) -> None:
    detail = ProcessDetail(ended_at=NOON, exit_code=137, exit_facts=ExitFacts(oom_killed=is_killed))

    assert accepts(parse_search("ended:oom", Language.PROCESSION), PROCESS, detail) is found
    assert accepts(parse_search("!ended:oom", Language.PROCESSION), PROCESS, detail) is not found


def test_quotes_and_values_that_are_no_numbers_make_no_comparison() -> None:
    assert isinstance(parse_search('"cpu>50"', Language.PROCESSION), TextTerm)
    assert isinstance(parse_search("signal:handler", Language.PROCESSION), TagTerm)
    assert isinstance(parse_search("ended:oomph", Language.PROCESSION), TagTerm)
    assert isinstance(parse_search("exit_code:oom", Language.PROCESSION), TagTerm)
    assert isinstance(parse_search("x>50", Language.PROCESSION), WordTerm)
    assert isinstance(parse_search("cpu>50", Language.PROCESSION), Comparison)


@pytest.mark.parametrize("text", ["db", "DB-7", "prod", "pci", "jav"])
def test_a_bare_word_finds_hosts_and_values_of_tags(text: str) -> None:
    assert accepts(parse_search(text, Language.PROCESSION), PROCESS)


@pytest.mark.parametrize("text", ["env", '"db-7"', "false", "host"])
def test_a_bare_word_finds_no_keys_and_a_quoted_one_only_texts(text: str) -> None:
    assert not accepts(parse_search(text, Language.PROCESSION), PROCESS)


@pytest.mark.parametrize(
    ("numbers", "is_found"),
    [
        ({}, False),
        ({"net_received_bytes_per_second": 8.0, "net_sent_bytes_per_second": 3.0}, True),
        ({"net_received_bytes_per_second": 80.0}, False),
        ({"net_bytes_per_second": 11.0}, True),
        ({"net_bytes_per_second": 10.0}, False),
        ({"net_received_bytes_per_second": 1.0, "net_sent_bytes_per_second": 3.0, "net_bytes_per_second": 11.0}, False),
        ({"net_sent_bytes_per_second": 3.0, "net_bytes_per_second": 11.0}, True),
    ],
)
def test_both_directions_are_their_sum_or_what_an_agent_says_of_both(numbers: dict[str, Any], is_found: bool) -> None:
    detail = ProcessDetail(numbers=ProcessNumbers(**numbers))

    assert accepts(parse_search("net>10", Language.PROCESSION), PROCESS, detail) == is_found
