"""Finding out what REST calls a person or a company that content names in another way.

A role names its person by id alone, an opportunity its company by ``externalCompanyId`` alone. What is given
otherwise is looked up before anything is written.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from mobjects.marketo.errors import Rejected, Unavailable
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.replies import whole_number
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.types import Exchange, ExternalKey
from mobjects.marketo.value_parsing import quote_value
from mobjects.marking import gettext_noop as _

Item = TypeVar("Item")

_REMEMBERED, _REMEMBERED_SECONDS = 5_000, 3600.0
"""So many companies, for so long after the last was looked up."""
_PAGES = 20
"""So many pages of 300 hold the answer to a question about 300 keys, or the key is none."""


class PartyLookup:
    """Looks up persons and companies, and remembers the companies for all processes.

    Args:
        calls: to the instance.
        store: what all processes share.
    """

    def __init__(self, calls: RestCalls, store: SharedStore) -> None:
        self._calls, self._store = calls, store
        self._companies: dict[int, str] = {}

    def company_keys(self, ids: Iterable[int], exchanges: list[Exchange]) -> dict[int, str]:
        """The ``externalCompanyId`` of companies, by their ids; those that have none are left out.

        Args:
            exchanges: gets the calls that were needed.

        Raises:
            MarketoError: never ``OutcomeUnknown``.
        """
        asked = set(ids)
        if asked - set(self._companies):
            self._companies = self._remembered() | self._companies
        wanted = sorted(asked - set(self._companies))
        for part in _parts([str(number) for number in wanted]):
            for row in self._rows(paths.COMPANIES, "id", part, ("id", paths.COMPANY_KEY), exchanges):
                number, key = whole_number(row.get("id")), str(row.get(paths.COMPANY_KEY) or "").strip()
                if number is not None and key:
                    self._companies[number] = key
        if wanted:
            newest = list(self._companies.items())[-_REMEMBERED:]
            self._store.set(self._name, json.dumps(newest), _REMEMBERED_SECONDS)
        return self._companies

    def _remembered(self) -> dict[int, str]:
        """What was looked up lately, by any process; whatever is not such is passed over."""
        try:
            kept = json.loads(self._store.get(self._name) or "[]")
            return {int(number): str(key) for number, key in kept}
        except (ValueError, TypeError):
            return {}

    @property
    def _name(self) -> str:
        instance = sha256(self._calls.settings.base.encode()).hexdigest()[:16]
        return f"companies:{instance}"

    def person_ids(self, keys: Iterable[ExternalKey], exchanges: list[Exchange]) -> dict[ExternalKey, int | str]:
        """The ids of persons by their keys; instead of an id the reason why there is none.

        Args:
            exchanges: gets the calls that were needed.

        Raises:
            MarketoError: never ``OutcomeUnknown``.
        """
        found: dict[ExternalKey, int | str] = {}
        by_field: dict[str, list[ExternalKey]] = defaultdict(list)
        for key in dict.fromkeys(keys):
            if "," in key.value or not key.value.strip():
                found[key] = _("Marketo cannot look for a person by %(value)s: a comma separates values") % {
                    "value": quote_value(key.value)
                }
            else:
                by_field[key.field].append(key)
        for field, of_field in by_field.items():
            for part in _parts(of_field):
                found |= self._find_persons(field, part, exchanges)
        return found

    def _find_persons(
        self, field: str, keys: Sequence[ExternalKey], exchanges: list[Exchange]
    ) -> dict[ExternalKey, int | str]:
        name = field[:1].lower() + field[1:]
        try:
            rows = list(self._rows(paths.LEADS, name, [key.value for key in keys], ("id", name), exchanges))
        except Rejected as error:
            if error.exchange is not None:
                exchanges.append(error.exchange)
            return dict.fromkeys(
                keys,
                _("persons cannot be looked up by “%(name)s”: %(reason)s")
                % {"name": name, "reason": error.message.rstrip(".")},
            )
        ids: dict[str, set[int]] = defaultdict(set)
        for row in rows:
            number = whole_number(row.get("id"))
            if number is not None:
                ids[_folded(row.get(name))].add(number)
        return {key: _only_one(ids[_folded(key.value)], name, key.value) for key in keys}

    def _rows(
        self, path: str, name: str, values: Sequence[str], fields: Sequence[str], exchanges: list[Exchange]
    ) -> Iterator[dict[str, Any]]:
        token = None
        for _turn in range(_PAGES):
            reply = self._calls.read(
                path,
                {
                    "filterType": name,
                    "filterValues": ",".join(values),
                    "fields": ",".join(fields),
                    "nextPageToken": token,
                },
            )
            exchanges.append(reply.exchange)
            yield from (row for row in reply.result if isinstance(row, dict))
            if not reply.more:
                return
            token = reply.next_page_token
        raise Unavailable(
            _("Marketo gave more than %(pages)s pages for %(values)s keys; look at them in Marketo.")
            % {"pages": _PAGES, "values": len(values)}
        )


def _folded(value: object) -> str:
    """Marketo finds values without regard to case."""
    return str(value).strip().casefold()


def _only_one(ids: set[int], name: str, value: str) -> int | str:
    if len(ids) == 1:
        return next(iter(ids))
    if not ids:
        return _("Marketo has no person with %(name)s %(value)s") % {"name": name, "value": quote_value(value)}
    return _("%(count)s persons have %(name)s %(value)s; give the person's ID instead") % {
        "count": len(ids),
        "name": name,
        "value": quote_value(value),
    }


def _parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)
    while part := list(islice(remaining, paths.MAX_RECORDS)):
        yield part
