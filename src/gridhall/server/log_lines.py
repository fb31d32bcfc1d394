"""Structured logs: one JSON object a line on standard error, for machines that collect them."""

import json
import logging
import sys

from gridhall.units import iso_utc

FIELDS = ("trace_id", "job", "engine")


class JsonLines(logging.Formatter):
    """Time, level, logger and message; an exception's text, and the fields above where a record has them."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "time": iso_utc(round(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Send everything of this process from `level` up to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
