"""What Marketo holds, from the answers to getMObjects, getTags, getChannels and describeMObject.

They are read from their elements, as zeep's tolerant mode reads them, which takes five times as long; a test holds both
to the same. A page that contradicts itself is refused as a whole: an object left out would look deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

from lxml.etree import _Element

from mobjects.marketo import attributes, types
from mobjects.marketo.soap.elements import (
    InvalidResponse,
    Parts,
    id_of,
    items_of,
    leaf_text,
    pairs_of,
    parts_of,
    raw_text_of,
    text_of,
    truth_of,
    whole_number_of,
)
from mobjects.marketo.soap.query_request import PLURALS
from mobjects.marketo.value_parsing import normalize_remote_text, parse_month, quote_value
from mobjects.marking import gettext_noop as _

CHANNEL = "Channel"

# Marketo tells a link twice: as an association, and as an attribute under describeMObject's name for it.
_LINKS: dict[types.Kind, dict[str, types.LinkTarget]] = {
    types.Kind.PROGRAM: {},
    types.Kind.OPPORTUNITY: {"CompanyId": types.LinkTarget.COMPANY},
    types.Kind.ROLE: {"OpportunityId": types.LinkTarget.OPPORTUNITY, "PersonId": types.LinkTarget.LEAD},
}


def parse_page(query: types.MarketoQuery, result: _Element, exchange: types.Exchange) -> types.QueryPage:
    """One page of what a query found.

    Args:
        query: what was asked.
        result: of getMObjects' answer.
        exchange: goes into the page.

    Raises:
        InvalidResponse: the page contradicts itself or the query, or holds something that cannot be read.
    """
    parts = parts_of(result)
    rows = items_of(parts, "mObjectList", "mObject")
    count, more = whole_number_of(parts, "returnCount"), truth_of(parts, "hasMore")
    if count is None or more is None:
        raise InvalidResponse(_("Marketo did not say how many objects it found."))
    if count != len(rows):
        raise InvalidResponse(
            _("Marketo announced %(announced)s objects, but gave %(given)s.") % {"announced": count, "given": len(rows)}
        )
    found = [_parse_object(query, parts_of(row)) for row in rows]
    position = raw_text_of(parts, "newStreamPosition")
    if more and not position.strip():
        raise InvalidResponse(_("Marketo said that there is more, but not where."))
    return types.QueryPage(found, more=more, position=position, exchange=exchange)


def parse_tags(result: _Element, exchange: types.Exchange) -> types.TagValuesResponse:
    """The tag types and their values from getTags; the channel has a call of its own.

    Raises:
        InvalidResponse: there is no list, or a tag has no type.
    """
    allowed: dict[str, list[str]] = {}
    for item in _listed(result, "tagList", "tag"):
        name = text_of(item, "type")
        if not name:
            raise InvalidResponse(_("Marketo listed a tag without its type."))
        texts = (leaf_text(value).strip() for value in items_of(item, "values", "stringItem"))
        allowed.setdefault(name, []).extend(filter(None, texts))
    allowed.pop(CHANNEL, None)
    return types.TagValuesResponse(allowed, exchange)


def parse_channels(result: _Element, exchange: types.Exchange) -> types.TagValuesResponse:
    """The channels from getChannels, without their progression statuses.

    Raises:
        InvalidResponse: there is no list, or a channel has no name.
    """
    names = [text_of(item, "tagValue") for item in _listed(result, "tags", "tagStatus")]
    if "" in names:
        raise InvalidResponse(_("Marketo listed a channel without its name."))
    return types.TagValuesResponse({CHANNEL: names}, exchange)


def _listed(result: _Element, list_name: str, name: str) -> list[Parts]:
    """The parts of what stands in a list that has to be there, though it may be empty."""
    parts = parts_of(result)
    if list_name not in parts:
        raise InvalidResponse(_("Marketo gave no %(list_name)s.") % {"list_name": list_name})
    return [parts_of(item) for item in items_of(parts, list_name, name)]


def _parse_object(query: types.MarketoQuery, row: Parts) -> types.RemoteObject:
    kind, type_name = query.kind, text_of(row, "type")
    if type_name != kind.value:
        raise InvalidResponse(
            _("Asked for %(plurals)s, Marketo gave an object of the type %(type_name)s.")
            % {"plurals": PLURALS[kind], "type_name": quote_value(type_name)}
        )
    marketo_id = id_of(row)
    if marketo_id is None:
        raise InvalidResponse(_("Marketo gave one of the %(plurals)s without its ID.") % {"plurals": PLURALS[kind]})
    if query.id not in (None, marketo_id):
        raise InvalidResponse(
            _("Asked for ID %(id)s, Marketo gave ID %(marketo_id)s.") % {"id": query.id, "marketo_id": marketo_id}
        )
    # The external key is an attribute too; it may stand only by itself.
    texts = dict([*_keys(row), *pairs_of(items_of(row, "attribList", "attrib"))])
    links = _links(kind, row, texts)
    costs, tags = _details(marketo_id, row)
    return types.RemoteObject(
        kind=kind,
        marketo_id=marketo_id,
        values=_values(kind, texts),
        associations=tuple(links.values()),
        costs=tuple(costs),
        tags=tuple(tags),
        created_at=_moment(text_of(row, "createdAt")),
        updated_at=_moment(text_of(row, "updatedAt")),
    )


def _keys(row: Parts) -> Iterator[tuple[str, str]]:
    """The external key of an object or an association, if it has one."""
    return pairs_of(row.get("externalKey", [])[:1])


def _links(kind: types.Kind, row: Parts, texts: dict[str, str]) -> dict[types.LinkTarget, types.RecordAssociation]:
    """The links by what they lead to. Takes those that are attributes out of ``texts``; an id beats a key."""
    links: dict[types.LinkTarget, types.RecordAssociation] = {}
    for item in map(parts_of, items_of(row, "associationList", "mObjAssociation")):
        name = text_of(item, "mObjType")
        if name in _LINKS[kind].values():
            to = types.LinkTarget(name)
            for key in _keys(item):
                links[to] = types.RecordAssociation(to, key=types.ExternalKey(*key))
            if (number := id_of(item)) is not None:
                links[to] = types.RecordAssociation(to, id=number)
    for name, link in _LINKS[kind].items():
        text = texts.get(name, "").strip()
        if re.fullmatch("0*[1-9][0-9]{0,9}", text):
            del texts[name]
            if link not in links or links[link].id is None:
                links[link] = types.RecordAssociation(link, id=int(text))
    return links


def _values(kind: types.Kind, texts: Mapping[str, str]) -> dict[str, str]:
    standard = {attribute.name: attribute for attribute in attributes.STANDARD[kind]}
    values = {
        name: normalize_remote_text(text, standard[name]) if name in standard else text for name, text in texts.items()
    }
    # The id is in describeMObject's list too, but is no value that could be kept twice.
    return {name: text for name, text in values.items() if text != "" and name != "Id"}


def _details(marketo_id: int, row: Parts) -> tuple[list[types.RemoteCost], list[types.TagValue]]:
    """Costs and tags of a program; its tokens, which stand among them, are none of our business."""
    costs, tags = [], []
    for item in map(parts_of, items_of(row, "typeAttribList", "typeAttrib")):
        name = text_of(item, "attrType")
        if name in ("Cost", "Tag"):
            pairs = dict(pairs_of(items_of(item, "attrList", "attrib")))
            if name == "Cost":
                costs.append(_cost(marketo_id, pairs))
            else:
                tags.append(_tag(marketo_id, pairs))
    return costs, tags


def _cost(marketo_id: int, pairs: Mapping[str, str]) -> types.RemoteCost:
    try:
        return types.RemoteCost(
            id=int(pairs.get("Id", "").strip() or "0") or None,
            month=_month(pairs.get("Month", "").strip()),
            amount=_amount(pairs.get("Amount", "").strip()),
            note=pairs.get("Note", ""),
        )
    except (ValueError, ArithmeticError) as error:
        said = ", ".join(f"{name} {quote_value(text)}" for name, text in pairs.items()) or "nothing"
        raise InvalidResponse(
            _("Program %(marketo_id)s has a cost that cannot be read: %(said)s.")
            % {"marketo_id": marketo_id, "said": said}
        ) from error


def _month(text: str) -> date:
    """Marketo is sent ``2013-06`` and gives ``2013-06-01``."""
    match = re.fullmatch(r"([0-9]{4}-[0-9]{2})(-[0-9]{2}([T ].*)?)?", text)
    return parse_month(match[1] if match else text)


def _amount(text: str) -> Decimal:
    """With two decimals, as amounts are kept; with more only where Marketo has more."""
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    cents = round(number, 2)
    return cents if cents == number else number


def _tag(marketo_id: int, pairs: Mapping[str, str]) -> types.TagValue:
    name, value = pairs.get("Type", "").strip(), pairs.get("Value", "").strip()
    if not name:
        raise InvalidResponse(_("Program %(marketo_id)s has a tag without a type.") % {"marketo_id": marketo_id})
    return types.TagValue(name, value)


def _moment(text: str) -> datetime | None:
    """A time; one without a zone tells nothing certain."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.utcoffset() is not None else None


def parse_description(result: _Element, exchange: types.Exchange) -> types.DescribeResponse:
    """The fields that describeMObject tells.

    Raises:
        InvalidResponse: it holds no fields, or one without a name.
    """
    metadata = [parts_of(found) for found in parts_of(result).get("metadata", ())]
    fields = [parts_of(field) for parts in metadata for field in items_of(parts, "fieldList", "field")]
    if not fields:
        raise InvalidResponse(_("Marketo described no fields."))
    return types.DescribeResponse([_field_info(field) for field in fields], exchange)


def _field_info(field: Parts) -> types.FieldDescription:
    name = text_of(field, "name")
    if not name:
        raise InvalidResponse(_("Marketo described a field without its name."))
    return types.FieldDescription(
        name=name,
        label=text_of(field, "displayName") or name,
        type=text_of(field, "dataType"),
        size=whole_number_of(field, "size"),
        read_only=bool(truth_of(field, "isReadonly") or truth_of(field, "isUpdateBlocked")),
        custom=bool(truth_of(field, "isCustom")),
    )
