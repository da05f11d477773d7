"""Saying who changes records, so that the triggers of edits can write it down with the values."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from mobjects.db.edit_triggers import SETTING
from mobjects.models import EditContext, EditSource

_FIELDS = ("source", "username", "reference", "saving")


@contextmanager
def edit(
    source: EditSource, user: Any = None, *, username: str = "", reference: object = "", by_itself: bool = False
) -> Iterator[None]:
    """Whatever is changed inside is an edit of this source; a transaction of its own if there is none yet.

    What is inside of another one says more exactly what happens, and counts.

    Args:
        source: where the change comes from.
        user: who makes it; None if nobody is known, or if only the name is.
        username: the name, where there is no ``user``.
        reference: id of the import, job, conflict, deletion or edit that it belongs to. Edits of the same source and
            reference are shown as one.
        by_itself: whether these are shown as one only with each other, though others have the same reference.
    """
    name = user.get_username() if user is not None else username
    text = reference.hex if isinstance(reference, uuid.UUID) else str(reference)
    saving = uuid.uuid5(uuid.NAMESPACE_OID, f"{source} {text}") if text and not by_itself else uuid.uuid4()
    with transaction.atomic():
        before = _read()
        _write({"source": source.value, "username": name, "reference": text, "saving": saving.hex})
        yield
        _write(before)


def _read() -> dict[str, str]:
    if connection.vendor == "sqlite":
        return EditContext.objects.filter(pk=1).values(*_FIELDS).first() or {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [SETTING])
        (found,) = cursor.fetchone()
    return json.loads(found) if found else {}


def _write(values: dict[str, str]) -> None:
    """Until the transaction, or the savepoint, ends; what is rolled back is forgotten."""
    if connection.vendor == "sqlite":
        EditContext.objects.filter(pk=1).delete()
        if values:
            EditContext.objects.create(pk=1, **values)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, json.dumps(values) if values else ""])
