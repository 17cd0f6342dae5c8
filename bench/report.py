"""Results: a file, a table on the terminal, and the same table in the docs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import machine
from bench.rows import AGENTS, BY_KEY, PEERS, ROWS, Measurement, Row

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
TABLES: tuple[tuple[str, ...], ...] = (PEERS, (), AGENTS)
"""Rows with the same peers stand in one."""
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def document(found: Mapping[str, Measurement], *, kind: str, seconds: float, load_before: float) -> dict[str, Any]:
    return {
        "kind": kind,
        "measured_at": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()),
        "seconds": round(seconds),
        "load_before": load_before,
        "query_condition_cache": "off",
        "machine": machine.description(),
        "rows": {
            row.key: {
                "name": row.name,
                "unit": row.unit,
                "bars": dict(row.bars),
                "figures": {name: rounded(value) for name, value in found[row.key].figures.items()},
                "note": found[row.key].note,
                "peers": {name: rounded(value) for name, value in found[row.key].peers.items()},
            }
            for row in ROWS
            if row.key in found
        },
    }


def write(document: Mapping[str, Any], *, is_partial: bool = False) -> Path:
    """`is_partial`: whether other rows of the same day and machine are to stay."""
    RESULTS.mkdir(exist_ok=True)
    suffix = "" if document["kind"] == "bench" else f"-{document['kind']}"
    path = RESULTS / f"{document['measured_at'][:10]}-{machine.name()}{suffix}.json"
    if is_partial and path.exists():
        document = _joined(json.loads(path.read_text(encoding="utf-8")), document)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _joined(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    rows = dict(before["rows"]) | dict(now["rows"])
    in_order = {row.key: rows[row.key] for row in ROWS if row.key in rows}
    return dict(now) | {"seconds": before["seconds"] + now["seconds"], "rows": in_order}


def newest(kind: str, *, cpu: str | None = None) -> dict[str, Any] | None:
    """The last result that was kept; of those from such a processor, if there is one."""
    other: dict[str, Any] | None = None
    for path in sorted(RESULTS.glob("*.json"), reverse=True):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["kind"] == kind:
            if cpu is None or found["machine"]["cpu"] == cpu:
                return found
            other = other or found
    return other


def show(document: Mapping[str, Any]) -> None:
    console = Console(width=180, highlight=False)
    console.print(_caption(document))
    for peers in TABLES:
        table = Table()
        for header in ("measure", "bar", "Procession", "", *peers):
            table.add_column(header, justify="left" if header == "measure" else "right")
        for cells in _cells(document, peers):
            table.add_row(*cells)
        if table.row_count:
            console.print(table)


def into_docs(documents: Iterable[Mapping[str, Any]]) -> None:
    """Put the tables of these results between the marks in the docs."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    blocks = [_markdown(document) for document in documents]
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(blocks) + f"\n\n{END}{after}", encoding="utf-8")


def _markdown(document: Mapping[str, Any]) -> str:
    blocks = [_caption(document) + "."]
    for peers in TABLES:
        if rows := _cells(document, peers):
            headers = ("measure", "bar", "Procession", "", *peers)
            lines = [headers, ("---",) * len(headers), *rows]
            blocks.append("\n".join("| " + " | ".join(cells) + " |" for cells in lines))
    notes = [f"- {row['name']}: {row['note']}" for row in document["rows"].values() if row["note"]]
    return "\n\n".join([*blocks, "\n".join(notes)])


def _caption(document: Mapping[str, Any]) -> str:
    about = document["machine"]
    return (
        f"Measured {document['measured_at'][:10]} in {document['seconds'] / 60:.0f} minutes on {about['cpu']},"
        f" {about['cores']} cores, {about['memory_gib']} GiB, Linux {about['kernel']}, Python {about['python']},"
        f" load before {document['load_before']}, query condition cache {document['query_condition_cache']}"
    )


def _cells(document: Mapping[str, Any], peers: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Of the rows that have these peers."""
    return [
        _row_cells(BY_KEY[key], row["figures"], row["peers"], row["note"])
        for key, row in document["rows"].items()
        if key in BY_KEY and BY_KEY[key].peers == peers
    ]


def _row_cells(row: Row, figures: Mapping[str, float], peers: Mapping[str, float], note: str) -> tuple[str, ...]:
    bars = " / ".join(f"{shown(bar)}" for bar in row.bars.values())
    bar = f"≤ {bars} {row.unit}" if bars else ""
    if "value" in figures:
        own = f"{shown(figures['value'])} {row.unit}"
    elif "p50" in figures:
        own = f"{shown(figures['p50'])} / {shown(figures['p99'])} {row.unit}"
        own += f", {shown(figures['cpu'])} CPU" if "cpu" in figures else ""
    else:
        own = note or "not measured"
    best = figures.get("p50", figures.get("value"))
    return (row.name, bar, own, _verdict(row, figures), *(_peer_cell(best, peers.get(peer)) for peer in row.peers))


def _verdict(row: Row, figures: Mapping[str, float]) -> str:
    if not row.bars or not figures:
        return ""
    missed = [name for name, bar in row.bars.items() if figures.get(name, 0.0) > bar]
    return f"{', '.join(missed)} over" if missed else "within"


def _peer_cell(own: float | None, peer: float | None) -> str:
    if peer is None:
        return ""
    return f"**{shown(peer)}**, wins" if own is not None and peer < own else shown(peer)


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
