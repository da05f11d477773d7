"""Naming objects in Marketo, in a text area or a file, where all of a kind cannot be listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from mobjects.forms.imports import PASTED_CHARACTERS
from mobjects.imports.file_limits import limits_for
from mobjects.kept_text import translate_kept
from mobjects.marketo.transport_traits import IdKind, TransportTraits
from mobjects.marketo.types import Kind
from mobjects.models import ImportSource, Opportunity
from mobjects.spreadsheets import reader
from mobjects.spreadsheets.types import BadCell, FileRefused
from mobjects.sync.paging import NamedBy
from mobjects.sync.pull.task import NAMED_BY

MOST_NAMES = 50_000
"""So many are kept on a job; more are read by several."""
NAMING = ("named_by", "names", "names_file")
"""The fields."""


@dataclass(frozen=True, slots=True)
class Naming:
    """By what objects are named.

    Args:
        field: of a model; what it cannot hold is no name.
        headers: what a file's column of such names is called, in small letters; the first is told to people.
    """

    field: Any
    headers: tuple[str, ...]


_EXTERNAL_ID = ("external id", "externalopportunityid")
BY_GUID = Naming(Opportunity._meta.get_field("marketo_guid"), ("marketo guid", "marketoguid"))
BY_KEY = Naming(Opportunity._meta.get_field("external_id"), _EXTERNAL_ID)
BY_OPPORTUNITY = Naming(Opportunity._meta.get_field("external_id"), ("opportunity", *_EXTERNAL_ID))
NAMINGS = {NamedBy.ID: BY_GUID, NamedBy.KEY: BY_KEY, NamedBy.OPPORTUNITY: BY_OPPORTUNITY}
"""Of what Marketo is asked for."""


def naming_fields(kind: Kind, traits: TransportTraits) -> dict[str, forms.Field]:
    """The fields for naming objects of a kind, by name."""
    words = {
        NamedBy.ID: gettext("Marketo GUIDs"),
        NamedBy.KEY: gettext("External IDs"),
        NamedBy.OPPORTUNITY: gettext("External IDs of their opportunities"),
    }
    by_number = traits.id_kind(kind) is not IdKind.GUID
    choices = [(by.value, words[by]) for by in NAMED_BY.get(kind, ()) if not (by is NamedBy.ID and by_number)]
    return {
        "named_by": forms.ChoiceField(
            required=False, label=gettext("What you give"), choices=choices, widget=UnfoldAdminSelectWidget
        ),
        **name_fields(),
    }


def name_fields() -> dict[str, forms.Field]:
    """The fields that take names: a text area and a file."""
    return {
        "names": forms.CharField(
            required=False,
            label=gettext("Which ones"),
            max_length=PASTED_CHARACTERS,
            help_text=gettext("One on each line, up to %(most_names)s with those of a file.")
            % {"most_names": f"{MOST_NAMES:,}"},
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "spellcheck": "false"}),
        ),
        "names_file": forms.FileField(
            required=False,
            label=gettext("Or a file of them"),
            help_text=gettext(
                "CSV, text or a workbook. Of several columns, the one with that name in the first row is read."
            ),
            widget=forms.FileInput(attrs={"class": " ".join(INPUT_CLASSES), "accept": ",".join(reader.EXTENSIONS)}),
        ),
    }


def clean_names(by: Naming, text: str, file: UploadedFile | None) -> tuple[str, ...]:
    """What a person named, each once, in order.

    Args:
        by: what the names are.
        text: one on each line.
        file: of names, or ``None``.

    Raises:
        ValidationError: a name that can be none, too many, or a file that cannot be read; a sentence for people.
    """
    given = [line.strip() for line in text.splitlines()]
    try:
        given += _read_names(file, by) if file is not None else []
    except FileRefused as error:
        raise ValidationError(translate_kept(str(error))) from error
    names = tuple(dict.fromkeys(_check(by, name) for name in given if name))
    if len(names) > MOST_NAMES:
        raise ValidationError(
            gettext("These are %(count)s; give at most %(most_names)s at once.")
            % {"count": f"{len(names):,}", "most_names": f"{MOST_NAMES:,}"}
        )
    return names


def _check(by: Naming, name: str) -> str:
    try:
        return str(by.field.clean(name, None))
    except ValidationError as error:
        raise ValidationError(f"“{name[:80]}”: {' '.join(error.messages)}") from error


def _read_names(file: UploadedFile, by: Naming) -> Iterable[str]:
    """The cells of the column that holds the names. Raises FileRefused."""
    limits, name = limits_for(ImportSource.ADMIN), file.name or ""
    known = {*by.headers, *(header for each in NAMINGS.values() for header in each.headers)}
    found = reader.detect_file(file, name, limits, is_name=lambda text: text.strip().casefold() in known)  # type: ignore[arg-type]
    place = _column(found.headers, by)
    # The only column of a file may have no name: its first row is a name like the others then.
    names = [] if found.headers[place].casefold() in known else [found.headers[place]]
    for row in reader.iter_rows(file, found.options, limits):  # type: ignore[arg-type]
        cell: Any = row.cells[place] if place < len(row.cells) else None
        if isinstance(cell, BadCell):
            raise FileRefused(
                gettext("Row %(number)s: %(text)s %(why)s")
                % {"number": row.number, "text": cell.text, "why": translate_kept(cell.why)}
            )
        names.append(reader.cell_text(cell).strip())
    return names


def _column(headers: Sequence[str], by: Naming) -> int:
    for place, header in enumerate(headers):
        if header.casefold() in by.headers:
            return place
    if len(headers) == 1:
        return 0
    wanted = by.headers[0].title().replace("Id", "ID").replace("Guid", "GUID")
    raise FileRefused(
        gettext("The file has %(count)s columns, and none is named “%(wanted)s”; name one of them so.")
        % {"count": len(headers), "wanted": wanted}
    )
