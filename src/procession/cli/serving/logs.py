"""The log of a server, on standard error: a line for each event, for people or for programs.

An event is logged as a message with one mapping for its arguments: `"event"` names the event, the rest are its fields.
In JSON they are fields of the line.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from procession.cli.terminal.visible_text import visible
from procession.errors import UsageError

FORMATS = ("text", "json")
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
LINES_KEPT = 500


class TextLines(logging.Formatter):
    """One line for each event; a traceback comes under it."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        # Names of hosts come from strangers, and must neither make lines of their own nor steer a terminal.
        line = f"{at},{int(record.msecs):03d} {record.levelname} {record.name}: {visible(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One JSON object for each event, in one line; a traceback is a field of it."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        event: dict[str, Any] = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if isinstance(record.args, Mapping):
            event |= {name: value for name, value in record.args.items() if name not in event}
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str)


class RecentLines(logging.Handler):
    """Keeps the last lines for the debug bundle."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def lines(self) -> list[str]:
        """The oldest first."""
        return list(self._lines)


def set_up_logging(log_format: str, log_level: str) -> RecentLines:
    """Raises UsageError for a format or a level that there is not."""
    if log_format not in FORMATS:
        raise UsageError(f"there is no log format {log_format!r}; --log-format is {' or '.join(FORMATS)}")
    if log_level not in LEVELS:
        raise UsageError(f"there is no log level {log_level!r}; --log-level is {', '.join(LEVELS)}")
    shown = logging.StreamHandler()
    shown.setFormatter(JsonLines() if log_format == "json" else TextLines())
    shown.setLevel(LEVELS[log_level])
    kept = RecentLines()
    kept.setFormatter(TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[shown, kept])
    logging.getLogger("procession").setLevel(logging.INFO)
    return kept
