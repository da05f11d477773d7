"""Records as mObject elements, in the order of Marketo's schema.

They are written as text and put into zeep's envelope: a tree built element by element takes four times as long for a
full batch, zeep's own serialiser longer still. Tests hold all of it to what zeep writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from xml.sax.saxutils import escape

from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, OutgoingCost, OutgoingRecord, RecordAssociation
from mobjects.marketo.value_text import to_text

AttributePair = tuple[str, str]

_LINK_ATTRIBUTES = {LinkTarget.OPPORTUNITY: "OpportunityId", LinkTarget.LEAD: "PersonId"}
_LINK_ORDER = [LinkTarget.COMPANY, LinkTarget.OPPORTUNITY, LinkTarget.LEAD]
_LINE_END = {"\r": "&#13;"}
"""A reader of XML takes a carriage return that stands for itself for a line feed."""

_ESCAPED = re.compile("[&<>\r]")


def write_records(records: Iterable[OutgoingRecord]) -> str:
    """The content of an ``mObjectList`` element: one ``mObject`` per record. Expects records that passed the rules."""
    return "".join([_write_record(record) for record in records])


def _write_record(record: OutgoingRecord) -> str:
    number = "" if record.marketo_id is None else _element("id", str(record.marketo_id))
    key = "" if record.external_key is None else _key(record.external_key)
    pairs = _attribute_list("attribList", _attributes(record))
    return (
        f"<mObject>{_element('type', record.kind.value)}{number}{key}{pairs}"
        f"{_type_attributes(record)}{_associations(record)}</mObject>"
    )


def _attributes(record: OutgoingRecord) -> Iterator[AttributePair]:
    if _links_are_attributes(record):
        for association in _in_order(record.associations):
            yield _LINK_ATTRIBUTES[association.link], str(association.id)
    key = record.external_key
    # Marketo matches by the externalKey element but stores only attributes: without the repeat a new
    # opportunity would not hold its key (Marketo's developer blog, "Opportunity Sync via SOAP API", 2014).
    if key is not None and key.field not in record.values:
        yield key.field, key.value
    for name, value in record.values.items():
        yield name, value if type(value) is str else to_text(value)


def _links_are_attributes(record: OutgoingRecord) -> bool:
    """A role names its opportunity and person either both as attributes, by id, or both as associations."""
    return record.kind is Kind.ROLE and all(association.id is not None for association in record.associations)


def _in_order(associations: Iterable[RecordAssociation]) -> list[RecordAssociation]:
    return sorted(associations, key=lambda association: _LINK_ORDER.index(association.link))


def _type_attributes(record: OutgoingRecord) -> str:
    if not (record.costs or record.tags):
        return ""
    costs = [_type_attribute("Cost", _cost_pairs(cost)) for cost in record.costs]
    tags = [_type_attribute("Tag", [("Type", tag.type), ("Value", tag.value)]) for tag in record.tags]
    return f"<typeAttribList>{''.join(costs + tags)}</typeAttribList>"


def _type_attribute(name: str, pairs: list[AttributePair]) -> str:
    return f"<typeAttrib>{_element('attrType', name)}{_attribute_list('attrList', pairs)}</typeAttrib>"


def _cost_pairs(cost: OutgoingCost) -> list[AttributePair]:
    pairs = [("Month", cost.month.isoformat()[:7]), ("Amount", to_text(cost.amount))]
    if cost.id is not None:
        pairs.append(("Id", str(cost.id)))
    if cost.note is not None:
        pairs.append(("Note", cost.note))
    return pairs


def _associations(record: OutgoingRecord) -> str:
    if not record.associations or _links_are_attributes(record):
        return ""
    links = [
        f"<mObjAssociation>{_element('mObjType', association.link.value)}"
        f"{_element('id', str(association.id)) if association.key is None else _key(association.key)}</mObjAssociation>"
        for association in _in_order(record.associations)
    ]
    # Named associationList here; the mObjAssociationList of Adobe's page exists in getMObjects only (WSDL).
    return f"<associationList>{''.join(links)}</associationList>"


def _attribute_list(list_name: str, pairs: Iterable[AttributePair]) -> str:
    written = "".join([f"<attrib>{_name(name)}<value>{_escape(value)}</value></attrib>" for name, value in pairs])
    return f"<{list_name}>{written}</{list_name}>" if written else ""


def _key(key: ExternalKey) -> str:
    return f"<externalKey>{_name(key.field)}<value>{_escape(key.value)}</value></externalKey>"


@lru_cache(maxsize=1000)
def _name(name: str) -> str:
    """The same few in each record."""
    return _element("name", name)


def _element(name: str, text: str) -> str:
    return f"<{name}>{_escape(text)}</{name}>"


def _escape(text: str) -> str:
    """Hardly any value has anything to escape, and asking that is several times as fast."""
    return text if _ESCAPED.search(text) is None else escape(text, _LINE_END)
