"""Records of which nobody knows what became of their sending: carrying out what a person decided.

The conflict stays the record's until it is decided, so that no look-up asks the same again. "Leave it" does not decide
it: the record stays out of every sync until a person decides otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.edit_context import edit
from mobjects.db.retry import retry_on_database_error
from mobjects.formatting import format_moment
from mobjects.marketo.types import Kind, MarketoId
from mobjects.models import (
    Conflict,
    ConflictAnswer,
    ConflictReason,
    EditSource,
    RecordStatus,
    SyncedRecord,
    records_of_kind,
)
from mobjects.sync.conflicts.both_changed import RENEWED, locked_record
from mobjects.sync.content.payload import KeyFields, record_content
from mobjects.sync.transport_factory import key_fields

RECORD_DELETED = _("The record was deleted here.")


@retry_on_database_error
def resolve_ambiguous(
    conflict: Conflict,
    answer: ConflictAnswer,
    user: User | None,
    candidate_id: MarketoId | None = None,
    *,
    seen: Sequence[dict[str, Any]] | None = None,
) -> None:
    """Carry out a person's decision about a record that was sent without an answer.

    ``IS_THIS`` takes the ID of an object in Marketo and its values as accepted; what differs here stays changed and is
    sent next. ``SEND`` lets the next sync send the record as new. ``LEAVE`` keeps it out of every sync.

    Args:
        conflict: open, of reason "ambiguous".
        answer: one of the three above.
        user: who decided.
        candidate_id: with ``IS_THIS``, what Marketo calls one of the conflict's candidates.
        seen: the candidates that the person looked at; None for those of now.

    Raises:
        ValueError: a sentence; nothing was changed.
    """
    with transaction.atomic():
        # In the order in which jobs lock: the record, then what is to be decided about it.
        record = locked_record(conflict)
        conflict = Conflict.objects.select_for_update().get(pk=conflict.pk)
        if conflict.decided_at is not None:
            raise ValueError(describe_first_decision(conflict))
        if conflict.reason != ConflictReason.AMBIGUOUS:
            raise ValueError(
                _("“%(label)s” was changed on both sides; choose between its values.") % {"label": conflict.label}
            )
        if seen is not None and list(seen) != conflict.candidates:
            raise ValueError(RENEWED)
        if answer is ConflictAnswer.LEAVE:
            _store_decision(conflict, answer, _("Left as it is: no sync sends it until somebody decides."), user)
            return
        if answer is ConflictAnswer.IS_THIS:
            keys = key_fields()
            with edit(EditSource.DECISION, user, reference=conflict.pk):
                words = _accept_candidate(record, _candidate(conflict, candidate_id, keys), keys)
        elif answer is ConflictAnswer.SEND:
            _release_record(record, last_status="")
            words = _("It did not arrive: the next sync sends it again.")
        else:
            raise ValueError(
                _("“%(answer)s” is no answer here; choose “It is this one”, “Send it again” or “Leave it”.")
                % {"answer": answer}
            )
        conflict.decided_at = clock.now()
        _store_decision(conflict, answer, words, user)


def describe_first_decision(conflict: Conflict) -> str:
    """Who decided before, when, and what; as sentences."""
    when = format_moment(conflict.decided_at) if conflict.decided_at else ""
    return (
        _("%(who)s was first, on %(when)s. %(answer_text)s")
        % {"who": conflict.username or _("A job"), "when": when, "answer_text": conflict.answer_text}
    ).strip()


def close_orphaned_conflicts(user: User | None = None) -> int:
    """Close what is open about records that are no longer here.

    Returns:
        How many.
    """
    closed = 0
    for kind in Kind:
        here = records_of_kind(kind).filter(pk=OuterRef("record_id"))
        gone = Conflict.objects.filter(~Exists(here), kind=kind.value, decided_at__isnull=True)
        closed += gone.update(
            answer="",
            answer_text=RECORD_DELETED,
            decided_at=clock.now(),
            user=user,
            username=user.get_username() if user else "",
        )
    return closed


def _candidate(conflict: Conflict, candidate_id: MarketoId | None, keys: KeyFields) -> dict[str, Any]:
    for candidate in conflict.candidates:
        if candidate["id"] == candidate_id:
            return dict(candidate)
    known = ", ".join(str(candidate["id"]) for candidate in conflict.candidates) or "none"
    word = keys.id_word(Kind(conflict.kind))
    raise ValueError(
        _("%(word)s %(candidate_id)s: it is not among those that were found (%(known)s).")
        % {"word": word, "candidate_id": candidate_id, "known": known}
    )


def _accept_candidate(record: SyncedRecord, candidate: dict[str, Any], keys: KeyFields) -> str:
    called, accepted = candidate["id"], candidate["values"]
    column, word, known = keys.id_column(record.KIND), keys.id_word(record.KIND), keys.id_of(record)
    owner = records_of_kind(record.KIND).filter(**{column: called}).exclude(pk=record.pk).first()
    if owner is not None:
        raise ValueError(
            _("%(word)s %(called)s: it belongs to “%(owner)s” by now, so it cannot be this record as well.")
            % {"word": word, "called": called, "owner": owner}
        )
    renewed = record.KIND is Kind.ROLE and keys.traits.role_is_key  # It may have been made anew under another id.
    if known not in (None, called) and not renewed:
        raise ValueError(
            _("“%(record)s” has %(word)s %(known)s by now, so it cannot be %(called)s.")
            % {"record": record, "word": word, "known": known, "called": called}
        )
    same = record_content(record, keys) == accepted
    _release_record(
        record,
        accepted=accepted,
        last_status=RecordStatus.CREATED,
        last_synced_at=clock.now(),
        synced_revision=record.revision if same else record.revision - 1,
        **{column: called},
    )
    return (
        _("It is %(word)s %(called)s.") % {"word": word, "called": called}
        + " "
        + (_("Nothing differs.") if same else _("What differs here stays changed and is sent next."))
    )


def _release_record(record: SyncedRecord, **changes: Any) -> None:
    given = {"unknown_since": None, "last_error": "", **changes}
    records_of_kind(record.KIND).filter(pk=record.pk).update(**given)


def _store_decision(conflict: Conflict, answer: ConflictAnswer, words: str, user: User | None) -> None:
    """Add a decision to what was decided before, so that the row tells all of it."""
    name = user.get_username() if user else ""
    line = f"{format_moment(clock.now())}{f', {name}' if name else ''}: {words}"
    conflict.answer_text = f"{conflict.answer_text}\n{line}".strip()
    conflict.answer = answer.value
    conflict.user, conflict.username = user, name
    conflict.save()
