"""The page about the log and the code name the same events."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BY_NAME = re.compile(r'"event": "([a-z-]+)"')
_BY_CALL = re.compile(
    r'(?:_about|_say|say|log|_log_attempt|_log_change)\(\s*(?:logging\.\w+,\s*)?"([a-z]+(?:-[a-z]+)+)"'
)
_BY_CHOICE = re.compile(r'event = "([a-z-]+)" if .* else "([a-z-]+)"')


def test_every_event_of_the_log_is_described_and_no_other() -> None:
    page = (ROOT / "docs" / "log.md").read_text(encoding="utf-8")
    table = page.partition("\n| event |")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    described = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    used = {name for pattern in (_BY_NAME, _BY_CALL) for source in sources for name in pattern.findall(source)}
    used |= {name for source in sources for names in _BY_CHOICE.findall(source) for name in names}

    assert used == described
