"""One word, one meaning: what docs/glossary.md calls by another name now is called so nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "procession"
PAGE = ROOT / "web" / "src"

DROPPED = {
    "snap": "snapshots",
    "tagset": "tag set",
    "tagsets": "tag sets",
    "stretch": "key range, or block (of time)",
    "stretches": "key ranges",
    "knot": "key sample",
    "knots": "key samples",
    "entangled": "needs_ordering",
    "aside": "submit",
    "asides": "submit",
    "beside": "background",
    "book": "cache",
    "books": "caches",
    "ring": "cache",
    "lender": "connection pool",
    "sparing": "throttle",
    "complaint": "throttle",
    "complaints": "throttle",
    "sharers": "coalescer",
    "asker": "reader",
    "taker": "intake",
    "roller": "rollup task",
    "allowance": "cache budget, or rate limit status",
    "journey": "load plan",
}
"""Words that no name of the code, file, table, column or metric has, and what says it now."""

DROPPED_TABLES = {
    "seen": "presence",
    "what": "descriptions",
    "ends": "exits",
    "kinds": "label_sets",
    "series": "minutes",
    "rolled": "rollup_state",
    "live": "live_numbers",
}
"""Words that no table has as its name."""

DROPPED_NOUNS = {
    "texts": "descriptions",
    "ends": "endings",
    "kinds": "label sets",
    "marks": "key samples",
    "lost": "orphan exits",
    "lane": "load worker",
    "rounds": "by moment",
    "gone": "disconnect",
    "own": "api",
    "asking": "request",
    "accepting": "listener",
    "refreshed": "refreshing cache",
    "together": "coalescer",
    "written": "dedup cache",
    "waiting": "fair queue",
    "room": "memory quota",
    "place": "reservation",
    "turns": "round robin",
    "ask": "api request",
    "placed": "process at instant",
    "measured": "aggregate",
    "tracked": "process handle",
    "notices": "throttle",
    "names": "dictionary, or allowed hosts",
    "group": "insert batch",
    "own_counts": "analysis",
}
"""These are ordinary English as well: only no module and no class may be called so, as a whole."""

NOUNS = DROPPED | DROPPED_NOUNS

# These are the names under which secrets stand in a command line.
MEANT_AS_THEY_SAY = {"scrubbing/names.py"}

DROPPED_IN_DOCS = (
    r"`(?:snap|seen|what|ends|kinds|series|rolled|tagsets|texts|lost)`",
    r"\bknots?\b",
    r"\bentangled\b",
    r"\bbeside\b",
    r"\bof whom\b",
    r"(?<!every )\bso many\b",
    r"\btagsets\b",
    r"\bstretch(?:es)? of (?:the order|keys)\b",
)
"""Patterns that no page has."""


def words_of(name: str) -> list[str]:
    """`MaxGroupWeight`, `max_group_weight` -> max, group, weight."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def names_in(path: Path) -> Iterator[str]:
    """What this file defines: functions, classes, arguments, variables, fields."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass


DECLARED = re.compile(r"\b(?:function|const|let|class|interface|type)\s+(\w+)")


def names_in_typescript(path: Path) -> Iterator[str]:
    """The name of this file, and those that it declares."""
    yield path.name.partition(".")[0]
    yield from DECLARED.findall(path.read_text(encoding="utf-8"))


def classes_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            yield node.name


def python_files() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if not path.name.endswith("_pb2.py")]


def dropped_of(names: Iterator[str], words: dict[str, str]) -> dict[str, str]:
    return {name: words[word] for name in names for word in words_of(name) if word in words}


def test_no_name_in_the_code_has_a_dropped_word() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}": better
        for path in python_files()
        for name, better in dropped_of(names_in(path), DROPPED).items()
    }

    assert found == {}, "name -> what says it now"


def test_no_name_in_the_page_has_a_dropped_word() -> None:
    paths = sorted(PAGE.rglob("*.ts*"))
    found = {
        f"{path.relative_to(PAGE)}: {name}": better
        for path in paths
        for name, better in dropped_of(names_in_typescript(path), DROPPED).items()
    }

    assert paths
    assert found == {}, "name -> what says it now"


def test_a_dropped_word_in_the_page_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "keyBook.tsx"
    path.write_text("export function tagSnap() {\n  const fine = 1;\n}\n")

    assert set(dropped_of(names_in_typescript(path), DROPPED)) == {"keyBook", "tagSnap"}


def test_no_module_is_called_by_a_dropped_word() -> None:
    found = {
        name: NOUNS[path.stem]
        for path in python_files()
        if (name := path.relative_to(SOURCE).as_posix()) not in MEANT_AS_THEY_SAY and path.stem in NOUNS
    }

    assert found == {}


def test_no_class_is_called_by_a_dropped_word() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}": NOUNS[word]
        for path in python_files()
        for name in classes_in(path)
        if (word := "_".join(words_of(name))) in NOUNS
    }

    assert found == {}


def test_no_table_or_column_is_called_by_a_dropped_word() -> None:
    text = "\n".join(path.read_text() for path in SOURCE.rglob("*.sql"))
    tables = re.findall(r"CREATE (?:TABLE|MATERIALIZED VIEW) (\w+)", text)
    columns = re.findall(r"^ {4}(\w+) [A-Z]", text, re.MULTILINE)

    assert tables
    assert columns
    assert {name for name in tables if name in DROPPED_TABLES} == set()
    assert dropped_of(iter([*tables, *columns]), DROPPED) == {}


def test_no_page_has_a_dropped_word() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")]
    found = {
        f"{page.relative_to(ROOT)}: {match[0]}"
        for page in pages
        for pattern in DROPPED_IN_DOCS
        for match in re.finditer(pattern, page.read_text(), re.IGNORECASE)
    }

    assert found == set()


@pytest.mark.parametrize("name", ["KindBook", "tagset_of", "_read_aside", "is_entangled"])
def test_a_dropped_word_in_a_name_would_be_found(name: str) -> None:
    assert dropped_of(iter([name]), DROPPED) != {}


@pytest.mark.parametrize("name", ["snapshot", "booking", "string", "considered"])
def test_a_word_that_only_contains_one_is_no_dropped_word(name: str) -> None:
    assert dropped_of(iter([name]), DROPPED) == {}


LABELS_OF_BEFORE = (
    *("Running / All seen", "All seen", "Travel in time", "The usual ones", "Preempted"),
    *("As the view", "As dragged", "No process has it.", "In none that the agent knows of", "Kernel's name"),
    *("restart procession up for another", '"Across"', '"Up"', ">Across<", ">Up<", '"Switches"'),
)
LABELS = {
    "web/src/time/TimePicker.tsx": ('"Stop live"', "Go to a moment…"),
    "web/src/time/spans.ts": ('"every 2 s"',),
    "web/src/table/Toolbar.tsx": ('"Running now"', '"Seen in window"', '"Ended"'),
    "web/src/scatter/ScatterTab.tsx": ('"X axis"', '"Y axis"'),
    "web/src/table/columns/ColumnMenu.tsx": ("Reset to defaults",),
    "web/src/api/measures.ts": ("Voluntary switches (total)", "Involuntary switches (total)", "Read ops/s"),
    "web/src/panel/history/historyRange.ts": ('"Same as page"',),
    "web/src/panel/history/ProcessHistory.tsx": ("Zoomed",),
    "web/src/panel/about/Attributes.tsx": ("Not in a known container", 'name="comm"'),
    "web/src/ui/format/processNames.ts": ('"(ended before it could be read)"',),
    "src/procession/cli/analysis.py": ('"(ended before it could be read)"',),
    "web/src/signin/SignIn.tsx": ("procession link",),
}


def test_the_page_and_the_terminal_say_what_they_do_in_the_words_of_now() -> None:
    sources = [*PAGE.rglob("*.ts*"), *(SOURCE / "cli").rglob("*.py")]
    shown = {path: path.read_text(encoding="utf-8") for path in sources if ".test." not in path.name}

    found = {(path.name, label) for path, text in shown.items() for label in LABELS_OF_BEFORE if label in text}
    missing = {(path, label) for path, labels in LABELS.items() for label in labels if label not in shown[ROOT / path]}

    assert not found
    assert not missing
