"""What a server answers is not taken at its word: it may have been broken into, and root reads everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from procession.cli.local.frozen_store import frozen_of, without_links
from procession.errors import UsageError

NAME = "backup00ff"


def an_answer(*paths: str | Path, **changes: Any) -> dict[str, Any]:
    folders = {f"t{number}": str(path) for number, path in enumerate(paths)}
    frozen = {"name": NAME, "taken_at": 1, "schema": 1, "schema_name": "tables", "folders": folders}
    return {"frozen": frozen | changes}


@pytest.fixture
def shadow(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "clickhouse" / "shadow" / NAME
    (folder / "store").mkdir(parents=True)
    return folder


def test_what_stands_still_is_named_as_it_is_without_links(shadow: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "data")
    by_link = tmp_path / "link" / "clickhouse" / "shadow" / NAME / "store"

    for data_dir in (tmp_path / "data", tmp_path / "link"):
        found = without_links(frozen_of(an_answer(shadow / "store", by_link)), data_dir)

        assert list(found.folders.values()) == [str(shadow / "store")] * 2
    assert (found.name, found.taken_at, found.schema, found.schema_name) == (NAME, 1, 1, "tables")


def test_files_elsewhere_are_refused(shadow: Path, tmp_path: Path) -> None:
    (shadow / "etc").symlink_to("/etc")
    (shadow / "round").symlink_to(shadow / "round")
    other = shadow.with_name("backup11")

    for path in ("/etc", shadow / "etc", shadow / "round", shadow / ".." / "x", shadow, other / "store", "\0", "", "."):
        with pytest.raises(UsageError, match="names files that are not below"):
            without_links(frozen_of(an_answer(shadow / "store", path)), tmp_path / "data")


def test_a_shadow_that_is_a_link_is_refused(shadow: Path, tmp_path: Path) -> None:
    shadow.parent.rename(tmp_path / "elsewhere")
    shadow.parent.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UsageError, match="names files that are not below"):
        without_links(frozen_of(an_answer(shadow / "store")), tmp_path / "data")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"frozen": {}},
        an_answer(name="../x"),
        an_answer(name=""),
        an_answer(name="backup1/../.."),
        an_answer(taken_at="1"),
        an_answer(folders=["/etc"]),
        an_answer(folders={"orgs": 1}),
    ],
    ids=repr,
)
def test_an_answer_of_another_form_is_refused(answer: Any) -> None:
    with pytest.raises(UsageError, match="answers in a way that is not understood"):
        frozen_of(answer)
