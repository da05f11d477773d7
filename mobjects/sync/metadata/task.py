"""Reading what the Marketo instance knows: the fields of opportunities and roles, tags and channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from mobjects import clock
from mobjects.db.retry import retry_on_database_error
from mobjects.marketo import attributes
from mobjects.marketo.types import DataType, FieldDescription, Kind, TagValuesResponse
from mobjects.models import AllowedTag, CustomField, MarketoField, SyncJob, records_of_kind
from mobjects.models.program import CHANNEL_TAG
from mobjects.sync.paging import load_progress, store_progress
from mobjects.sync.task import JobContext, JobTask, read_from_marketo

NOUNS = {Kind.OPPORTUNITY: ("opportunity", "opportunities"), Kind.ROLE: ("role", "roles")}
TEXT_TYPES = frozenset({"text", "email", "phone", "url"})
"""Types of Marketo that are text with other names."""

MAX_TAG_LENGTH = 255
"""A longer value fits no tag here, so nobody can mean it."""

SaveCallback = Callable[[], list[str]]
"""Saves what a call brought; gives sentences about it for the user."""


class DescribeTask(JobTask):
    """Reads fields, tags and channels, with one call in each step. What is read replaces what was known before.

    ``job.progress`` holds ``done``, the number of steps done, and ``summary``, a list of sentences.
    """

    single_worker = True

    def __init__(self, context: JobContext) -> None:
        self.context = context

    def step(self) -> bool:
        """Make the next call and save what it brought."""
        calls = (
            lambda: self._describe(Kind.OPPORTUNITY),
            lambda: self._describe(Kind.ROLE),
            lambda: self._allowed(self.context.transport.tags, save_tags),
            lambda: self._allowed(self.context.transport.channels, save_channels),
        )
        done: int = load_progress(self.context.job).get("done", 0)
        if done == len(calls):
            return False
        _store_step(self.context.job, done + 1, calls[done]())
        return True

    def _describe(self, kind: Kind) -> SaveCallback:
        transport, keys = self.context.transport, self.context.keys
        key = keys.opportunity if kind is Kind.OPPORTUNITY else ""
        _, answer = read_from_marketo(self.context, kind, lambda: transport.describe(kind), operation="DESCRIBE")
        return lambda: save_fields(kind, answer.fields, key, chosen=not keys.traits.opportunity_key)

    def _allowed(
        self, call: Callable[[], TagValuesResponse], save: Callable[[Mapping[str, Sequence[str]]], list[str]]
    ) -> SaveCallback:
        _, answer = read_from_marketo(self.context, Kind.PROGRAM, call, operation="DESCRIBE")
        return lambda: save(answer.values)


@retry_on_database_error
def _store_step(job: SyncJob, done: int, save: SaveCallback) -> None:
    with transaction.atomic():
        store_progress(job, {"done": done, "summary": [*load_progress(job).get("summary", []), *save()]})


# --- fields ---------------------------------------------------------------------------------


def save_fields(kind: Kind, described: Sequence[FieldDescription], key: str = "", *, chosen: bool = True) -> list[str]:
    """Replace the known fields of a kind, and make or refresh its custom fields.

    Custom fields that Marketo does not list are kept: records may hold values of them.

    Args:
        key: the field that holds our external ID, if one is set. It is sent from there, so it is no custom field.
        chosen: whether the settings name that field; the API has it fixed otherwise.

    Returns:
        What was found and what has changed, as sentences.
    """
    fields = {field.name: field for field in described}
    now = clock.now()
    MarketoField.objects.filter(kind=kind.value).delete()
    MarketoField.objects.bulk_create(
        MarketoField(kind=kind.value, described_at=now, **asdict(field)) for field in fields.values()
    )
    standard = {attribute.name for attribute in attributes.STANDARD[kind]}
    custom = [field for field in fields.values() if field.custom and field.name not in standard | {key}]
    number = sum(field.custom for field in fields.values())
    said = [
        _("%(count)s, %(number)s of them custom.")
        % {"count": _count(len(fields), f"{NOUNS[kind][0]} field"), "number": number or "none"}
    ]
    if key and key not in fields:
        cure = "check MARKETO_OPPORTUNITY_KEY_FIELD" if chosen else _("without it none can be found by external ID")
        said.append(
            _("%(kind)s have no field “%(key)s”: %(cure)s.")
            % {"kind": NOUNS[kind][1].capitalize(), "key": key, "cure": cure}
        )
    return [*said, *_save_custom(kind, custom), *_describe_lost_fields(kind, fields, key)]


def _save_custom(kind: Kind, described: Iterable[FieldDescription]) -> list[str]:
    before = {field.name: field for field in CustomField.objects.filter(kind=kind.value)}
    new, said = [], []
    for field in described:
        if field.read_only:
            continue
        if field.type.casefold() == DataType.REFERENCE.value:
            said.append(
                _("%(name)s links to other objects, which custom fields cannot do here; it is left out.")
                % {"name": field.name}
            )
            continue
        known = before.get(field.name)
        data_type, doubt = _data_type(field)
        said += doubt
        if known is None:
            new.append(field.name)
        elif known.data_type != data_type:
            said.append(_new_type(kind, known, data_type))
        values = {"label": field.label, "data_type": data_type.value, "size": field.size}
        CustomField.objects.update_or_create(kind=kind.value, name=field.name, defaults=values)
    return (
        [_("New custom %(count)s: %(new)s.") % {"count": "field" if len(new) == 1 else "fields", "new": ", ".join(new)}]
        if new
        else []
    ) + said


def _data_type(field: FieldDescription) -> tuple[DataType, list[str]]:
    name = field.type.casefold()
    if name in {member.value for member in DataType}:
        return DataType(name), []
    if name in TEXT_TYPES:
        return DataType.STRING, []
    return DataType.STRING, [
        _("%(name)s has the type “%(type)s”, which is not known here; it is taken as text.")
        % {"name": field.name, "type": field.type}
    ]


def _new_type(kind: Kind, known: CustomField, data_type: DataType) -> str:
    said = _("%(name)s has a new type: %(value)s, was %(data_type)s.") % {
        "name": known.name,
        "value": data_type.value,
        "data_type": known.data_type,
    }
    holding = records_of_kind(kind).filter(custom_attributes__has_key=known.name).count()
    if holding:
        said += _(" The values in %(count)s were left as they are; check them.") % {
            "count": _count(holding, *NOUNS[kind])
        }
    return said


def _describe_lost_fields(kind: Kind, described: Mapping[str, FieldDescription], key: str) -> list[str]:
    said = []
    for name in CustomField.objects.filter(kind=kind.value).exclude(name=key).values_list("name", flat=True):
        if name not in described:
            said.append(
                _("%(name)s is gone: Marketo has no such %(kind)s field now. It stays listed here.")
                % {"name": name, "kind": NOUNS[kind][0]}
            )
        elif described[name].read_only:
            said.append(_("%(name)s is read-only in Marketo: values entered here cannot be sent.") % {"name": name})
    return said


# --- tags and channels ----------------------------------------------------------------------


def save_tags(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Replace the allowed tag values of all types."""
    tags = {name: given for name, given in values.items() if name.casefold() != CHANNEL_TAG.casefold()}
    _replace(AllowedTag.objects.exclude(type=CHANNEL_TAG), tags)
    return [
        _("%(count)s with %(count_2)s.")
        % {"count": _count(len(tags), "tag type"), "count_2": _count(sum(map(len, tags.values())), "value")}
    ]


def save_channels(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Replace the allowed channels."""
    channels = values.get(CHANNEL_TAG, ())
    _replace(AllowedTag.objects.filter(type=CHANNEL_TAG), {CHANNEL_TAG: channels})
    return [f"{_count(len(channels), 'channel')}."]


def _replace(old: QuerySet[AllowedTag], values: Mapping[str, Sequence[str]]) -> None:
    now = clock.now()
    pairs = dict.fromkeys((name, value) for name, given in values.items() for value in given)
    old.delete()
    AllowedTag.objects.bulk_create(
        AllowedTag(type=name, value=value, described_at=now)
        for name, value in pairs
        if 0 < len(name) <= MAX_TAG_LENGTH and 0 < len(value) <= MAX_TAG_LENGTH
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
