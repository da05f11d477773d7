"""Queries as the parameters of getMObjects, and what Marketo cannot be asked.

Source: Adobe's getMObjects page. A criterion has a name with spaces, a comparison and a value; all of them must
hold. How often one may be given is in its list of names: "Updated At or Tag Type (only one can be specified)".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from mobjects.marketo.errors import Rejected
from mobjects.marketo.soap.validation import MAX_ID, is_valid_id
from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, MarketoQuery, RecordAssociation
from mobjects.marketo.value_text import find_xml_problem, format_datetime
from mobjects.marking import gettext_noop as _

PLURALS = {Kind.PROGRAM: "programs", Kind.OPPORTUNITY: "opportunities", Kind.ROLE: _("person roles")}


def check_query(query: MarketoQuery) -> None:
    """Refuse a query that Marketo cannot answer.

    Raises:
        Rejected: naming the first problem.
    """
    found = _shape_problem(query) or _time_problem(query) or _content_problem(query)
    if found:
        raise Rejected(
            _("Marketo cannot look for %(plurals)s like this: %(found)s.")
            % {"plurals": PLURALS[query.kind], "found": found}
        )


def build_arguments(query: MarketoQuery, position: str) -> dict[str, Any]:
    """The parameters of getMObjects in zeep's form. Expects a query that passed :func:`check_query`.

    Args:
        query: what to look for.
        position: goes back to Marketo as it came, ``""`` for the first page.
    """
    criteria = list(_criteria(query))
    given = {
        "type": query.kind.value,
        "id": query.id,
        "externalKey": query.key and _pair(query.key),
        "mObjCriteriaList": criteria and {"mObjCriteria": criteria},
        "mObjAssociationList": query.opportunity and {"mObjAssociation": [_association(query.opportunity)]},
        "includeDetails": query.details and query.kind is Kind.PROGRAM,
        "streamPosition": position,
    }
    return {name: value for name, value in given.items() if value}


def _criteria(query: MarketoQuery) -> Iterator[dict[str, str]]:
    if query.name:
        yield _criterion("Name", "EQ", query.name)
    for comparison, number in (("GE", query.id_from), ("LE", query.id_to)):
        if number is not None:
            yield _criterion("Id", comparison, str(number))
    yield from _time_criteria(query)
    if query.tag is not None:
        yield _criterion("Tag Type", "EQ", query.tag.type)
        yield _criterion("Tag Value", "EQ", query.tag.value)
    if query.workspace:
        yield _criterion("Workspace Name", "EQ", query.workspace)
    if query.archived and query.kind is Kind.PROGRAM:
        yield _criterion("Include Archive", "EQ", "true")


def _time_criteria(query: MarketoQuery) -> Iterator[dict[str, str]]:
    until = query.updated_until and _full_second(query.updated_until)
    times = (
        ("Created At", "GE", query.created_since),
        ("Updated At", "GE", query.updated_since),
        ("Updated At", "LE", until),
    )
    for name, comparison, moment in times:
        if moment is not None:
            yield _criterion(name, comparison, format_datetime(moment))


def _full_second(moment: datetime) -> datetime:
    """Rounded up: times go out in whole seconds, and the end of a range is part of it."""
    return moment + timedelta(seconds=1) if moment.microsecond else moment


def _criterion(name: str, comparison: str, value: str) -> dict[str, str]:
    return {"attrName": name, "comparison": comparison, "attrValue": value}


def _association(association: RecordAssociation) -> dict[str, Any]:
    given: dict[str, Any] = {"mObjType": association.link.value}
    if association.key is not None:
        return given | {"externalKey": _pair(association.key)}
    return given | {"id": association.id}


def _pair(key: ExternalKey) -> dict[str, str]:
    return {"name": key.field, "value": key.value}


def _shape_problem(query: MarketoQuery) -> str | None:
    filters: tuple[tuple[object, str, tuple[Kind, ...]], ...] = (
        (query.key, _("an external key"), (Kind.OPPORTUNITY,)),
        (query.name, _("a name"), (Kind.PROGRAM, Kind.OPPORTUNITY)),
        (query.opportunity, _("their opportunity"), (Kind.ROLE,)),
        (query.tag, _("a tag"), (Kind.PROGRAM,)),
        (query.workspace, _("a workspace"), (Kind.PROGRAM,)),
        (query.id_from or query.id_to, _("a range of IDs"), (Kind.PROGRAM,)),
    )
    for given, words, kinds in filters:
        if given and query.kind not in kinds:
            first, *others = (PLURALS[kind] for kind in kinds)
            if not others:
                return _("it finds only %(kind)s by %(words)s") % {"kind": first, "words": words}
            both = _("it finds only %(kind)s and %(other)s by %(words)s")
            return both % {"kind": first, "other": others[0], "words": words}
    if query.ids or query.keys or query.opportunities:
        return _("it finds one ID or key at a time")
    if query.id is not None and query.key is not None:
        return _("give an ID or an external key, not both")
    if query.opportunity is not None and query.opportunity.link is not LinkTarget.OPPORTUNITY:
        return _("a %(link)s is not an opportunity") % {"link": query.opportunity.link}
    return None


def _time_problem(query: MarketoQuery) -> str | None:
    times = (query.created_since, query.updated_since, query.updated_until)
    if any(moment is not None and moment.utcoffset() is None for moment in times):
        return _("a time has no time zone")
    if query.tag is not None and (query.updated_since or query.updated_until):
        return _("it takes a tag or a time of the last change, not both")
    return None


def _content_problem(query: MarketoQuery) -> str | None:
    for number in (query.id, query.id_from, query.id_to, query.opportunity.id if query.opportunity else None):
        if number is not None and not is_valid_id(number):
            return _("ID %(number)s is not between 1 and %(max_id)s") % {"number": number, "max_id": MAX_ID}
    for label, text in _texts(query):
        if found := find_xml_problem(text):
            return f"{label}: {found}"
    return None


def _texts(query: MarketoQuery) -> Iterator[tuple[str, str]]:
    for key in (query.key, query.opportunity.key if query.opportunity else None):
        if key is not None:
            yield _("name of the external key"), key.field
            yield _("external key"), key.value
    yield "name", query.name
    yield "workspace", query.workspace
    if query.tag is not None:
        yield _("tag type"), query.tag.type
        yield _("tag value"), query.tag.value
