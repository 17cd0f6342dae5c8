"""Which columns somebody has chosen, from one day to the next: a file of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from procession.cli.terminal.top.columns import BY_NAME, in_order


def file_of_user() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("procession")) / "top.json"


def read_columns(path: Path) -> tuple[str, ...] | None:
    """None where nothing was chosen, or what is there makes no sense. Names that are not known are left out."""
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["columns"]
        known = [name for name in names if name in BY_NAME]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return in_order(known) if known else None


def keep_columns(path: Path, columns: Sequence[str] | None) -> None:
    """Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole = path.with_suffix(".new")
    whole.write_text(json.dumps({"columns": columns and list(columns)}), encoding="utf-8")
    whole.replace(path)
