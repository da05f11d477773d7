"""What Marketo holds, from zeep's reading of getMObjects, getTags and getChannels.

zeep gives an empty list as ``None``, alone or inside its parent, and an empty element of a list likewise.
A page that contradicts itself is refused as a whole: an object left out would look deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mobjects.marketo import attributes, types
from mobjects.marketo.soap.query_request import PLURALS
from mobjects.marketo.soap.sync_responses import InvalidResponse, id_of, text_of
from mobjects.marketo.value_parsing import normalize_remote_text, parse_month, quote_value
from mobjects.marking import gettext_noop as _

CHANNEL = "Channel"

# Marketo tells a link twice: as an association, and as an attribute under describeMObject's name for it.
_LINKS: dict[types.Kind, dict[str, types.LinkTarget]] = {
    types.Kind.PROGRAM: {},
    types.Kind.OPPORTUNITY: {"CompanyId": types.LinkTarget.COMPANY},
    types.Kind.ROLE: {"OpportunityId": types.LinkTarget.OPPORTUNITY, "PersonId": types.LinkTarget.LEAD},
}


def parse_page(query: types.MarketoQuery, result: Any, exchange: types.Exchange) -> types.QueryPage:
    """One page of what a query found.

    Args:
        query: what was asked.
        result: zeep's reading of getMObjects' result.
        exchange: goes into the page.

    Raises:
        InvalidResponse: the page contradicts itself or the query, or holds something that cannot be read.
    """
    rows = _list_items(getattr(result, "mObjectList", None), "mObject")
    if result is None or result.returnCount is None or result.hasMore is None:
        raise InvalidResponse(_("Marketo did not say how many objects it found."))
    if result.returnCount != len(rows):
        raise InvalidResponse(
            _("Marketo announced %(announced)s objects, but gave %(given)s.")
            % {"announced": result.returnCount, "given": len(rows)}
        )
    found = [_parse_object(query, row) for row in rows]
    position = result.newStreamPosition or ""
    if result.hasMore and not position.strip():
        raise InvalidResponse(_("Marketo said that there is more, but not where."))
    return types.QueryPage(found, more=bool(result.hasMore), position=position, exchange=exchange)


def parse_tags(result: Any, exchange: types.Exchange) -> types.TagValuesResponse:
    """The tag types and their values from getTags; the channel has a call of its own.

    Raises:
        InvalidResponse: a tag has no type.
    """
    allowed: dict[str, list[str]] = {}
    for item in _list_items(result, "tag"):
        name = text_of(getattr(item, "type", None))
        if not name:
            raise InvalidResponse(_("Marketo listed a tag without its type."))
        texts = map(text_of, _list_items(getattr(item, "values", None), "stringItem"))
        allowed.setdefault(name, []).extend(filter(None, texts))
    allowed.pop(CHANNEL, None)
    return types.TagValuesResponse(allowed, exchange)


def parse_channels(result: Any, exchange: types.Exchange) -> types.TagValuesResponse:
    """The channels from getChannels, without their progression statuses.

    Raises:
        InvalidResponse: a channel has no name.
    """
    names = [text_of(getattr(item, "tagValue", None)) for item in _list_items(result, "tagStatus")]
    if "" in names:
        raise InvalidResponse(_("Marketo listed a channel without its name."))
    return types.TagValuesResponse({CHANNEL: names}, exchange)


def _list_items(parent: Any, name: str) -> list[Any]:
    """The content of one of Marketo's lists, whatever zeep made of an empty one."""
    return list(getattr(parent, name, None) or [])


def _parse_object(query: types.MarketoQuery, row: Any) -> types.RemoteObject:
    kind, type_name = query.kind, text_of(getattr(row, "type", None))
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
    texts = _texts(row)
    links = _links(kind, row, texts)
    costs, tags = _details(marketo_id, row)
    return types.RemoteObject(
        kind=kind,
        marketo_id=marketo_id,
        values=_values(kind, texts),
        associations=tuple(links.values()),
        costs=tuple(costs),
        tags=tuple(tags),
        created_at=_aware(row.createdAt),
        updated_at=_aware(row.updatedAt),
    )


def _texts(row: Any) -> dict[str, str]:
    """The attributes as Marketo wrote them; the external key is one of them, in case it stands only by itself."""
    return dict([*_pairs([row.externalKey]), *_pairs(_list_items(row.attribList, "attrib"))])


def _pairs(attribs: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for attrib in attribs:
        name = text_of(getattr(attrib, "name", None))
        if name:
            yield name, attrib.value or ""


def _links(kind: types.Kind, row: Any, texts: dict[str, str]) -> dict[types.LinkTarget, types.RecordAssociation]:
    """The links by what they lead to. Takes those that are attributes out of ``texts``; an id beats a key."""
    links: dict[types.LinkTarget, types.RecordAssociation] = {}
    for item in _list_items(row.associationList, "mObjAssociation"):
        name = text_of(getattr(item, "mObjType", None))
        if name in _LINKS[kind].values():
            to = types.LinkTarget(name)
            for key in _pairs([item.externalKey]):
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


def _details(marketo_id: int, row: Any) -> tuple[list[types.RemoteCost], list[types.TagValue]]:
    """Costs and tags of a program; its tokens, which stand among them, are none of our business."""
    costs, tags = [], []
    for item in _list_items(row.typeAttribList, "typeAttrib"):
        pairs = dict(_pairs(_list_items(item.attrList, "attrib"))) if item is not None else {}
        name = text_of(getattr(item, "attrType", None))
        if name == "Cost":
            costs.append(_cost(marketo_id, pairs))
        elif name == "Tag":
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


def _aware(moment: datetime | None) -> datetime | None:
    """A time without a zone tells nothing certain."""
    return moment if moment is not None and moment.utcoffset() is not None else None
