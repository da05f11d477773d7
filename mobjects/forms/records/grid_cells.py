"""The cells of a grid: what a record's form holds, as texts, and texts as that same form takes them back.

The record's own form is all the rules there are: a cell is sent with what it held when it was opened, which becomes the
hidden initial value of :class:`mobjects.forms.merging.MergingForm`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Model
from django.utils.translation import gettext as _

from mobjects.forms.merging import MergingForm, input_text
from mobjects.forms.records.custom_fields import CUSTOM


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A column of a grid.

    Args:
        name: of the form's field.
        label: heading.
        field: the form's field.
        choices: values and labels, where only these are possible.
        help: what a form says beside its input.
    """

    name: str
    label: str
    field: forms.Field
    choices: tuple[tuple[str, str], ...]
    help: str

    @property
    def labels(self) -> list[str]:
        """What can be chosen."""
        return [label for _value, label in self.choices]

    @property
    def suggestions(self) -> str:
        """The id of a list of what Marketo knows; "" if there is none."""
        return str(self.field.widget.attrs.get("list", ""))


@dataclass(frozen=True, slots=True)
class EditedCell:
    """What a person typed into a cell.

    Args:
        opened: the text that it held when it was shown.
        typed: the text that it is to hold.
        held: stands for what else went with it when it was shown; "" for nothing.
    """

    opened: str
    typed: str
    held: str = ""


def list_columns(form_class: type[MergingForm]) -> list[GridColumn]:
    """The fields of a record's form that a grid can edit: all but links to other records."""
    return [
        GridColumn(name, str(field.label or name), field, _choices(field), str(field.help_text or ""))
        for name, field in form_class.base_fields.items()
        if not (field.disabled or isinstance(field, forms.ModelChoiceField))
    ]


def show_cells(form_class: type[MergingForm], record: Model) -> dict[str, str]:
    """The texts of all fields of a record's form, by name."""
    return {name: _show(field, _value_of(record, name)) for name, field in form_class.base_fields.items()}


def build_cell_form(
    form_class: type[MergingForm], record: Model, cells: Mapping[str, EditedCell]
) -> tuple[MergingForm, dict[str, str]]:
    """The record's form as it would come back from its page with these cells changed in it.

    Args:
        record: read under its lock.
        cells: by the names of fields.

    Returns:
        The bound form, and what is wrong with texts that name none of a field's choices, by field.
    """
    data: dict[str, str] = {}
    problems: dict[str, str] = {}
    now = show_cells(form_class, record)
    for name, field in form_class.base_fields.items():
        cell = cells.get(name) or EditedCell(now[name], now[name])
        _put(data, f"initial-{name}", field, _read(field, cell.opened), hidden=True)
        typed = _read(field, cell.typed)
        _put(data, name, field, typed, hidden=False)
        if cell.typed != cell.opened and (problem := _find_problem(field, cell.typed, typed)):
            problems[name] = problem
    return form_class(data, instance=record), problems


def _choices(field: forms.Field) -> tuple[tuple[str, str], ...]:
    if isinstance(field, forms.BooleanField):
        return (("True", _("Yes")), ("False", _("No")))
    if isinstance(field, forms.ModelChoiceField):
        return ()  # Of all records there are; a grid does not edit links.
    offered: Iterable[Any] = getattr(field.widget, "choices", ())
    return tuple((str(value), str(label)) for value, label in offered if value not in ("", None))


def _value_of(record: Any, name: str) -> Any:
    if name.startswith(CUSTOM):
        return record.custom_attributes.get(name.removeprefix(CUSTOM), "")
    return getattr(record, record._meta.get_field(name).attname)


def _show(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.MultiValueField):
        day, time = field.widget.decompress(value)
        return f"{day:%Y-%m-%d} {time:%H:%M:%S}" if day else ""
    text = input_text(field, value).replace("\r\n", "\n")
    return dict(_choices(field)).get(text, text)


def _read(field: forms.Field, text: str) -> str:
    """A text as an input has it: the value of a choice for its label, line ends as browsers send them."""
    choices = _choices(field)
    wanted = text.strip().casefold()
    for value, label in choices:
        if wanted in (value.casefold(), label.casefold()):
            return value
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _find_problem(field: forms.Field, text: str, read: str) -> str:
    """What is wrong with a text where only choices are possible, or no text could hold it; "" if nothing."""
    if "\0" in text:
        return _("There is a character in it that no text may hold (code 0); type it anew.")
    choices = dict(_choices(field))
    if not choices or read in choices or not text.strip():
        return ""
    said = {"text": text, "choices": ", ".join(choices.values())}
    return _("“%(text)s” is none of the choices. There are: %(choices)s.") % said


def _put(data: dict[str, str], name: str, field: forms.Field, text: str, *, hidden: bool) -> None:
    """Put a value into what a form is given, as its input, or its hidden one, would send it."""
    if isinstance(field, forms.MultiValueField):
        data[f"{name}_0"], _blank, data[f"{name}_1"] = text.strip().partition(" ")
    elif isinstance(field, forms.BooleanField) and not isinstance(field, forms.NullBooleanField) and not hidden:
        if text == "True":
            data[name] = "on"
    else:
        data[name] = text


def describe_errors(form: MergingForm, problems: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, in words by field; under "" what is wrong with the record as a whole.

    Args:
        form: bound.
        problems: as :func:`build_cell_form` gives them.
    """
    found = {"" if name == NON_FIELD_ERRORS else name: texts for name, texts in form.errors.items()}
    said = {name: " ".join(str(text) for text in texts) for name, texts in found.items()}
    return {**said, **problems}
