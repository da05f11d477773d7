"""Forms that overwrite nothing unseen: what somebody else saved since the page was opened is kept, or asked about.

A page carries along what each field held when it was opened (Django's hidden initial values). When it comes back, the
record is read again under a lock, and each field has three values: opened, now, typed. Where only one of the two
people changed it, that change stands; where both did, to different values, the page comes back and asks. A choice is
bound to the value that was shown, so what changes in the meantime is asked about again.
See docs/decisions/0026-fields-are-merged.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ASKED = _(
    "Somebody else changed this record while you were editing it. Nothing of this page is saved yet: choose above, for "
    "each field that both of you changed, which value is right, and save again."
)
MINE, THEIRS = "mine", "theirs"
CHOICE = "choose-"
"""Prefix of the inputs in which a person says whose value is right."""


SAVE_MINE = _("Save mine")
KEEP_THEIRS = _("Keep theirs")


@dataclass(frozen=True, slots=True)
class FieldClash:
    """A field that two people changed to different values.

    Args:
        name: of the input with the choice.
        label: of the field.
        entry: whose edits to look for: the model's own field, or ``custom_…``; for a row, the row's name.
        opened, now, typed: as they are shown; "" for empty.
        seen: stands for the value of now; a choice counts only for the value that was shown with it.
        chosen: MINE, THEIRS or "".
        words_mine, words_theirs: what the choices do.
    """

    name: str
    label: str
    entry: str
    opened: str
    now: str
    typed: str
    seen: str
    chosen: str
    words_mine: StrOrPromise = SAVE_MINE
    words_theirs: StrOrPromise = KEEP_THEIRS

    @property
    def input_id(self) -> str:
        """The beginning of the ids of its inputs."""
        return f"id_{self.name}"


class MergingForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Keeps what others changed since its page was opened, and asks where both sides changed a field.

    Its instance has to be read under a lock that lasts until it is saved.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clashes: list[FieldClash] = []
        self.moved: list[str] = []
        """Names of the fields that somebody else changed since the page was opened."""
        shown_before = f"initial-{self.add_prefix('')}"
        self.is_existing = self.instance.pk is not None or any(name.startswith(shown_before) for name in self.data)
        for name, field in self.fields.items():
            field.show_hidden_initial = self.is_existing
            give_lines(field, self.initial.get(name))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.instance.pk is not None:
            self._merge(cleaned)
        return cleaned

    @property
    def merged(self) -> list[str]:
        """Labels of the fields that only somebody else changed."""
        return [str(self[name].label) for name in self.moved if name not in self.changed_data]

    def _merge(self, cleaned: dict[str, Any]) -> None:
        """Leave alone what this person did not touch; ask about what both changed."""
        for name in self._shown_fields():
            bound = self[name]
            moved = _differs(bound, opened_value(bound))
            if moved:
                self.moved.append(name)
            if name not in self.changed_data:
                # What was read under the lock, whatever the page showed.
                cleaned[name] = self._value_now(name)
            elif moved and _differs(bound, bound.data):
                clash = self._clash(bound)
                self.clashes.append(clash)
                if clash.chosen == THEIRS:
                    cleaned[name] = self._value_now(name)
        if any(not clash.chosen for clash in self.clashes):
            self.add_error(None, ASKED)

    def _value_now(self, name: str) -> Any:
        return getattr(self.instance, name) if hasattr(self.instance, name) else self.initial.get(name)

    def _shown_fields(self) -> list[str]:
        return [name for name, field in self.fields.items() if field.show_hidden_initial and not field.disabled]

    def _clash(self, bound: BoundField) -> FieldClash:
        now = shown_text(bound, bound.initial)
        name = f"{CHOICE}{bound.html_name}"
        return FieldClash(
            name=name,
            label=str(bound.label),
            entry=bound.name,
            opened=shown_text(bound, opened_value(bound)),
            now=now,
            typed=shown_text(bound, bound.data),
            seen=fingerprint(now),
            chosen=read_choice(self.data, name, now),
        )


def give_lines(field: forms.Field, value: Any) -> None:
    """Let a value of several lines, as files and Marketo may bring, be edited in as many.

    Browsers send it back from an input of one line without its line ends, as if somebody had taken them out.
    """
    if isinstance(field.widget, forms.TextInput) and isinstance(value, str) and not {"\n", "\r"}.isdisjoint(value):
        field.widget = UnfoldAdminTextareaWidget(attrs={**field.widget.attrs, "rows": 2})
        field.widget.is_required = field.required


def read_choice(given: Any, name: str, now: str) -> str:
    """MINE or THEIRS, if that was chosen while the value of now was shown; else "".

    Args:
        given: what was sent.
        name: of the input.
        now: the value as it is shown.
    """
    side, _, seen = given.get(name, "").partition(":")
    return side if side in (MINE, THEIRS) and seen == fingerprint(now) else ""


def fingerprint(text: str) -> str:
    """Stands for a value in a form."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def opened_value(bound: BoundField) -> Any:
    """What a field held when its page was opened, as it was sent back."""
    form = bound.form
    return bound.field.hidden_widget().value_from_datadict(form.data, form.files, bound.html_initial_name)


def shown_text(bound: BoundField, value: Any) -> str:
    """A field's value as people know it: the label of a choice, the text of anything else."""
    field = bound.field
    if isinstance(field, forms.MultiValueField) and not isinstance(value, (list, tuple)):
        value = field.widget.decompress(value)
    if isinstance(value, (list, tuple)):
        return " ".join(str(part) for part in value if part not in (None, ""))
    if isinstance(field, forms.ModelChoiceField):
        known: Any = field.queryset
        chosen = known.filter(pk=value).first() if str(value or "").isdecimal() else None
        return str(chosen) if chosen is not None else str(value or "")
    if isinstance(field, forms.BooleanField):
        return {True: gettext("Yes"), False: gettext("No")}.get(field.to_python(value), "")
    choices = dict(getattr(bound.field.widget, "choices", ()))
    text = input_text(field, value)
    return str(choices.get(text, text)) if text else ""


def _differs(bound: BoundField, posted: Any) -> bool:
    """Whether a value as it was sent differs from the one of now."""
    field, now = bound.field, bound.initial
    if not isinstance(field, (forms.MultiValueField, forms.ModelChoiceField)):
        # As it would come back from a browser, which trims blanks and knows one way to end a line.
        try:
            now = field.to_python(input_text(field, now))
        except ValidationError:
            return input_text(field, now) != input_text(field, posted)
    return field.has_changed(now, posted)


def input_text(field: forms.Field, value: Any) -> str:
    """A value as the field's input holds it, with line ends as browsers send them; "" for empty."""
    text = field.hidden_widget().format_value(field.prepare_value(value))
    return "" if text is None else str(text).replace("\r\n", "\n").replace("\n", "\r\n")
