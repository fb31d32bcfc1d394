"""Structured logs: one JSON object a line on standard error, for machines that collect them.

A line that is written while a request is answered carries the request's trace id, which its answer names too.
"""

import json
import logging
import sys
from contextvars import ContextVar

from gridhall.units import iso_utc

FIELDS = ("job", "engine")
TRACE_ID: ContextVar[str] = ContextVar("trace_id", default="")
"""The trace of the request that is being answered; empty outside of requests."""


class JsonLines(logging.Formatter):
    """Time, level, logger and message; trace id, fields above and an exception's text where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "time": iso_utc(round(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace_id = getattr(record, "trace_id", "") or TRACE_ID.get()
        if trace_id:
            line["trace_id"] = trace_id
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Send everything of this process from `level` up to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
