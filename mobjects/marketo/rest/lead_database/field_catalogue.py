"""Which fields an instance has, under the names of our content and under REST's.

Content names fields as SOAP does (``CloseDate``). REST has the same name with a small first letter; how an instance
spells it, its describe call says. What that says is kept for a day, for all processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from typing import Any

from mobjects.marketo import attributes
from mobjects.marketo.errors import Rejected, Unavailable
from mobjects.marketo.rest.calls import RestCalls
from mobjects.marketo.rest.lead_database import paths
from mobjects.marketo.rest.replies import RestReply, whole_number
from mobjects.marketo.shared_store import SharedStore
from mobjects.marketo.types import DescribeResponse, Exchange, FieldDescription, Kind
from mobjects.marking import gettext_noop as _

KEPT_SECONDS = 24 * 3600.0

_OWN_NAMES = frozenset(
    {
        paths.GUID,
        paths.OPPORTUNITY_KEY,
        paths.COMPANY_KEY,
        "externalSalesPersonId",
        paths.CREATED_AT,
        paths.UPDATED_AT,
    }
)
"""Fields that SOAP does not know; content has them under REST's name."""
_OTHER_NAMES = {(Kind.ROLE, paths.LEAD_ID): "PersonId"}
_STANDARD = {
    kind: {attribute.name.casefold(): attribute.name for attribute in known}
    for kind, known in attributes.STANDARD.items()
}


@dataclass(frozen=True, slots=True)
class InstanceField:
    """One field as the instance describes it.

    Args:
        name: REST's.
        content_name: ours.
        label: what people see.
        type: ``string``, ``integer``, ``currency`` and so on, in small letters.
        size: longest text; ``None`` if it is not told.
        updateable: whether an object that exists may get another value.
    """

    name: str
    content_name: str
    label: str
    type: str
    size: int | None
    updateable: bool

    @property
    def custom(self) -> bool:
        """Whether the instance added it, as far as names tell: describe does not say it."""
        own = self.name in _OWN_NAMES or self.content_name in _OTHER_NAMES.values()
        return not own and self.content_name not in _ALL_STANDARD


_ALL_STANDARD = {attribute.name for known in attributes.STANDARD.values() for attribute in known}


class ObjectFields:
    """The fields of one kind of objects.

    Args:
        kind: which.
        fields: all of them.
        searchable: names of the fields that objects can be found by alone.
    """

    def __init__(self, kind: Kind, fields: Sequence[InstanceField], searchable: Sequence[str]) -> None:
        self.kind, self.all, self.searchable = kind, tuple(fields), frozenset(searchable)
        self.by_name = {field.name: field for field in fields}
        self._found: dict[str, InstanceField | None] = {}
        self._good: set[str] = set()

    @cached_property
    def _folded(self) -> dict[str, InstanceField]:
        return {field.name.casefold(): field for field in self.all}

    def find_field(self, content_name: str) -> InstanceField | None:
        """The field that content calls so; ``None`` if the instance has none."""
        if content_name not in self._found:
            self._found[content_name] = self._look_up(content_name)
        return self._found[content_name]

    def find_missing(self, content_names: Iterable[str]) -> str | None:
        """The first name that is no field; asked of each record of a batch, most of which have the same names."""
        if self._good.issuperset(content_names):
            return None
        missing = next((name for name in content_names if self.find_field(name) is None), None)
        if missing is None:
            self._good.update(content_names)
        return missing

    def _look_up(self, content_name: str) -> InstanceField | None:
        for (kind, name), other in _OTHER_NAMES.items():
            if kind is self.kind and other == content_name:
                return self.by_name.get(name)
        ruled = content_name[:1].lower() + content_name[1:]
        return self.by_name.get(ruled) or self.by_name.get(content_name) or self._folded.get(content_name.casefold())

    def explain_missing(self, content_name: str) -> str:
        """That there is no such field, with the one whose name is nearest."""
        near = get_close_matches(content_name.casefold(), list(self._folded), n=1, cutoff=0.5)
        names = {"field": content_name, "plural": paths.PLURALS[self.kind]}
        if not near:
            return _("the Marketo instance has no field “%(field)s” for %(plural)s") % names
        names["nearest"] = self._folded[near[0]].content_name
        return _("the Marketo instance has no field “%(field)s” for %(plural)s; the nearest is “%(nearest)s”") % names


