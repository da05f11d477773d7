"""How a line of the log looks: for people, or as JSON; secrets masked, and with what it belongs to."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from typing import Any

from mobjects.audit.trace import trace_of_now

MASK = "•••"
SHORTEST_SECRET = 6
"""What is shorter stands in ordinary words, too, and would make them unreadable."""
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What each record has; all else was given with it as ``extra``."""


class LineFormatter(logging.Formatter):
    """A line for people, with the request's id at its end.

    Args:
        secrets: values that never leave this process, whoever logs them.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")
        self._secrets = sorted((value for value in secrets if len(value) >= SHORTEST_SECRET), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line, with a traceback below it if there is one."""
        first, *rest = self.mask(super().format(record)).splitlines() or [""]
        trace = "".join(f" {name}={value}" for name, value in trace_of_now().items())
        return "\n".join([f"{first}{trace}", *rest])

    def mask(self, text: str) -> str:
        """A text without secrets."""
        for value in self._secrets:
            text = text.replace(value, MASK)
        return text


class JsonFormatter(LineFormatter):
    """One object on one line: ``time``, ``level``, ``logger``, ``message``, the trace, and what was given besides."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": self.mask(record.getMessage()),
            **trace_of_now(),
            **{name: self._as_value(value) for name, value in vars(record).items() if _is_given(name, value)},
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = self.mask(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = self.mask(record.stack_info)
        return json.dumps(line, ensure_ascii=False)

    def _as_value(self, value: object) -> Any:
        return self.mask(value) if isinstance(value, str) else value


def _is_given(name: str, value: object) -> bool:
    """Whether a value was given with a line to be read. Django gives its request, too, whose words hold the query."""
    return name not in _OWN and (value is None or isinstance(value, str | bool | int | float))
