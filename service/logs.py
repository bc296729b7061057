"""How the service logs: a line to read or a JSON object, to standard error, each with the request it belongs to.

Questions, documents, keys and paths of requests are never logged; see the fields that `service.guards` gives.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from service.problems import request_id


class Lines(logging.Formatter):
    """One event, one line: when, how grave, who says it, what."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")


class Objects(logging.Formatter):
    """One event, one JSON object, for whatever collects logs."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with the fields it was given; an exception stays within the one line."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request": request_id.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


def configure(form: str, level: str) -> None:
    """Log everything from `level` on to standard error, in the form `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Objects() if form == "json" else Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # libraries speak up when something is wrong
    for name in ("adfontes", "rag", "service", "uvicorn.error"):
        logging.getLogger(name).setLevel(level.upper())
