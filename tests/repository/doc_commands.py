"""The command lines of README and `docs/`, as somebody pastes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_PROGRAM = re.compile(
    r"(?:sudo |[A-Z_]+=\S* |\.venv/bin/)*"
    # Those of others only with something to do: alone they are words of the text.
    r"(procession(?![\w.:/-])|(?:make|python -m|curl|pip|npm|apt|docker|kubectl|helm|systemctl|journalctl)(?= \S))"
)


@dataclass(frozen=True)
class Line:
    page: str
    text: str
    is_inline: bool

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"

    @property
    def program(self) -> str:
        found = _PROGRAM.match(self.text)
        return found[1] if found else self.text.split()[0]


def lines() -> Iterator[Line]:
    """Of blocks of a shell, each command on a line of its own; of the text, what is set as code and begins with a
    program."""
    for path in PAGES:
        page, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        for language, block in _BLOCK.findall(text):
            if language == "console":
                yield from (Line(page, line, False) for line in _typed(block))
            elif language in ("sh", "bash"):
                joined = re.sub(r"\\\n\s*", "", block)
                yield from (Line(page, _bare(line), False) for line in joined.splitlines() if _bare(line))
        for code in _INLINE.findall(_BLOCK.sub("", text)):
            if _PROGRAM.match(code):
                yield Line(page, code, True)


def _typed(block: str) -> Iterator[str]:
    """What follows a prompt, and what it goes on with; the rest is what was answered."""
    joined = re.sub(r"\\\n\s*", "", block)
    yield from (line[2:] for line in joined.splitlines() if line.startswith(("$ ", "# ")))


def _bare(line: str) -> str:
    """Without a comment at its end."""
    return re.sub(r"\s+# .*$|^#.*$", "", line).strip()
