"""Tables on terminals of any width: what is shown of a number or a date is all of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from procession.accounts.hosts import HostTags, TagSource
from procession.cli.terminal.tables import GAP, KEPT, TEXTS, fitted_widths
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessNumbers
from tests.cli.conftest import Command, RunningServer
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.served import ORG

COMMANDS = (
    ["ps"],
    ["ps", "--long"],
    ["top", "--once"],
    ["tree", "--host", "a-host-with-a-rather-long-name.example.org"],
    ["diff", "--at", str(NOON - 60)],
    ["diff", "--at", str(NOON - 60), "--match", "command"],
    ["diff", "--host", "web-2", "--host", "a-host-with-a-rather-long-name.example.org"],
    ["keys", "list"],
    ["orgs", "list"],
    ["hosts", "list"],
)


@pytest.fixture
def _fleet(server: RunningServer) -> None:
    host = "a-host-with-a-rather-long-name.example.org"
    numbers = ProcessNumbers(
        cpu_total_percent=12_345.6,
        rss_bytes=987_654_321_987,
        threads=1_234_567,
        read_bytes_per_second=123_456_789.0,
        write_bytes_per_second=987_654.0,
        state="S",
    )
    big = a_sighting(4_194_303, NOON - 10_000, numbers, ppid=4_194_302, user="somebody-with-a-name", uid=1)
    changed = a_sighting(4_194_303, NOON - 10_000, numbers, ppid=4_194_302, user="root", uid=4_294_967_294)
    gone = a_sighting(4_294_967_295, NOON - 9_000, numbers, cmdline="java " + "-D" * 300)
    for other in (host, "web-2"):
        server.add(
            a_snapshot(big, gone, host=other, taken_at=NOON - 60, split_id=1, chunk_count=1),
            a_snapshot(changed, a_sighting(5, NOON - 30), host=other, taken_at=NOON, split_id=2, chunk_count=1),
        )
    more = a_sighting(6, NOON - 40, numbers, cmdline="perl", command="perl")
    server.add(a_snapshot(changed, more, host="web-2", taken_at=NOON, request_id=3, split_id=3, chunk_count=1))
    for other in (host, "web-2"):
        killed = ProcessExit(pid=gone.pid, at=NOON - 15, exit_code=137, description=a_description())
        server.store.add_exits([(ORG, ProcessExits(other, (killed,)))])
        server.store.put_host_tags(HostTags(1, other, TagSource.USER, tuple(f"tag-{n}:value" for n in range(30))))


def words_of(text: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).split()


@pytest.mark.usefixtures("_fleet")
@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: " ".join(arguments)[:30])
def test_numbers_and_dates_are_whole_or_not_there_at_any_width(
    procession: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    whole = set(procession(*arguments).out.split())
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "2000")
    whole |= set(words_of(procession(*arguments).out))  # a program stands before its folder there
    for width in range(40, 201, 4):
        monkeypatch.setenv("COLUMNS", str(width))

        shown = procession(*arguments).out

        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
        rows = [line for line in lines if not (line.startswith(("---", "+++")) or " only on " in line)]
        assert all(cell_len(line.rstrip()) <= width for line in rows), width
        # What ends in … was cut: never a number, an amount, a date or a time, nor the name of a column.
        for word in words_of(shown):
            assert word in whole or re.fullmatch("[─━]+", word) or re.fullmatch(r"[^\d…].*…|…", word), (width, word)
        assert whole & set(words_of(shown)) & {"PID", "ID", "NUMBER", "COUNT", "BEFORE", "HOST"}


@pytest.mark.usefixtures("_fleet")
def test_at_80_columns_the_long_form_has_whole_numbers(procession: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")

    shown = words_of(procession("ps", "--long").out)

    for number in ("4194303", "12345.6", "941900.6"):
        assert number in shown


@given(
    st.lists(
        st.tuples(st.sampled_from([*KEPT, *TEXTS, "PPID", "STARTED", "CPU", "RSS", "SEEN"]), st.integers(1, 60)),
        min_size=2,
        max_size=12,
        unique_by=lambda column: column[0],
    ),
    st.integers(40, 200),
)
def test_a_column_is_whole_or_a_text_or_not_there(columns: list[tuple[str, int]], width: int) -> None:
    headers = [name for name, _ in columns]
    natural = [max(size, len(name)) for name, size in columns]

    widths = fitted_widths(headers, natural, width, ())

    for name, size, given_width in list(zip(headers, natural, widths, strict=True))[:-1]:
        assert given_width in (size, 0) or (name in TEXTS and 0 < given_width < size)
        assert given_width > 0 or name not in KEPT
    kept = sum(size + GAP for name, size in zip(headers[:-1], natural, strict=False) if name in KEPT)
    assert sum(each + GAP for each in widths[:-1] if each) + widths[-1] <= max(width, kept + 1)
