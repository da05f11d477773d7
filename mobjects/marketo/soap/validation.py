"""What Marketo's SOAP API does not take, or does not delete. Refused here, in words, before anything is sent.

Source: Adobe's syncMObjects and deleteMObjects pages. Programs exist only in Marketo and are changed through
their costs and tags; roles have no external key; a company belongs to an opportunity, a lead and an opportunity
to a role.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import AttributeValue, Kind, LinkTarget, MarketoId, Operation, OutgoingBatch, OutgoingRecord
from mobjects.marketo.value_text import find_xml_problem, to_text
from mobjects.marking import gettext_noop as _

MAX_RECORDS = 100
MAX_ID = 2**31 - 1  # xs:int
_LINKS = {
    Kind.PROGRAM: set(),
    Kind.OPPORTUNITY: {LinkTarget.COMPANY},
    Kind.ROLE: {LinkTarget.OPPORTUNITY, LinkTarget.LEAD},
}


def batch_limit(kind: Kind, operation: Operation) -> int | None:
    """How many records of a kind one call may hold; ``None`` if the operation is not supported for it."""
    if kind is Kind.PROGRAM and operation is not Operation.UPDATE:
        return None
    return MAX_RECORDS


def is_valid_id(number: MarketoId) -> bool:
    """Whether it can be an id of an object: a number that fits ``xs:int``."""
    return isinstance(number, int) and 0 < number <= MAX_ID


def check_batch(batch: OutgoingBatch) -> None:
    """Refuse a batch that Marketo would not take.

    Raises:
        Rejected: naming the first problem and the record that has it.
    """
    if not batch.records:
        raise Rejected(_("There is nothing to send."))
    if len(batch.records) > MAX_RECORDS:
        raise Rejected(
            _("Marketo takes at most %(max_records)s records in a call; this one has %(records)s.")
            % {"max_records": MAX_RECORDS, "records": len(batch.records)}
        )
    for position, record in enumerate(() if batch.checked else batch.records, start=1):
        found = find_problem(record, batch.operation)
        if found:
            raise Rejected(
                _("Record %(position)s of the batch (%(kind)s): %(found)s.")
                % {"position": position, "kind": record.kind, "found": found}
            )


def check_deletion(kind: Kind, ids: Sequence[MarketoId]) -> None:
    """Refuse a deletion that Marketo would not carry out.

    Raises:
        Rejected: naming the first problem.
    """
    if kind is Kind.PROGRAM:
        raise Rejected(_("Marketo's API cannot delete programs; delete them in Marketo."))
    if not ids:
        raise Rejected(_("There is nothing to delete."))
    if len(ids) > MAX_RECORDS:
        raise Rejected(
            _("Marketo deletes at most %(max_records)s objects in a call; this one has %(ids)s.")
            % {"max_records": MAX_RECORDS, "ids": len(ids)}
        )
    for number in ids:
        if not is_valid_id(number):
            raise Rejected(
                _("Marketo ID %(number)s is not between 1 and %(max_id)s.") % {"number": number, "max_id": MAX_ID}
            )


def find_problem(record: OutgoingRecord, operation: Operation) -> str:
    """Why Marketo would not take a record, without a full stop; "" if it would."""
    if batch_limit(record.kind, operation) is None:
        return _("Marketo has no %(operation)s for programs, they can only be updated") % {"operation": operation}
    return _shape_problem(record) or _link_problem(record) or _text_problem(record) or ""


def _shape_problem(record: OutgoingRecord) -> str | None:
    if record.kind is Kind.PROGRAM:
        if record.marketo_id is None:
            return _("a program is found by its Marketo ID, and this one has none")
        if record.values:
            return _("only costs and tags of a program can be changed")
    elif record.costs or record.tags:
        return _("only programs have costs and tags")
    if record.external_key and record.kind is not Kind.OPPORTUNITY:
        return _("only opportunities have an external key")
    return None


def _link_problem(record: OutgoingRecord) -> str | None:
    links = [association.link for association in record.associations]
    for link in links:
        if link not in _LINKS[record.kind]:
            return _("it cannot be linked to a %(link)s") % {"link": link}
    if len(set(links)) != len(links):
        return _("it is linked to the same kind of object twice")
    # An update of a known role may leave both links as they are, but one alone has no documented form.
    optional = record.marketo_id is not None and not links
    if record.kind is Kind.ROLE and len(links) != len(_LINKS[Kind.ROLE]) and not optional:
        return _("a role needs its opportunity and its person")
    return None


def _text_problem(record: OutgoingRecord) -> str | None:
    for label, number in _ids(record):
        if number is not None and not is_valid_id(number):
            return _("%(label)s %(number)s is not between 1 and %(max_id)s") % {
                "label": label,
                "number": number,
                "max_id": MAX_ID,
            }
    # All at once first: hardly any record has one, and there are thousands of values in a batch.
    values = [*record.values, *record.values.values(), *(value for _label, value in _other_values(record))]
    try:
        texts = [value if type(value) is str else to_text(value) for value in values]
        if find_xml_problem("".join(texts)) is None:
            return None
    except ValueError:
        pass
    return next(filter(None, (_value_problem(label, value) for label, value in _values(record))))


def _value_problem(label: str, value: AttributeValue) -> str:
    try:
        found = find_xml_problem(to_text(value))
    except ValueError as error:
        found = str(error)
    return f"{label}: {found}" if found else ""


def _ids(record: OutgoingRecord) -> Iterator[tuple[str, MarketoId | None]]:
    yield _("Marketo ID"), record.marketo_id
    for association in record.associations:
        yield f"{association.link} ID", association.id
    for cost in record.costs:
        yield _("cost ID"), cost.id


def _values(record: OutgoingRecord) -> Iterator[tuple[str, AttributeValue]]:
    yield from _other_values(record)
    for name, value in record.values.items():
        yield _("attribute name"), name
        yield name, value


def _other_values(record: OutgoingRecord) -> Iterator[tuple[str, AttributeValue]]:
    keys = [record.external_key, *(association.key for association in record.associations)]
    for key in filter(None, keys):
        yield _("name of the external key"), key.field
        yield key.field, key.value
    for cost in record.costs:
        yield _("amount of a cost"), cost.amount
        yield _("note of a cost"), cost.note
    for tag in record.tags:
        yield _("tag type"), tag.type
        yield f"tag {tag.type}", tag.value
