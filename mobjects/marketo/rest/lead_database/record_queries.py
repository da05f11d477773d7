"""Asking for opportunities and roles, and reading what Marketo tells of them.

Marketo finds them by exact values alone, at most 300 in a call (Adobe's developer pages): there is no list of all, no
time, no name. A page that contradicts the question is refused as a whole, because an object left out would look
deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from mobjects.marketo.errors import Rejected, Unavailable
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.lead_database.batch_progress import join_exchanges
from mobjects.marketo.rest.lead_database.field_catalogue import FieldCatalogue, ObjectFields, content_name
from mobjects.marketo.rest.lead_database.json_values import from_json
from mobjects.marketo.rest.lead_database.record_outcomes import guid_text
from mobjects.marketo.rest.lead_database.record_problems import guid_problem
from mobjects.marketo.rest.replies import RestReply, parse_moment, whole_number
from mobjects.marketo.types import (
    Exchange,
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoQuery,
    QueryPage,
    RecordAssociation,
    RemoteObject,
)
from mobjects.marketo.value_parsing import quote_value
from mobjects.marking import gettext_noop as _

_NOT_VALUES = frozenset({"seq", paths.GUID, paths.CREATED_AT, paths.UPDATED_AT})
_LINK_NAMES = {Kind.OPPORTUNITY: {paths.COMPANY_KEY}, Kind.ROLE: {paths.OPPORTUNITY_KEY, paths.LEAD_ID}}


def check_query(query: MarketoQuery) -> None:
    """Refuse a query that REST cannot answer.

    Raises:
        Rejected: naming the first problem.
    """
    if found := _filter_problem(query) or _shape_problem(query) or _value_problem(query):
        raise Rejected(
            _("Over REST Marketo cannot look for %(plurals)s like this: %(found)s.")
            % {"plurals": paths.PLURALS[query.kind], "found": found}
        )


class RecordFinder:
    """Finds opportunities and roles.

    Args:
        calls: to the instance.
        catalogue: its fields, all of which are asked for.
    """

    def __init__(self, calls: RestCalls, catalogue: FieldCatalogue) -> None:
        self._calls, self._catalogue = calls, catalogue

    def find_records(self, query: MarketoQuery, position: str) -> QueryPage:
        """One page of what a query finds, by rising GUID within the page.

        Args:
            query: passed :func:`check_query`.
            position: Marketo's token of the page; "" for the first.

        Raises:
            Rejected: the instance cannot search by that field, or the position is no longer valid.
            MarketoError: never ``OutcomeUnknown``.
        """
        exchanges: list[Exchange] = []
        fields = self._catalogue.fields_of(query.kind, exchanges)
        name, values = _filter_of(query, fields)
        reply = self._calls.read(
            paths.sync_path(query.kind),
            {
                "filterType": name,
                "filterValues": ",".join(values),
                "fields": ",".join(field.name for field in fields.all),
                "nextPageToken": position or None,
            },
        )
        exchange = join_exchanges([*exchanges, reply.exchange])
        if reply.more and not reply.next_page_token:
            _refuse_page(reply, _("Marketo said that there is more, but not where."))
        asked = frozenset(value.strip().casefold() for value in values)
        found = [_read_object(query.kind, row, reply, name, asked) for row in reply.result]
        if query.key is not None:
            found = sorted(found, key=_added_at)[-1:]
        found.sort(key=lambda each: str(each.marketo_id))
        return QueryPage(found, reply.more, reply.next_page_token, exchange)


def _filter_of(query: MarketoQuery, fields: ObjectFields) -> tuple[str, list[str]]:
    if ids := _asked_ids(query):
        return paths.GUID, [str(each) for each in ids]
    if links := _asked_opportunities(query):
        return paths.OPPORTUNITY_KEY, list(dict.fromkeys(link.key.value for link in links if link.key))
    keys = _asked_keys(query)
    field = fields.find_field(keys[0].field)
    if field is None:
        raise Rejected(_("It cannot be looked up: %(field)s.") % {"field": fields.explain_missing(keys[0].field)})
    if field.name not in fields.searchable:
        raise Rejected(
            _("The Marketo instance does not find %(plurals)s by “%(field)s”.")
            % {"plurals": paths.PLURALS[query.kind], "field": keys[0].field}
        )
    return field.name, list(dict.fromkeys(key.value for key in keys))


def _asked_ids(query: MarketoQuery) -> Sequence[int | str]:
    return [query.id] if query.id is not None else query.ids


def _asked_keys(query: MarketoQuery) -> Sequence[ExternalKey]:
    return [query.key] if query.key is not None else query.keys


def _asked_opportunities(query: MarketoQuery) -> Sequence[RecordAssociation]:
    return [query.opportunity] if query.opportunity is not None else query.opportunities


def _filter_problem(query: MarketoQuery) -> str:
    refused: tuple[tuple[object, str], ...] = (
        (query.name, _("by name")),
        (query.created_since or query.updated_since or query.updated_until, _("by time")),
        (query.tag, _("by a tag")),
        (query.workspace, _("by workspace")),
        (query.id_from or query.id_to, _("by a range of IDs")),
    )
    for given, words in refused:
        if given:
            return _("it does not find them %(words)s; give external IDs or Marketo GUIDs") % {"words": words}
    return ""


def _shape_problem(query: MarketoQuery) -> str:
    ways = [ids for ids in (_asked_ids(query), _asked_keys(query), _asked_opportunities(query)) if ids]
    if not ways:
        return _("it cannot list all of them; give external IDs or Marketo GUIDs")
    if len(ways) > 1:
        return _("give IDs, keys or opportunities, not several of these")
    if len(ways[0]) > paths.MAX_RECORDS:
        return _("it takes at most %(max_records)s values in a call, and these are %(ways)s") % {
            "max_records": paths.MAX_RECORDS,
            "ways": len(ways[0]),
        }
    if len({key.field for key in _asked_keys(query)}) > 1:
        return _("the keys are of several fields")
    if _asked_opportunities(query) and query.kind is not Kind.ROLE:
        return _("only person roles have an opportunity")
    return ""


def _value_problem(query: MarketoQuery) -> str:
    for guid in _asked_ids(query):
        if why := guid_problem(guid):
            return why
    for link in _asked_opportunities(query):
        if link.link is not LinkTarget.OPPORTUNITY:
            return _("a %(link)s is not an opportunity") % {"link": link.link}
        if link.key is None or link.key.field.casefold() != paths.OPPORTUNITY_KEY.casefold():
            return _("it finds roles by the %(opportunity_key)s of their opportunity alone") % {
                "opportunity_key": paths.OPPORTUNITY_KEY
            }
    return _key_problem([*_asked_keys(query), *(link.key for link in _asked_opportunities(query) if link.key)])


def _key_problem(keys: Sequence[ExternalKey]) -> str:
    for key in keys:
        if "," in key.value:
            return _("%(value)s has a comma, which separates values") % {"value": quote_value(key.value)}
        if not key.value.strip():
            return _("the value of “%(field)s” is empty") % {"field": key.field}
    return ""


def _read_object(kind: Kind, row: Any, reply: RestReply, name: str, asked: frozenset[str]) -> RemoteObject:
    if not isinstance(row, Mapping):
        _refuse_page(reply, _("Marketo gave something else than objects."))
    guid = guid_text(row.get(paths.GUID))
    if not guid:
        _refuse_page(
            reply, _("Marketo gave one of the %(plurals)s without its GUID.") % {"plurals": paths.PLURALS[kind]}
        )
    shown = str(row.get(name, "")).strip().casefold()
    if shown not in asked:
        _refuse_page(
            reply,
            _("Marketo gave an object whose %(name)s is %(shown)s, which was not asked for.")
            % {"name": name, "shown": quote_value(shown)},
        )
    links = _links(kind, row)
    values = {
        content_name(kind, field): text
        for field, value in row.items()
        if field not in _NOT_VALUES
        and field not in _LINK_NAMES[kind]
        and (text := from_json(kind, content_name(kind, field), value)) != ""
    }
    return RemoteObject(
        kind=kind,
        marketo_id=guid,
        values=values,
        associations=links,
        created_at=parse_moment(row.get(paths.CREATED_AT)),
        updated_at=parse_moment(row.get(paths.UPDATED_AT)),
    )


def _links(kind: Kind, row: Mapping[str, Any]) -> tuple[RecordAssociation, ...]:
    if kind is Kind.OPPORTUNITY:
        return _key_link(LinkTarget.COMPANY, paths.COMPANY_KEY, row)
    person = whole_number(row.get(paths.LEAD_ID))
    lead = (RecordAssociation(LinkTarget.LEAD, id=person),) if person else ()
    return (*_key_link(LinkTarget.OPPORTUNITY, paths.OPPORTUNITY_KEY, row), *lead)


def _key_link(to: LinkTarget, name: str, row: Mapping[str, Any]) -> tuple[RecordAssociation, ...]:
    text = str(row.get(name) or "")
    return (RecordAssociation(to, key=ExternalKey(name, text)),) if text else ()


def _added_at(found: RemoteObject) -> tuple[bool, str]:
    moment = found.created_at
    return (moment is not None, moment.isoformat() if moment else "")


def _refuse_page(reply: RestReply, words: str) -> NoReturn:
    raise Unavailable(words, exchange=reply.exchange, clock_offset_seconds=reply.clock_offset_seconds)
