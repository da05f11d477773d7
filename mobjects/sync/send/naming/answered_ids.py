"""The ids in an answer: whose they are, and what becomes of them where an object was deleted and made anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from mobjects.db.bulk import bulk_update_rows
from mobjects.db.prepared import SHARED, given_among
from mobjects.marketo.types import ACCEPTED_STATUSES, Kind, MarketoId, OutcomeStatus, RecordOutcome
from mobjects.models import RECORD_MODELS, records_of_kind
from mobjects.sync.content.doubtful import mark_doubtful
from mobjects.sync.content.payload import REPLACED, KeyFields, fixed_names
from mobjects.sync.send.claims import BatchItem


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A record as it is when the answer comes: whether an earlier sending's outcome is unknown, and its id by now."""

    was_lost: bool
    marketo_id: MarketoId | None


def find_foreign_ids(kind: Kind, live: Sequence[tuple[BatchItem, RecordOutcome]], keys: KeyFields) -> set[MarketoId]:
    """Ids in an answer that are already known for other local records, or that it gives twice."""
    new = [outcome.marketo_id for item, outcome in live if outcome.marketo_id is not None and _gets_id(item)]
    column = keys.id_column(kind)
    of = records_of_kind(kind)

    def make() -> QuerySet[Any]:
        same = {f"{column}__in": given_among(of.model._meta.get_field(column))}
        return of.filter(**same).order_by().values_list(column, "pk")

    owners: dict[MarketoId, int] = dict(SHARED.ask(("owners", kind, column), make, new))
    # A record's own id is not taken, even if it came to be known only since the record was claimed.
    own = {outcome.marketo_id: item.pk for item, outcome in live}
    twice = {marketo_id for marketo_id, times in Counter(new).items() if times > 1}
    return {marketo_id for marketo_id, pk in owners.items() if own[marketo_id] != pk} | twice


def reject_foreign_id(
    item: BatchItem, outcome: RecordOutcome, taken: set[MarketoId], held: HeldRecord | None
) -> RecordOutcome:
    """The outcome; or a failure in its place, where its id cannot be this record's."""
    given = outcome.marketo_id
    own = held.marketo_id if held is not None else None
    if given is None or not _gets_id(item):
        return outcome
    if given in taken:
        trouble = _("which another record here already has: both describe one object in Marketo.")
    elif own is not None and own != given and not (item.payload.record.replaced and own == item.marketo_id):
        trouble = _("but it got the ID %(own)s here meanwhile: there may be two objects in Marketo.") % {"own": own}
    else:
        return outcome
    said = (
        _("Marketo answered %(status)s with the ID %(given)s, %(trouble)s %(message)s")
        % {"status": outcome.status, "given": given, "trouble": trouble, "message": outcome.message}
    ).strip()
    return RecordOutcome(OutcomeStatus.FAILED, message=said)


def find_wrong_id(items: Sequence[BatchItem], outcomes: Sequence[RecordOutcome], word: str) -> str:
    """What is wrong with the ids of an answer that should be those that were sent, as a sentence; "" if nothing is.

    Args:
        word: what people call such an id.
    """
    for position, (item, outcome) in enumerate(zip(items, outcomes, strict=True), start=1):
        if not _gets_id(item) and outcome.marketo_id not in {None, item.marketo_id}:
            return _("Row %(position)s answers for %(word)s %(marketo_id)s, but %(sent)s was sent.") % {
                "position": position,
                "word": word,
                "marketo_id": outcome.marketo_id,
                "sent": item.marketo_id,
            }
    return ""


def describe_outcome(item: BatchItem, outcome: RecordOutcome) -> str:
    """The words of a result: Marketo's, and before them that the object is a new one."""
    renewed = item.payload.record.replaced and outcome.status in ACCEPTED_STATUSES
    return f"{REPLACED} {outcome.message}".strip() if renewed else outcome.message


def save_replaced(kind: Kind, keys: KeyFields, answered: Sequence[tuple[BatchItem, RecordOutcome]]) -> None:
    """Give records whose objects were deleted and made anew the id of the new one.

    Where it was not made, the old one may be gone: its key is no longer what Marketo accepted, so that the record is
    made anew with its next sending, whatever its key is then.

    Args:
        answered: items that were to be replaced, and what became of them.
    """
    column, fixed = keys.id_column(kind), fixed_names(kind, keys)
    made = [(item, outcome) for item, outcome in answered if outcome.status in ACCEPTED_STATUSES]
    new = [(outcome.marketo_id, item.pk) for item, outcome in made if outcome.marketo_id is not None]
    bulk_update_rows(RECORD_MODELS[kind], {column: "%s"}, new)
    failed = [
        (mark_doubtful(item.accepted, {name: item.payload.sent.get(name, "") for name in fixed}, fixed=fixed), item.pk)
        for item, outcome in answered
        if outcome.status not in ACCEPTED_STATUSES
    ]
    bulk_update_rows(RECORD_MODELS[kind], {"accepted": "%s"}, failed)


def _gets_id(item: BatchItem) -> bool:
    """Whether an answer tells an id that was not known when the item was sent."""
    return item.marketo_id is None or item.payload.record.replaced
