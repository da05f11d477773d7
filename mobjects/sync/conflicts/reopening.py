"""Opening a conflict again: what its decision did is taken back."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop as _

from mobjects import models
from mobjects.db.edit_context import edit
from mobjects.sync.conflicts.alike import compare_sides
from mobjects.sync.conflicts.both_changed import ConflictSide, locked_record
from mobjects.sync.content.payload import record_content
from mobjects.sync.content.write_local import store_accepted_values, write_local_values
from mobjects.sync.transport_factory import key_fields

GONE = _("the values of both sides are no longer kept")
CHANGED = _("the record was changed or sent since")
OPEN_AGAIN = _("another conflict of the record is open")
TAKEN_BACK = _("Taken back: both sides are to be decided about again.")


def reopen_both_changed(conflict: models.Conflict, choices: Mapping[str, ConflictSide], user: User | None) -> None:
    """Give a record back the values it had before a decision, and have it decided about anew. In a transaction.

    Args:
        conflict: decided, its row held by the caller.
        choices: the side that was chosen for each field.
        user: who takes it back.

    Raises:
        ValueError: a sentence, or the end of one; nothing was changed.
    """
    if conflict.values_removed_at is not None:
        raise ValueError(GONE)
    keys = key_fields()
    fields = compare_sides(conflict.base, conflict.here, conflict.candidates[0]["values"])
    from_marketo = {name: theirs for name, _base, _here, theirs in fields if choices.get(name) == "marketo"}
    record = locked_record(conflict)
    after = _without_blanks({**conflict.here, **from_marketo})
    accepted = _without_blanks({**conflict.base, **{name: theirs for name, _base, _here, theirs in fields}})
    if _without_blanks(record_content(record, keys)) != after or _without_blanks(record.accepted) != accepted:
        raise ValueError(CHANGED)
    with transaction.atomic():
        if from_marketo:
            with edit(models.EditSource.DECISION, user, reference=conflict.pk):
                write_local_values(record, {name: conflict.here.get(name, "") for name in from_marketo}, keys)
        store_accepted_values(record, keys, accepted=conflict.base)
        _open(conflict)


def _open(conflict: models.Conflict) -> None:
    conflict.answer, conflict.decided_at, conflict.user, conflict.username = "", None, None, ""
    conflict.answer_text = f"{conflict.answer_text}\n{TAKEN_BACK}".strip()
    conflict.decision = None
    try:
        with transaction.atomic():
            conflict.save()
    except IntegrityError:
        raise ValueError(OPEN_AGAIN) from None


def _without_blanks(values: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in values.items() if text}
