"""The log of a server, on standard error: a line for each event, for people or for programs."""

from __future__ import annotations

import json
import logging
import time

from procession.errors import UsageError

FORMATS = ("text", "json")


class JsonLines(logging.Formatter):
    """One JSON object for each event, in one line; a traceback is a field of it."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        event = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event)


def set_up_logging(log_format: str) -> None:
    """Raises UsageError for a format that there is not."""
    if log_format not in FORMATS:
        raise UsageError(f"there is no log format {log_format!r}; --log-format is {' or '.join(FORMATS)}")
    if log_format == "json":
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.basicConfig(level=logging.WARNING, handlers=[handler])