class FieldCatalogue:
    """Knows the fields of an instance, and asks for them once a day.

    Args:
        calls: to the instance.
        store: what all processes share.
    """

    def __init__(self, calls: RestCalls, store: SharedStore) -> None:
        self._calls, self._store = calls, store
        self._known: dict[Kind, ObjectFields] = {}
        self._looked: set[Kind] = set()

    def known_fields(self, kind: Kind) -> ObjectFields | None:
        """The fields of a kind, if they can be told without a call."""
        if kind not in self._known and kind not in self._looked:
            self._looked.add(kind)
            kept = _parse_kept(kind, self._store.get(self._name(kind)))
            if kept is not None:
                self._known[kind] = kept
        return self._known.get(kind)

    def fields_of(self, kind: Kind, exchanges: list[Exchange]) -> ObjectFields:
        """The fields of a kind.

        Args:
            exchanges: gets the call that was needed, if one was.

        Raises:
            MarketoError: never ``OutcomeUnknown``.
        """
        self._looked.discard(kind)
        if known := self.known_fields(kind):
            return known
        fields, reply = self._ask(kind)
        exchanges.append(reply.exchange)
        return fields

    def forget_fields(self, kind: Kind) -> None:
        """Marketo says something else by now: ask before the next use."""
        self._known.pop(kind, None)
        self._store.delete(self._name(kind))

    def describe_fields(self, kind: Kind) -> DescribeResponse:
        """Ask Marketo, whatever is known already.

        Raises:
            Rejected: programs cannot be described.
            MarketoError: the call failed.
        """
        if kind not in paths.KINDS:
            raise Rejected(_("Marketo does not describe the fields of programs."))
        fields, reply = self._ask(kind)
        described = [
            FieldDescription(
                name=field.content_name,
                label=field.label,
                type=field.type,
                size=field.size,
                read_only=not field.updateable and field.name not in paths.KEY_FIELDS[kind],
                custom=field.custom,
            )
            for field in fields.all
        ]
        return DescribeResponse(described, reply.exchange)

    def _ask(self, kind: Kind) -> tuple[ObjectFields, RestReply]:
        reply = self._calls.read(paths.describe_path(kind))
        try:
            described = _plain_description(reply.result[0])
        except (LookupError, TypeError, AttributeError) as error:
            raise Unavailable(
                _("Marketo did not tell the fields of %(plurals)s as it should; try again later.")
                % {"plurals": paths.PLURALS[kind]},
                exchange=reply.exchange,
            ) from error
        self._known[kind] = _build_fields(kind, described)
        self._store.set(self._name(kind), json.dumps(described), KEPT_SECONDS)
        return self._known[kind], reply

    def _name(self, kind: Kind) -> str:
        instance = sha256(self._calls.settings.base.encode()).hexdigest()[:16]
        return f"fields:{instance}:{kind.value}"


def content_name(kind: Kind, name: str) -> str:
    """What content calls a field of REST's."""
    if (kind, name) in _OTHER_NAMES:
        return _OTHER_NAMES[kind, name]
    if name in _OWN_NAMES:
        return name
    return _STANDARD[kind].get(name.casefold()) or name[:1].upper() + name[1:]


def _plain_description(described: Any) -> dict[str, Any]:  # JSON's values
    """What is used of a description, as it is kept. Raises where it is none."""
    rows = [
        [
            str(row["name"]),
            str(row.get("displayName") or row["name"]),
            str(row.get("dataType") or "").lower(),
            whole_number(row.get("length")),
            row.get("updateable") is not False,
        ]
        for row in described["fields"]
    ]
    if not rows:
        raise LookupError("no fields")
    groups = described.get("searchableFields") or []
    alone = [str(group[0]) for group in groups if isinstance(group, list) and len(group) == 1]
    return {"fields": rows, "searchable": alone}


def _parse_kept(kind: Kind, text: str | None) -> ObjectFields | None:
    if text is None:
        return None
    try:
        return _build_fields(kind, json.loads(text))
    except (ValueError, LookupError, TypeError):
        return None


def _build_fields(kind: Kind, described: dict[str, Any]) -> ObjectFields:
    fields = [
        InstanceField(name, content_name(kind, name), label, type_, size, updateable)
        for name, label, type_, size, updateable in described["fields"]
    ]
    return ObjectFields(kind, fields, described["searchable"])
