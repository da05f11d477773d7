"""From what Marketo holds to the names and texts of a record's content, so that the two can be compared.

The other way round from :mod:`mobjects.sync.content.payload`. Reads the database, writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mobjects.marketo import attributes, value_parsing
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import (
    DataType,
    Kind,
    LinkTarget,
    MarketoId,
    RecordAssociation,
    RemoteCost,
    RemoteObject,
)
from mobjects.models import CustomField, Opportunity, Program, SyncedRecord
from mobjects.models.program import CHANNEL_TAG, TAG_PREFIX
from mobjects.sync.content.cost_matching import CostMatch, format_cost, match_costs
from mobjects.sync.content.payload import COMPANY_ID, COMPANY_KEY, OPPORTUNITY, PERSON_ID, PERSON_KEY, KeyFields

OUR_NUMBER_PREFIX = "our no. "


@dataclass(frozen=True, slots=True)
class RemoteContent:
    """What Marketo holds of one object.

    Args:
        values: by the names and in the texts of :func:`mobjects.sync.content.payload.record_content`.
        costs: of a program: which of its costs stand for which of Marketo's.
        more_tags: further values of tag types that stand among the values already, as type and value.
        unknown: attributes for which no custom field is defined here, by API name.
    """

    values: dict[str, str]
    costs: CostMatch = field(default_factory=CostMatch)
    more_tags: Sequence[tuple[str, str]] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)

    def comparable_with(self, accepted: Mapping[str, str]) -> dict[str, str]:
        """The values to be held against a record: costs that cannot be compared stand as they were last accepted."""
        return self.values | {name: accepted[name] for name in self.costs.lost if name in accepted}

    def remote_only(self, content: Mapping[str, str]) -> dict[str, object]:
        """What of it a record with this content does not hold, as kept in ``in_marketo``."""
        absent = [cost for name, cost in self.costs.by_name.items() if name not in content]
        costs = [_shown(cost) for cost in (*absent, *self.costs.unclear)]
        tags: dict[str, str] = {}
        absent_tags = [name for name in self.values if name.startswith(TAG_PREFIX) and name not in content]
        held = [(name.removeprefix(TAG_PREFIX), self.values[name]) for name in absent_tags]
        for type_, value in (*held, *self.more_tags):
            tags[type_] = f"{tags[type_]}, {value}" if type_ in tags else value
        parts: dict[str, object] = {"costs": costs, "tags": tags, "attributes": dict(self.unknown)}
        return {name: part for name, part in parts.items() if part}


class RemoteReader:
    """Reads what was found of one kind. Made once for a page, so that it asks the database once.

    Args:
        kind: of all the objects.
        found: those that will be read.
        keys: names of the external key fields.
    """

    def __init__(self, kind: Kind, found: Sequence[RemoteObject], keys: KeyFields) -> None:
        self.keys = keys
        self.attributes = {item.name: item for item in attributes.STANDARD[kind]}
        self.custom = {name: field.attribute for name, field in CustomField.by_name(kind).items()}
        self._opportunities: dict[MarketoId, int] = {}
        self._by_key: dict[str, int] = {}
        if kind is Kind.ROLE:
            self._find_opportunities(
                [link for each in found if (link := find_association(each, LinkTarget.OPPORTUNITY))]
            )

    def _find_opportunities(self, links: Sequence[RecordAssociation]) -> None:
        ids = {link.id for link in links if link.id is not None}
        texts = {link.key.value for link in links if link.key is not None}
        column = self.keys.id_column(Kind.OPPORTUNITY)
        self._opportunities = dict(Opportunity.objects.filter(**{f"{column}__in": ids}).values_list(column, "pk"))
        by_key = Opportunity.objects.filter(external_id__in=texts).values_list("external_id", "pk")
        self._by_key = {text: pk for text, pk in by_key if text is not None}

    def read_content(self, found: RemoteObject, record: SyncedRecord | None) -> RemoteContent:
        """What Marketo holds, named after the record (its costs, the spelling of its tags) if there is one."""
        if isinstance(record, Program) or found.kind is Kind.PROGRAM:
            return self._program(found, record if isinstance(record, Program) else None)
        accepted = record.accepted if record is not None else {}
        known, unknown = self._attributes(found, accepted)
        if found.kind is Kind.OPPORTUNITY:
            link = find_association(found, LinkTarget.COMPANY)
            own = (getattr(record, "company_id", None), getattr(record, "company_key", ""))
            known |= _party(link, self.keys.company, (COMPANY_ID, COMPANY_KEY), own, accepted)
        else:
            link = find_association(found, LinkTarget.LEAD)
            own = (getattr(record, "person_id", None), getattr(record, "person_key", ""))
            known |= _party(link, self.keys.person, (PERSON_ID, PERSON_KEY), own, accepted)
            known[OPPORTUNITY] = self._opportunity_text(find_association(found, LinkTarget.OPPORTUNITY))
        return RemoteContent({name: text for name, text in known.items() if text}, unknown=unknown)

    def find_opportunity(self, found: RemoteObject) -> int | None:
        """Our own id of a role's opportunity, if that is here."""
        link = find_association(found, LinkTarget.OPPORTUNITY)
        if link is None:
            return None
        if link.id is not None:
            return self._opportunities.get(link.id)
        return self._by_key.get(link.key.value) if link.key and link.key.field == self.keys.opportunity else None

    def _opportunity_text(self, link: RecordAssociation | None) -> str:
        if link is None:
            return ""
        pk = self.find_opportunity(RemoteObject(Kind.ROLE, 0, associations=(link,)))
        if pk is not None:
            return f"{OUR_NUMBER_PREFIX}{pk}"
        called = self.keys.traits.id_kind(Kind.OPPORTUNITY).value
        return f"{called} {link.id}" if link.id else f"external ID {link.key.value if link.key else ''}"

    def _is_unset(self, name: str, text: str, accepted: Mapping[str, str]) -> bool:
        """Whether a no is what the API tells of a yes or no that was never set: Marketo accepted the record without."""
        if not self.keys.traits.unset_is_false or not accepted or accepted.get(name):
            return False
        attribute = self.attributes.get(name) or self.custom.get(name)
        return attribute is not None and attribute.type is DataType.BOOLEAN and text.casefold() == "false"

    def _attributes(self, found: RemoteObject, accepted: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        known, unknown = {}, {}
        for name, text in found.values.items():
            if self._is_unset(name, text, accepted):
                continue
            if name in self.attributes:
                known[name] = value_parsing.normalize_remote_text(text, self.attributes[name])
            elif name == self.keys.opportunity and found.kind is Kind.OPPORTUNITY:
                known[name] = canonical_or_raw(text, MarketoAttribute(name, name, DataType.STRING))
            elif name in self.custom:
                known[name] = canonical_or_raw(text, self.custom[name])
            else:
                unknown[name] = text
        return known, unknown

    def _program(self, found: RemoteObject, record: Program | None) -> RemoteContent:
        accepted = record.accepted if record is not None else {}
        local = list(record.costs.all()) if record is not None else []
        names = [*(tag.content_key for tag in record.tags.all())] if record is not None else []
        spelling = {name.casefold(): name for name in (*reversed([*accepted]), *names)}
        result: dict[str, str] = {}
        more = []
        for tag in found.tags:
            channel = tag.type.casefold() == CHANNEL_TAG.casefold()
            name = CHANNEL_TAG if channel else f"{TAG_PREFIX}{tag.type}"
            name = spelling.get(name.casefold(), name)
            if result.setdefault(name, tag.value) != tag.value:
                more.append((tag.type, tag.value))
        costs = match_costs(found.costs, local, accepted)
        result |= {name: format_cost(cost) for name, cost in costs.by_name.items()}
        return RemoteContent({name: text for name, text in result.items() if text}, costs, more)


def find_association(found: RemoteObject, link: LinkTarget) -> RecordAssociation | None:
    """The link to a company, a person or an opportunity."""
    return next((association for association in found.associations if association.link is link), None)


def canonical_or_raw(text: str, attribute: MarketoAttribute) -> str:
    """A custom attribute's value in the spelling in which we keep it; what is no value of its type stays as it is."""
    try:
        return value_parsing.canonical_text(value_parsing.normalize_remote_text(text, attribute), attribute)
    except ValueError:
        return text


def _party(
    link: RecordAssociation | None,
    key_field: str,
    names: tuple[str, str],
    own: tuple[int | None, str],
    accepted: Mapping[str, str],
) -> dict[str, str]:
    """The link to a company or person under the names of its id and its key."""
    by_id, by_key = names
    own_id, own_key = own
    if link is None:
        return {}
    comparable_key = link.key is not None and link.key.field == key_field
    if (link.id is not None and own_key) or (link.key is not None and (own_id or not comparable_key)):
        return {name: accepted.get(name, "") for name in names}
    if link.key is not None:
        return {by_key: link.key.value}
    return {by_id: str(link.id)}


def _shown(cost: RemoteCost) -> dict[str, object]:
    return {"id": cost.id, "month": f"{cost.month:%Y-%m}", "amount": f"{cost.amount:f}", "note": cost.note}
