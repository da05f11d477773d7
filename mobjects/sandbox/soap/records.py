"""The new values of an opportunity or a role: attributes read by type, associations resolved."""

from __future__ import annotations

from collections.abc import Mapping

from mobjects.sandbox.fields import COMPANY, FIELDS, LEAD, OPPORTUNITY, ROLE, ObjectField
from mobjects.sandbox.soap.messages import MObject, MObjectAssociation, ObjectRefused, pairs_to_dict
from mobjects.sandbox.state import SandboxStore
from mobjects.sandbox.values import InvalidValue, normalize_text, parse_comparable

# Which association is allowed on which object, and the attribute that holds the same link.
LINKS = {
    OPPORTUNITY: {COMPANY: "CompanyId"},
    ROLE: {OPPORTUNITY: "OpportunityId", LEAD: "PersonId"},
}
_REQUIRED = {OPPORTUNITY: (), ROLE: ("OpportunityId", "PersonId")}


def new_values(store: SandboxStore, mobject: MObject, old: Mapping[str, str]) -> dict[str, str]:
    """The object's values after this call; equal to ``old`` if nothing changes.

    Raises:
        ObjectRefused: for the first thing wrong with it, named.
    """
    if mobject.type_attribs:
        raise ObjectRefused(f"typeAttribList is for Program only, not for {mobject.type}")
    values = dict(old)
    given = pairs_to_dict(mobject.attribs)
    for name, text in given.items():
        _set(values, _field(mobject.type, name), text, store)
    for link in mobject.associations:
        _link(values, mobject.type, link, given, store)
    for name in _REQUIRED[mobject.type]:
        if not values.get(name):
            raise ObjectRefused(f"{name} is required on {mobject.type}")
    return values


def resolve_association(store: SandboxStore, link: MObjectAssociation) -> int:
    """The id of the object that an association means.

    Raises:
        ObjectRefused: it names neither id nor key, or both, or something unknown.
    """
    if link.id is not None and link.key is None:
        if not store.exists(link.type, link.id):
            raise ObjectRefused(f"Association {link.type}: there is no {link.type} with id {link.id}")
        return link.id
    if link.key is None or link.id is not None:
        raise ObjectRefused(f"Association {link.type}: give either id or externalKey")
    found = store.newest_by_key(link.type, link.key)
    if found is None:
        raise ObjectRefused(f"Association {link.type}: there is no {link.type} with {link.key[0]} = {link.key[1]}")
    return found


def _field(kind: str, name: str) -> ObjectField:
    field = FIELDS[kind].get(name)
    if field is None:
        raise ObjectRefused(f"{kind} has no attribute {name}")
    if field.generated:
        raise ObjectRefused(f"{name} is read-only")
    return field


def _set(values: dict[str, str], field: ObjectField, text: str, store: SandboxStore) -> None:
    if text == "":
        values.pop(field.name, None)
        return
    try:
        kept = normalize_text(field, text)
        same = field.name in values and parse_comparable(field, values[field.name]) == parse_comparable(field, kept)
    except InvalidValue as bad:
        raise ObjectRefused(f"{field.name}: {_short(text)} is not valid, wanted {bad}") from bad
    if field.refers_to and not store.exists(field.refers_to, int(kept)):
        raise ObjectRefused(f"{field.name}: there is no {field.refers_to} with id {kept}")
    if not same:
        values[field.name] = kept


def _link(
    values: dict[str, str], kind: str, link: MObjectAssociation, given: Mapping[str, str], store: SandboxStore
) -> None:
    attribute = LINKS[kind].get(link.type)
    if attribute is None:
        raise ObjectRefused(f"{kind} cannot be associated with {link.type}")
    found = str(resolve_association(store, link))
    if attribute in given and given[attribute] != found:
        raise ObjectRefused(f"{attribute} = {given[attribute]} contradicts the association {link.type} {found}")
    values[attribute] = found


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "...")
