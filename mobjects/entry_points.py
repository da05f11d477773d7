"""What a worker may be asked to do: these functions with such an argument, named in JSON, and nothing else.

Whoever can write to Redis could otherwise have a worker import any module and call any function of it, by the name of
the work, by a callback or by a pickle. So the names are compared with a list before anything is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_noop as _
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import DefaultSerializer, JSONSerializer

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _is_uuid(arguments: list[Any]) -> bool:
    return len(arguments) == 1 and isinstance(arguments[0], str) and bool(_UUID.fullmatch(arguments[0]))


def _is_number(arguments: list[Any]) -> bool:
    return len(arguments) == 1 and type(arguments[0]) is int and arguments[0] > 0


def _is_nothing(arguments: list[Any]) -> bool:
    return not arguments


ENTRY_POINTS: Mapping[str, Callable[[list[Any]], bool]] = {
    "mobjects.jobs.runner.run_queued_job": _is_uuid,
    "mobjects.imports.runner.run_queued_import": _is_number,
    "mobjects.removals.service.run_deletion": _is_number,
    "mobjects.bulk_edits.service.run_bulk_edit": _is_number,
    "mobjects.decisions.service.run_decision": _is_number,
    "mobjects.notices.deliveries.run_delivery": _is_number,
    "mobjects.retention.service.run_purge": _is_number,
    "mobjects.retention.erasure.service.run_erasure": _is_number,
    "mobjects.processes.connection_test.run_connection_test": _is_uuid,
    "mobjects.processes.scheduler.tick": _is_nothing,
}
"""Each function that workers run, and whether its arguments are what we ever give it."""

NOT_JSON = _("what is to be done is not written as JSON")
NOT_OURS = _("it is no function that this site has its workers run")
NOT_SO = _("it is not given what this site gives it")
MORE = _("it comes with a callback, a web address or an object, which this site never uses")


class WorkRefused(Exception):
    """A piece of work in the queue is none of ours; the text says why."""


class EntryPointJob(Job):
    """RQ's job, of our own functions only. Callbacks and web hooks are never run, whatever Redis says of them."""

    def why_refused(self) -> str:
        """Why a worker must not run it, as the end of a sentence; "" if it may. Imports nothing."""
        try:
            named, instance, arguments, options = self.func_name, self.instance, self.args, self.kwargs
        except DeserializationError:
            return NOT_JSON
        fits = ENTRY_POINTS.get(named) if isinstance(named, str) else None
        if fits is None:
            return NOT_OURS
        callbacks = self._success_callback_name, self._failure_callback_name, self._stopped_callback_name
        if instance is not None or any(callbacks) or self.webhooks:
            return MORE
        return "" if fits(list(arguments)) and not options else NOT_SO

    @property
    def func(self) -> Callable[..., Any]:
        """The function that is to be called.

        Raises:
            WorkRefused: it is none of ours.
        """
        reason = self.why_refused()
        if reason:
            raise WorkRefused(reason)
        return super().func  # type: ignore[no-any-return]

    @property
    def success_callback(self) -> None:
        """None ever."""

    @property
    def failure_callback(self) -> None:
        """None ever: RQ's cleaning up would run it, too, of work that seems to be lost."""

    @property
    def stopped_callback(self) -> None:
        """None ever."""

    def send_webhooks(self, status: Any, *, exc_string: str | None = None) -> None:
        """Calls no address that Redis names."""


def forbid_pickle() -> None:
    """Have RQ read and write JSON in this process where it would use pickle.

    Its commands come with a flag whose default is pickle, and some of its own look-ups name no format at all. Reading
    a pickle runs what the pickle says.
    """
    DefaultSerializer.dumps = JSONSerializer.dumps
    DefaultSerializer.loads = JSONSerializer.loads
