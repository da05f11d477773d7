"""Records that changed here and in Marketo: writing down both sides, and carrying out what a person decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop

from mobjects import clock, models
from mobjects.db.edit_context import edit
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo.types import Kind, RemoteObject
from mobjects.models.program import COST_PREFIX
from mobjects.sync.conflicts.alike import DisputedField, compare_sides, disputed_fields, keys_of_fields
from mobjects.sync.content.loading import load_records
from mobjects.sync.content.payload import KeyFields, record_content
from mobjects.sync.content.write_local import store_accepted_values, write_local_values
from mobjects.sync.transport_factory import key_fields

ConflictSide = Literal["here", "marketo"]
RENEWED = gettext_noop("Marketo was read again since you opened this page; it shows the values of now. Choose again.")
AGREED = gettext_noop("Both sides hold the same again.")


def find_open_conflicts(kind: Kind, ids: Sequence[int]) -> dict[int, models.Conflict]:
    """The open conflicts of records, by our own id."""
    found = models.Conflict.objects.filter(kind=kind.value, record_id__in=ids, decided_at__isnull=True)
    return {conflict.record_id: conflict for conflict in found}


def open_both_changed(
    job: models.SyncJob,
    record: models.SyncedRecord,
    found: RemoteObject,
    *,
    base: Mapping[str, str],
    here: Mapping[str, str],
    there: Mapping[str, str],
) -> models.Conflict:
    """Write down that a record changed on both sides; an open conflict of that kind is brought up to date.

    Args:
        base, here, there: what Marketo last accepted, the record's content, what Marketo holds; all of it.
    """
    values = {
        "label": str(record)[:255],
        "reason": models.ConflictReason.BOTH_CHANGED,
        "base": dict(base),
        "here": dict(here),
        "candidates": [candidate(found, there)],
        "job": job,
        **keys_of_fields(compare_sides(base, here, there)),
    }
    conflict, _ = models.Conflict.objects.update_or_create(
        values, kind=record.KIND.value, record_id=record.pk, decided_at__isnull=True
    )
    return conflict


def candidate(found: RemoteObject, values: Mapping[str, str]) -> dict[str, Any]:
    """An object in Marketo as a conflict keeps it."""
    return {
        "id": found.marketo_id,
        "values": dict(values),
        "created_at": found.created_at.isoformat() if found.created_at else None,
        "updated_at": found.updated_at.isoformat() if found.updated_at else None,
    }


def close_agreed_conflict(conflict: models.Conflict) -> None:
    """Close a conflict that has gone by itself."""
    _close(conflict, AGREED)


@retry_on_database_error
def resolve_both_changed(
    conflict: models.Conflict,
    choices: Mapping[str, ConflictSide],
    user: User | None,
    *,
    seen: Sequence[DisputedField] | None = None,
) -> None:
    """Carry out a person's decision about a record that changed on both sides.

    What is taken from Marketo is in step with it afterwards; what is kept stays changed, and is sent next.

    Args:
        conflict: open, of reason "both changed".
        choices: for each disputed field the side whose value is right.
        user: who decided.
        seen: the fields that the person looked at; None for those of now.

    Raises:
        ValueError: a sentence; nothing was changed.
    """
    keys = key_fields()
    with transaction.atomic():
        conflict = models.Conflict.objects.select_for_update().get(pk=conflict.pk)
        if conflict.decided_at is not None or conflict.reason != models.ConflictReason.BOTH_CHANGED:
            raise ValueError(gettext_noop("This has been decided already."))
        fields = disputed_fields(conflict)
        if seen is not None and list(seen) != fields:
            raise ValueError(RENEWED)
        missing = [name for name, *_ in fields if choices.get(name) not in ("here", "marketo")]
        if missing:
            raise ValueError(
                gettext_noop("%(names)s: choose the value here or the one in Marketo.") % {"names": ", ".join(missing)}
            )
        record = _unchanged(conflict, keys)
        accepted = dict(record.accepted)
        accepted.update((name, theirs) for name, _, _, theirs in fields)
        theirs = {name: value for name, _, _, value in fields if choices[name] == "marketo"}
        with edit(models.EditSource.DECISION, user, reference=conflict.pk):
            if theirs:
                write_local_values(record, theirs, keys)
            _forget_lost_cost_ids([name for name, _, _, value in fields if choices[name] == "here" and not value])
        # That the key is empty stays said; see OpportunityKey.
        stays = {keys.opportunity}.intersection(record.accepted)
        kept = {name: text for name, text in accepted.items() if text or name in stays}
        store_accepted_values(record, keys, accepted=kept)
        _close(conflict, _describe_choices(fields, choices), user)


def locked_record(conflict: models.Conflict) -> models.SyncedRecord:
    """The record that a conflict is about, locked.

    Raises:
        ValueError: a sentence: it is gone, or is being sent.
    """
    kind = Kind(conflict.kind)
    if not models.records_of_kind(kind).select_for_update(of=("self",)).filter(pk=conflict.record_id).values_list("pk"):
        raise ValueError(gettext_noop("“%(label)s” is no longer here.") % {"label": conflict.label})
    (record,) = load_records(kind, [conflict.record_id])
    if record.claimed_by_id is not None:
        raise ValueError(
            gettext_noop("“%(record)s” is in a batch right now; decide again when it is done.") % {"record": record}
        )
    return record


def _unchanged(conflict: models.Conflict, keys: KeyFields) -> models.SyncedRecord:
    """The record, locked, if it still is as it was when the conflict was found."""
    record = locked_record(conflict)
    if record_content(record, keys) != conflict.here or record.accepted != conflict.base:
        raise ValueError(
            gettext_noop("“%(record)s” has changed since this was found; pull it again to see how it stands now.")
            % {"record": record}
        )
    return record


def _forget_lost_cost_ids(names: Sequence[str]) -> None:
    """Costs that are kept here and gone in Marketo: under their old id they could not be sent any more."""
    pks = [int(name.removeprefix(COST_PREFIX)) for name in names if name.startswith(COST_PREFIX)]
    models.ProgramCost.objects.filter(pk__in=pks).update(marketo_cost_id=None)


def _describe_choices(fields: Sequence[DisputedField], choices: Mapping[str, ConflictSide]) -> str:
    parts = []
    for label, side in ((gettext_noop("Taken from Marketo"), "marketo"), (gettext_noop("Kept"), "here")):
        names = [name for name, *_ in fields if choices[name] == side]
        if names:
            parts.append(f"{label}: {', '.join(names)}.")
    return " ".join(parts)


def _close(conflict: models.Conflict, words: str, user: User | None = None) -> None:
    conflict.answer, conflict.answer_text = models.ConflictAnswer.MERGED, words
    conflict.decided_at = clock.now()
    conflict.user, conflict.username = user, user.get_username() if user else ""
    conflict.save()
