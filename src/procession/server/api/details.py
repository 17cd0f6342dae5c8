"""The pages of `/api/v2/processes`, and how each process does or did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from procession.analysis import Selection
from procession.command_line.arguments import arguments_of
from procession.lifecycle.signals import signal_of
from procession.process import ProcessDetail, ProcessNumbers, ProcessSummary
from procession.query import ProcessQuery
from procession.server.public.processes import Attributes, attributes_of, render_moment, render_page
from procession.storage import AnalysisStore, DetailStore, ProcessStore, SizedStore

_ENCODER = msgspec.json.Encoder()
_NULL = msgspec.Raw(b"null")


class Store(ProcessStore, DetailStore, SizedStore, Protocol):
    """Finds processes and knows their details, and its own size."""


class DetailedAttributes(Attributes):
    args: msgspec.Raw
    """Encoded already: as objects, many short ones would take a hundred times their bytes."""
    exe: str
    cwd: str
    root: str
    comm: str
    uid: int | None
    gid: int | None
    group: str
    namespace_pid: int | None
    nice: int | None
    container_id: str
    ended: str | None
    exit_code: int | None
    signal: str | None
    numbers: ProcessNumbers


def _encoded(arguments: list[str] | None) -> msgspec.Raw:
    return _NULL if arguments is None else msgspec.Raw(_ENCODER.encode(arguments))


def details_body(
    store: Store, analysis: AnalysisStore, query: ProcessQuery, filters: bytes, hints: Callable[[bool], tuple[str, ...]]
) -> bytes:
    """`filters`: the fingerprint of the filters of the query; `hints`: from whether anything was found."""
    page = store.find(query)
    chosen = Selection(query.org_id, query.search, query.tags)
    is_known = bool(page.processes) or analysis.is_known(chosen, query.window)
    if is_known and not page.processes and query.after is None:
        page = store.find(query)  # what something is known of by now may have come since
    details = store.details(query.org_id, query.window, page.processes)
    # A page beyond the last one is empty, too, and says nothing of what was found.
    said = hints(bool(page.processes) or query.after is not None)
    return render_page(page, query, filters, map(detailed, page.processes, details), is_known=is_known, hints=said)


def attribute_names(fields: Iterable[str]) -> list[str]:
    """What the fields of a description are called among the attributes."""
    return ["group" if field == "group_name" else field for field in fields]


def detailed(process: ProcessSummary, detail: ProcessDetail) -> DetailedAttributes:
    return DetailedAttributes(
        **msgspec.structs.asdict(attributes_of(process)),
        args=_encoded(arguments_of(process.description.cmdline, process.description.argument_words)),
        exe=process.description.exe,
        cwd=process.description.cwd,
        root=process.description.root,
        comm=process.description.comm,
        uid=process.description.uid,
        gid=process.description.gid,
        group=process.description.group_name,
        namespace_pid=process.description.namespace_pid,
        nice=process.description.nice,
        container_id=process.description.container_id,
        ended=None if detail.ended_at is None else render_moment(detail.ended_at),
        exit_code=detail.exit_code,
        signal=None if detail.exit_code is None else signal_of(detail.exit_code),
        numbers=detail.numbers,
    )
