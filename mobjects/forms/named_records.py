"""Choosing records held here by a pasted list, or a file, of what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from mobjects.forms.named_objects import BY_GUID, BY_KEY, BY_OPPORTUNITY, Naming, clean_names, name_fields
from mobjects.forms.sync import IdsField
from mobjects.models import Kind, Program, records_of_kind

AT_ONCE = 5_000
"""Names in one query."""

_BY_NUMBER = Naming(Program._meta.get_field("marketo_id"), ("marketo id", "id"))
_BY_NAME = Naming(Program._meta.get_field("name"), ("name", "program"))

WAYS: Mapping[Kind, Mapping[str, tuple[Any, Naming]]] = {
    Kind.PROGRAM: {"name": (_("Names"), _BY_NAME), "marketo_id": (_("Marketo IDs"), _BY_NUMBER)},
    Kind.OPPORTUNITY: {
        "external_id": (_("External IDs"), BY_KEY),
        "marketo_guid": (_("Marketo GUIDs"), BY_GUID),
        "marketo_id": (_("Marketo IDs"), _BY_NUMBER),
    },
    Kind.ROLE: {
        "opportunity__external_id": (_("External IDs of their opportunities"), BY_OPPORTUNITY),
        "marketo_guid": (_("Marketo GUIDs"), BY_GUID),
        "marketo_id": (_("Marketo IDs"), _BY_NUMBER),
    },
}
"""By which column records of a kind are named: its words, and what names of it look like."""


@dataclass(frozen=True, slots=True)
class NamedRecords:
    """What became of a list of names.

    Args:
        ids: our own ids of the records that were found, in ascending order.
        named: how many different names there were.
        unknown: the names that no record here has, in the order in which they were given.
    """

    ids: Sequence[int]
    named: int
    unknown: Sequence[str]


class NamedRecordsForm(forms.Form):
    """Which records of a kind a person names."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in Kind], widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any], files: MultiValueDict[str, Any] | None = None) -> None:
        super().__init__(data, files)
        given = data.get("kind")
        self.named_kind = Kind(given) if given in tuple(Kind) else Kind.OPPORTUNITY
        ways = [(column, words) for column, (words, _naming) in WAYS[self.named_kind].items()]
        self.fields["named_by"] = forms.ChoiceField(
            label=gettext("What you give"), choices=ways, widget=UnfoldAdminSelectWidget
        )
        self.fields |= name_fields()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        column = cleaned["named_by"]
        try:
            names = clean_names(WAYS[self.named_kind][column][1], cleaned["names"], cleaned["names_file"])
        except forms.ValidationError as error:
            self.add_error("names", error)
            return cleaned
        if not names:
            self.add_error("names", gettext("Nothing is named; paste at least one line, or choose a file."))
            return cleaned
        cleaned["found"] = find_named(self.named_kind, column, names)
        return cleaned


class ChosenRecordsForm(forms.Form):
    """The records that were found, by our own ids."""

    ids = IdsField()


def find_named(kind: Kind, column: str, names: Sequence[str]) -> NamedRecords:
    """The records here that have one of these names.

    Args:
        kind: of the records.
        column: one of :data:`WAYS`.
        names: each once, as :func:`~mobjects.forms.named_objects.clean_names` gives them.
    """
    ids: set[int] = set()
    known: set[str] = set()
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        for pk, name in records_of_kind(kind).filter(**{f"{column}__in": some}).values_list("pk", column):
            ids.add(pk)
            known.add(str(name))
    return NamedRecords(sorted(ids), len(names), [name for name in names if name not in known])
