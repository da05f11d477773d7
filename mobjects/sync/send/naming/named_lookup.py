"""Looking up what was lost by naming it: many keys in one call, where Marketo lists nothing by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, MarketoQuery, RecordAssociation, RemoteObject
from mobjects.models import Opportunity
from mobjects.sync.content.from_marketo import find_association
from mobjects.sync.content.payload import OPPORTUNITY, OUR_NUMBER_PREFIX, KeyFields, link_opportunity


@dataclass(frozen=True, slots=True)
class NamedLookup:
    """A call that names what is looked for.

    Args:
        query: the call.
        keys: our id of each record that it is about, to the key by which it names it or its opportunity.
        unnamed: our ids of records that cannot be looked up, because they were sent without a key.
    """

    query: MarketoQuery | None
    keys: Mapping[int, str]
    unnamed: Sequence[int]

    def select(self, found: Sequence[RemoteObject], pk: int) -> list[RemoteObject]:
        """Those that stand under the key of a record."""
        wanted = _plain(self.keys[pk])
        return [each for each in found if wanted == _plain(self._key_of(each))]

    def _key_of(self, found: RemoteObject) -> str:
        if self.query is not None and self.query.keys:
            return found.values.get(self.query.keys[0].field, "")
        link = find_association(found, LinkTarget.OPPORTUNITY)
        return link.key.value if link and link.key else ""


def name_lost(kind: Kind, sent: Mapping[int, Mapping[str, str]], keys: KeyFields, *, most: int) -> NamedLookup:
    """The call that looks up lost opportunities or roles by the keys under which they were sent.

    Args:
        kind: of the records.
        sent: what was sent, by our id.
        most: how many keys the call may name; records beyond them are left for the next one.
    """
    links = _links(kind, sent, keys)
    named = {pk: link for pk, link in links.items() if link is not None}
    texts = list(dict.fromkeys(link.value for link in named.values()))[:most]
    query = None
    if texts and kind is Kind.ROLE:
        parents = [RecordAssociation(LinkTarget.OPPORTUNITY, key=ExternalKey(keys.opportunity, text)) for text in texts]
        query = MarketoQuery(kind, opportunities=parents)
    elif texts:
        query = MarketoQuery(kind, keys=[ExternalKey(keys.opportunity, text) for text in texts])
    about = {pk: link.value for pk, link in named.items() if link.value in texts}
    return NamedLookup(query, about, [pk for pk, link in links.items() if link is None])


def _links(kind: Kind, sent: Mapping[int, Mapping[str, str]], keys: KeyFields) -> dict[int, ExternalKey | None]:
    if kind is Kind.OPPORTUNITY:
        texts = {pk: values.get(keys.opportunity, "") for pk, values in sent.items()}
        return {pk: ExternalKey(keys.opportunity, text) if text else None for pk, text in texts.items()}
    parents = {pk: values.get(OPPORTUNITY, "").removeprefix(OUR_NUMBER_PREFIX) for pk, values in sent.items()}
    ids = {int(number) for number in parents.values() if number}
    found = {str(each.pk): link_opportunity(each, keys) for each in Opportunity.objects.filter(pk__in=ids)}
    links = {pk: found.get(number) for pk, number in parents.items()}
    return {pk: link.key if link is not None else None for pk, link in links.items()}


def _plain(key: str) -> str:
    return key.strip().casefold()
