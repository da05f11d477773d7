"""The one function that records what somebody did; see docs/audit.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils import translation

from mobjects.audit.trace import trace_of_now
from mobjects.models import AuditEvent, EventKind

NAME_KEPT, WORDS_KEPT = 150, 255


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is asking.

    Args:
        find_user: the user, also an anonymous one; asked for only where something is recorded.
        address: from where.
        find_token: what the API token is called by which they ask; "" if by none.
    """

    find_user: Callable[[], Any] = lambda: None
    address: str = ""
    find_token: Callable[[], str] = lambda: ""


_NOBODY = Asker()
asker: ContextVar[Asker] = ContextVar("asker", default=_NOBODY)
"""Set by :class:`mobjects.audit.current_request.AuditMiddleware` while a request is answered."""


def current_token() -> str:
    """What the API token is called by which somebody asks at the moment; "" if by none."""
    return asker.get().find_token()


def record_event(
    kind: EventKind,
    *,
    on: Model | None = None,
    user: Any = None,
    username: str = "",
    words: str = "",
    detail: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write down that something happened, in the transaction that goes on: undone with it, kept with it.

    Args:
        kind: what.
        on: the object it was done to.
        user: who did it; by default who is asking at the moment.
        username: the name, where there is no user: of a failed sign-in, or of who sits at the command line.
        words: what it was done to, in words; by default what ``on`` is called, in English.
        detail: more about it, as JSON. Never a secret, never a value of a record.

    Raises:
        django.db.Error: it cannot be written. Then what it is about must not happen either.
    """
    here = asker.get()
    token = here.find_token()
    person: Any = user if user is not None else here.find_user() if not username else None
    return AuditEvent.objects.create(
        kind=kind,
        person_id=str(person.pk) if getattr(person, "pk", None) else "",
        username=_kept(username or (person.get_username() if person is not None else ""), NAME_KEPT),
        address=here.address,
        model=on._meta.model_name or "" if on is not None else "",
        object_id=str(on.pk) if on is not None else "",
        words=_kept(words or _name_object(on), WORDS_KEPT),
        detail={**(detail or {}), **({"token": token} if token else {}), **_request()},
    )


def _request() -> dict[str, str]:
    """The id that stands in each line of the log about the request."""
    known = trace_of_now().get("request_id")
    return {"request": known} if known else {}


def _name_object(on: Model | None) -> str:
    with translation.override("en"):  # As all that is kept; the page says it in the reader's language.
        return "" if on is None else str(on)


def _kept(text: str, length: int) -> str:
    """A text as a column takes it: a browser can send a NUL, which PostgreSQL refuses."""
    return text.replace("\0", "")[:length]
