"""Events of Django's own: signing in and out, and what its admin pages add, change and delete."""

from __future__ import annotations

import json
from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_removed
from axes.signals import user_locked_out
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from mobjects.audit.events import record_event
from mobjects.models import (
    RECORD_MODELS,
    ApprovalRule,
    CustomField,
    EventKind,
    ProgramCost,
    ProgramTag,
    SavedView,
    Schedule,
)

KEPT_AS_EDITS = (*RECORD_MODELS.values(), ProgramCost, ProgramTag)
"""Their changes are kept value by value in the history of each record."""

WATCHED: tuple[type[Model], ...] = (User, Group, CustomField, Schedule, SavedView, ApprovalRule)
"""What else people delete here."""

LOGGED = {ADDITION: EventKind.ADDED, CHANGE: EventKind.CHANGED}


def connect_listeners() -> None:
    """Listen; done once, when the app starts."""
    user_logged_in.connect(_signed_in, dispatch_uid="mobjects.audit")
    user_logged_out.connect(_signed_out, dispatch_uid="mobjects.audit")
    user_login_failed.connect(_sign_in_failed, dispatch_uid="mobjects.audit")
    authenticator_added.connect(_factor_added, dispatch_uid="mobjects.audit")
    authenticator_removed.connect(_factor_removed, dispatch_uid="mobjects.audit")
    user_locked_out.connect(_locked_out, dispatch_uid="mobjects.audit")
    post_save.connect(_logged, sender=LogEntry, dispatch_uid="mobjects.audit")
    for model in WATCHED:
        post_delete.connect(_deleted, sender=model, dispatch_uid="mobjects.audit")


def _signed_in(sender: Any, user: Any, **kwargs: Any) -> None:
    record_event(EventKind.SIGNED_IN, user=user)


def _signed_out(sender: Any, user: Any, **kwargs: Any) -> None:
    if user is not None:
        record_event(EventKind.SIGNED_OUT, user=user)


def _sign_in_failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """The name that was tried; Django has masked the rest."""
    record_event(EventKind.SIGN_IN_FAILED, username=str(credentials.get("username") or "") or "?")


def _locked_out(sender: Any, username: str | None = None, **kwargs: Any) -> None:
    """Sent for each try from then on, with a right password, too."""
    record_event(EventKind.LOCKED_OUT, username=(username or "")[:150] or "?")


def _factor_added(sender: Any, user: Any, authenticator: Any, **kwargs: Any) -> None:
    if authenticator.type == authenticator.Type.TOTP:
        record_event(EventKind.FACTOR_ADDED, user=user)


def _factor_removed(sender: Any, user: Any, authenticator: Any, **kwargs: Any) -> None:
    if authenticator.type == authenticator.Type.TOTP:
        record_event(EventKind.FACTOR_REMOVED, user=user)


def _logged(sender: Any, instance: LogEntry, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """What a form of the admin added or changed: which fields, not what is in them.

    The admin's own log goes with the person; this stays.
    """
    content_type: Any = instance.content_type
    model = content_type.model_class() if content_type else None
    if not created or raw or instance.action_flag not in LOGGED or model is None or model in KEPT_AS_EDITS:
        return
    record_event(
        LOGGED[instance.action_flag],
        on=model(pk=instance.object_id),
        user=instance.user,
        words=instance.object_repr,
        detail=_changed_fields(instance.change_message),
    )


def _deleted(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    record_event(EventKind.DELETED, on=instance)


def _changed_fields(message: str) -> dict[str, Any]:
    """The names in what the admin keeps of a change."""
    try:
        return {"changes": json.loads(message)} if message else {}
    except ValueError:
        return {"changes": message}
