"""What is to be done to many records: first which operation, then its values."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from mobjects.bulk_edits.operations import Do, EditOperation, edited_fields
from mobjects.bulk_edits.rules import FieldRule, say_problem
from mobjects.marketo import value_parsing
from mobjects.marketo.value_text import to_text
from mobjects.models import AllowedValues
from mobjects.models.program import CHANNEL_TAG

MOST_MONTHS = 1200
DECIMALS = 6
"""A factor may have so many."""
_NO_VALUE = _("Give a value; to empty the field choose “Clear a field”.")


class OperationForm(forms.Form):
    """Which operation; its choices stand in groups."""

    do = forms.ChoiceField(label=_("What is to be done"), widget=UnfoldAdminSelectWidget)

    def __init__(self, groups: list[tuple[str, list[tuple[str, str]]]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["do"].choices = groups  # type: ignore[attr-defined]  # a choice field

    def clean_do(self) -> EditOperation:
        """The operation, without its values."""
        return EditOperation.from_key(self.cleaned_data["do"])


class ValuesForm(forms.Form):
    """The values of an operation; a subclass makes them one."""

    def __init__(self, asked: EditOperation, model_name: str, *args: Any, **kwargs: Any) -> None:
        self.asked, self.model_name = asked, model_name
        super().__init__(*args, **kwargs)

    @property
    def operation(self) -> EditOperation:
        """The operation with its values; only of a valid form."""
        return self.make_operation(self.cleaned_data)

    def make_operation(self, cleaned: dict[str, Any]) -> EditOperation:
        """Put the values into the operation."""
        return self._with()

    def _with(self, value: str = "", sought: str = "") -> EditOperation:
        return EditOperation(self.asked.do, self.asked.field, self.asked.target, value, sought)


class SetForm(ValuesForm):
    """The new value, in the input that the record's own form has for it."""

    def __init__(self, field: forms.Field, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field.required, field.show_hidden_initial = False, False
        field.label = gettext("New value of %(field)s") % {"field": field.label}
        self.fields["value"] = field

    def clean_value(self) -> str:
        """The value as canonical text, by the rules of the field."""
        text = to_text(self.cleaned_data["value"])
        if not text:
            raise ValidationError(_NO_VALUE)
        target = self.asked.target or self.model_name
        if problem := FieldRule(target, edited_fields(target)[self.asked.field]).find_problem(text):
            raise ValidationError(say_problem(problem))
        return text

    def make_operation(self, cleaned: dict[str, Any]) -> EditOperation:
        return self._with(cleaned["value"])


class NumberForm(ValuesForm):
    """What is added, or the factor."""

    value = forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        factor = self.asked.do == Do.MULTIPLY
        self.fields["value"].label = gettext("Factor") if factor else gettext("Amount to add")
        self.fields["value"].help_text = (
            gettext("Such as 1.05 or 105 %. The result is rounded, halves away from zero.")
            if factor
            else gettext("Such as 250 or -99.90; with a minus it is taken away.")
        )

    def clean_value(self) -> str:
        """The number as plain text; a per cent sign makes it hundredths."""
        given = self.cleaned_data["value"].strip()
        per_cent = self.asked.do == Do.MULTIPLY and given.endswith("%")
        try:
            number = value_parsing.parse_decimal(given.removesuffix("%").strip() if per_cent else given, DECIMALS)
        except ValueError as error:
            raise ValidationError(say_problem(str(error))) from error
        number = number / 100 if per_cent else number
        if self.asked.do == Do.ADD and not number:
            raise ValidationError(_("Adding 0 changes nothing."))
        if self.asked.do == Do.MULTIPLY and number == 1:
            raise ValidationError(_("Multiplying by 1 changes nothing."))
        return format(number.normalize() + Decimal(0), "f")

    def make_operation(self, cleaned: dict[str, Any]) -> EditOperation:
        return self._with(cleaned["value"])


class ReplaceForm(ValuesForm):
    """What is looked for, and what is put in its place."""

    sought = forms.CharField(
        label=_("Text to find"),
        strip=False,
        max_length=255,
        help_text=_("Capital and small letters count, and so do blanks."),
        widget=UnfoldAdminTextInputWidget,
    )
    value = forms.CharField(
        label=_("Text in its place"),
        strip=False,
        required=False,
        max_length=255,
        help_text=_(
            "Left empty, the text that is found is removed. Blanks at the ends of the result go, as in a form."
        ),
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("sought") and cleaned["sought"] == cleaned.get("value"):
            self.add_error("value", _("This is the text that is to be found; give another one."))
        return cleaned

    def make_operation(self, cleaned: dict[str, Any]) -> EditOperation:
        return self._with(cleaned["value"], cleaned["sought"])


class ShiftForm(ValuesForm):
    """By how many months."""

    value = forms.IntegerField(
        label=_("Months"),
        min_value=-MOST_MONTHS,
        max_value=MOST_MONTHS,
        help_text=_("Such as 1 for a month later, or -12 for a year earlier."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )

    def clean_value(self) -> int:
        """Not 0."""
        months: int = self.cleaned_data["value"]
        if not months:
            raise ValidationError(_("Moving by 0 months changes nothing."))
        return months

    def make_operation(self, cleaned: dict[str, Any]) -> EditOperation:
        return self._with(str(cleaned["value"]))


def _month_input(label: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "YYYY-MM"})
    return forms.CharField(label=label, help_text=_("YYYY-MM"), widget=widget)


class CopyForm(ValuesForm):
    """From which month to which; costs that were chosen themselves have their month."""

    sought = _month_input(_("Month that is copied"))
    value = _month_input(_("Month that gets the copies"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.asked.target:
            del self.fields["sought"]

    def clean_sought(self) -> str:
        """The month's first day."""
        return self._month("sought")

    def clean_value(self) -> str:
        """The month's first day."""
        return self._month("value")

    def _month(self, name: str) -> str:
        try:
            return value_parsing.parse_month(self.cleaned_data[name]).isoformat()
        except ValueError as error:
            raise ValidationError(say_problem(str(error))) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("value") and cleaned.get("value") == cleaned.get("sought"):
            self.add_error("value", _("This is the month that is copied; give another one."))
        return cleaned

    def make_operation(self, cleaned: dict[str, Any]) -> EditOperation:
        return self._with(cleaned["value"], cleaned.get("sought", ""))


class TagValuesForm(ValuesForm):
    """The tag's type and, where it is set, its value, as Marketo knows them."""

    sought = forms.CharField(
        label=_("Tag type"), max_length=255, widget=UnfoldAdminTextInputWidget(attrs={"list": "mo-tag-types"})
    )
    value = forms.CharField(
        label=_("Tag value"), max_length=255, widget=UnfoldAdminTextInputWidget(attrs={"list": "mo-tag-values"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.asked.do == Do.UNTAG:
            del self.fields["value"]

    def clean_sought(self) -> str:
        """Not the channel, which is a field."""
        name: str = self.cleaned_data["sought"]
        if name.casefold() == CHANNEL_TAG.casefold():
            raise ValidationError(_("The channel is a field of its own; choose “Set a field: Channel”."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        allowed = AllowedValues()
        if {"sought", "value"} <= set(cleaned) and (
            problem := allowed.find_problem(cleaned["sought"], cleaned["value"])
        ):
            self.add_error("value" if allowed.values_of_type(cleaned["sought"]) else "sought", problem)
        return cleaned

    def make_operation(self, cleaned: dict[str, Any]) -> EditOperation:
        return self._with(cleaned.get("value", ""), cleaned["sought"])


FORMS: dict[str, type[ValuesForm]] = {
    Do.CLEAR: ValuesForm,
    Do.ADD: NumberForm,
    Do.MULTIPLY: NumberForm,
    Do.REPLACE: ReplaceForm,
    Do.SHIFT: ShiftForm,
    Do.COPY: CopyForm,
    Do.TAG: TagValuesForm,
    Do.UNTAG: TagValuesForm,
}
"""By what is done; setting a field takes the field's own input."""


def build_values_form(asked: EditOperation, model_name: str, field: forms.Field | None, data: Any = None) -> ValuesForm:
    """The form for the values of an operation.

    Args:
        asked: the operation.
        model_name: of the records that were chosen.
        field: of the record's own form; needed where a field is set.
        data: what was sent.
    """
    if asked.do == Do.SET and field is not None:
        return SetForm(field, asked, model_name, data)
    return FORMS[asked.do](asked, model_name, data)


def grouped_choices(
    operations: Iterable[tuple[EditOperation, str]],
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Choices in groups, for operations with their words."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for operation, words in operations:
        group = str(Do(operation.do).label)
        if operation.target:
            group = gettext("Period costs: %(what)s") % {"what": group}
        groups.setdefault(group, []).append((operation.key, words))
    return list(groups.items())
