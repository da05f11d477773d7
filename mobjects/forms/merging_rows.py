"""Rows of a record's page, such as a program's costs, that overwrite nothing unseen; see :mod:`mobjects.forms.merging`.

Rows are found by the ids that were sent, not by their place: others come and go while a page is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.forms.formsets import INITIAL_FORM_COUNT, TOTAL_FORM_COUNT
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from unfold.forms import PaginationInlineFormSet

from mobjects.db.counting import read_counted_page
from mobjects.forms.merging import (
    ASKED,
    CHOICE,
    MINE,
    THEIRS,
    FieldClash,
    fingerprint,
    opened_value,
    read_choice,
    shown_text,
)

GONE = "(removed)"


class MergingFormSet(PaginationInlineFormSet):  # type: ignore[misc]  # Unfold has no types
    """Rows of :class:`~mobjects.forms.merging.MergingForm`; a page of them at a time."""

    @cached_property
    def management_form(self) -> Any:
        """How many rows a form says that it holds.

        Raises:
            SuspiciousOperation: it cannot hold so many; each would be made, however many they are.
        """
        form = super().management_form
        if self.is_bound:
            opened, rows = (form.cleaned_data[name] for name in (INITIAL_FORM_COUNT, TOTAL_FORM_COUNT))
            if form.errors or not 0 <= opened <= rows <= self.absolute_max:
                raise SuspiciousOperation(f"{self.prefix}: {opened} of {rows} rows")
        return form

    def get_page_num(self) -> int:
        """The page of rows that is asked for; what is no such number is the first."""
        key = self.get_pagination_key()
        given = (query.get(key, "") for query in (self.request.GET, self.request.POST))
        return next((int(page) for page in given if page.isdecimal() and len(page) <= 9 and int(page)), 1)

    def get_page(self, paginator: Any, page: int) -> Any:
        """The rows of a page, read with their number."""
        found = read_counted_page(self.queryset, self.per_page, page)
        self.paginator = found.paginator
        return found

    def get_queryset(self) -> Any:
        """The rows to show; of a form that came back those that it holds, None for each that is gone."""
        if not self.is_bound:
            return super().get_queryset()
        if not hasattr(self, "_sent_rows"):
            ids = [self._sent_id(number) for number in range(self.initial_form_count())]
            self._object_dict = self.queryset.in_bulk([pk for pk in ids if pk is not None])
            self._sent_rows = [self._object_dict.get(pk) for pk in ids]
        return self._sent_rows

    def _sent_id(self, number: int) -> int | None:
        text = self.data.get(f"{self.add_prefix(number)}-id", "")
        return int(text) if text.isdecimal() and len(text) <= 18 else None

    def _existing_object(self, pk: Any) -> Any:
        self.get_queryset()
        return super()._existing_object(pk)

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        if form.instance.pk is not None:
            setattr(form.instance, self.fk.name, self.instance)  # Not read anew for each row.
        form.is_gone = self.is_bound and i < self.initial_form_count() and form.instance.pk is None
        if form.is_gone:
            form.fields["id"] = forms.CharField(required=False, widget=forms.HiddenInput)
        return form

    @property
    def clashes(self) -> list[FieldClash]:
        """What a person has to decide, row by row."""
        found: list[FieldClash] = []
        for form in self.forms if self.is_bound else ():
            whole = self._whole_row(form)
            if whole is not None:
                found.append(whole)
            elif not self._is_removed(form):
                name, entry = _row_name(self, form), self._entry_of(form)
                found += [
                    replace(clash, label=_("%(label)s of %(name)s") % {"label": clash.label, "name": name}, entry=entry)
                    for clash in form.clashes
                ]
        return found

    @property
    def merged(self) -> list[str]:
        """What only somebody else changed, in words."""
        words = []
        for form in self.initial_forms:
            if form.is_gone:
                if form["id"].data and not self._is_touched(form):
                    words.append(_("%(row)s (removed)") % {"row": _row_name(self, form)})
            else:
                words += [
                    _("%(label)s of %(name)s") % {"label": label, "name": _row_name(self, form)}
                    for label in form.merged
                ]
        return words

    def clean(self) -> None:
        super().clean()
        # A row's form says so itself where both changed a field of it.
        if any(whole is not None and not whole.chosen for whole in map(self._whole_row, self.forms)):
            raise ValidationError(ASKED)

    def save_new_objects(self, commit: bool = True) -> Any:
        """The new rows, and those that somebody else removed and this person wants back."""
        added = super().save_new_objects(commit)
        for form in self.initial_forms:
            if form.is_gone and not self._should_delete_form(form):
                added.append(self.save_new(form, commit=commit))
        return added

    def _should_delete_form(self, form: Any) -> bool:
        whole = self._whole_row(form)
        if getattr(form, "is_gone", False):
            return whole is None or whole.chosen != MINE
        return self._is_removed(form) and (whole is None or whole.chosen != THEIRS)

    def _is_removed(self, form: Any) -> bool:
        return bool(super()._should_delete_form(form))

    def _is_touched(self, form: Any) -> bool:
        return bool(set(form.changed_data) & set(self.fields_of(form)))

    def fields_of(self, form: Any) -> list[str]:
        """Names of the fields of a row that carry along what they held."""
        return [name for name, field in form.fields.items() if field.show_hidden_initial]

    def _entry_of(self, form: Any) -> str:
        """The name under which a row stands among the edits of its record."""
        row: Any = self.model(pk=form.instance.pk or self._sent_id(self.forms.index(form)))
        if "type" in form.fields:
            row.type = opened_value(form["type"])
        return str(row.content_key)

    def _whole_row(self, form: Any) -> FieldClash | None:
        """The question about a row that one of the two removed and the other changed."""
        if getattr(form, "is_gone", False):
            if self._is_removed(form) or not self._is_touched(form):
                return None
            now, typed, mine, theirs = GONE, _row_text(self, form, "typed"), _("Add mine again"), _("Leave it removed")
        elif form.instance.pk is not None and self._is_removed(form) and form.moved:
            now, typed, mine, theirs = _row_text(self, form, "now"), GONE, _("Remove it"), _("Keep it as it is now")
        else:
            return None
        name = f"{CHOICE}{form.prefix}-row"
        return FieldClash(
            name=name,
            label=_row_name(self, form),
            entry=self._entry_of(form),
            opened=_row_text(self, form, "opened"),
            now=now,
            typed=typed,
            seen=fingerprint(now),
            chosen=read_choice(self.data, name, now),
            words_mine=mine,
            words_theirs=theirs,
        )


def _row_name(formset: Any, form: Any) -> str:
    return f"{formset.model._meta.verbose_name} {_row_text(formset, form, 'opened')}".strip()


def _row_text(formset: MergingFormSet, form: Any, which: str) -> str:
    """A row's values in one line: as they were opened, are now, or were typed."""
    fields = [form[name] for name in formset.fields_of(form)]
    values: dict[str, Callable[[], Iterable[Any]]] = {
        "opened": lambda: map(opened_value, fields),
        "now": lambda: (bound.initial for bound in fields),
        "typed": lambda: (bound.data for bound in fields),
    }
    texts = map(shown_text, fields, values[which]())
    return " ".join(text for text in texts if text)
