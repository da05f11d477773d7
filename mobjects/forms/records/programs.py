"""The forms of programs, their costs and tags."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from mobjects.forms.merging import MergingForm
from mobjects.forms.merging_rows import MergingFormSet
from mobjects.forms.records.fields import AttributeField, MonthField
from mobjects.marketo.attributes import MarketoAttribute
from mobjects.marketo.types import DataType
from mobjects.models import AllowedValues, ProgramTag
from mobjects.models.program import CHANNEL_TAG

AMOUNT = MarketoAttribute("Amount", "Amount", DataType.CURRENCY)


class CostForm(MergingForm):
    """A period cost, with the month as YYYY-MM."""

    month = MonthField(
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "YYYY-MM", "size": 8, "aria-label": _("Month")}),
        label=_("Month"),
    )
    amount = AttributeField(
        attribute=AMOUNT,
        widget=UnfoldAdminTextInputWidget(attrs={"size": 12, "aria-label": _("Amount")}),
        label=_("Amount"),
    )

    class Meta:
        widgets: ClassVar[dict[str, Any]] = {"note": UnfoldAdminTextareaWidget(attrs={"rows": 1})}


def refuse_unknown_tag(form: Any, allowed: AllowedValues) -> None:
    """Add an error to a tag's form if Marketo does not know the tag.

    A row that nobody touched is let through: what stands in Marketo already may be offered there no more.
    """
    if not form.has_changed() or form.errors:
        return
    name, value = form.cleaned_data.get("type", ""), form.cleaned_data.get("value", "")
    if problem := allowed.find_problem(name, value):
        form.add_error("value" if allowed.values_of_type(name) else "type", problem)


class ProgramForm(MergingForm):
    """Refuses a new channel that Marketo does not know; of an old one it says so."""

    @staticmethod
    def read_allowed() -> AllowedValues:
        """What Marketo knows; a page puts what it read once in the place of this."""
        return AllowedValues()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("channel")
        if field is not None:
            problem = self.read_allowed().find_problem(CHANNEL_TAG, self.instance.channel)
            field.help_text = f"{problem} {field.help_text}".strip()

    def clean_channel(self) -> str:
        channel: str = self.cleaned_data["channel"]
        if channel != self.instance.channel and (problem := self.read_allowed().find_problem(CHANNEL_TAG, channel)):
            raise ValidationError(problem)
        return channel


class TagForm(MergingForm):
    """One tag on a page of its own."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        refuse_unknown_tag(self, AllowedValues())
        return cleaned


class TagFormSet(MergingFormSet):
    """Refuses a second tag of a type in words; Django leaves that to the database, which only fails."""

    def clean(self) -> None:
        super().clean()
        live = [form for form in self.forms if form not in self.deleted_forms]
        seen = self._types_elsewhere()
        allowed = AllowedValues() if any(form.has_changed() for form in live) else None
        for form in live:
            if allowed is not None:
                refuse_unknown_tag(form, allowed)
            name = form.cleaned_data.get("type", "").casefold()
            if name in seen:
                form.add_error("type", gettext("This program already has a tag of this type."))
            elif name and form.instance.pk and name in self._types_of_others(form):
                # Rows are saved one after the other, so the other one would still hold the type.
                form.add_error("type", gettext("Another row has this type; change the value there."))
            seen.add(name)

    def _types_elsewhere(self) -> set[str]:
        """Types of the program's tags that stand on other pages of the rows, or came in meanwhile."""
        here = [form.instance.pk for form in self.initial_forms if form.instance.pk]
        others = ProgramTag.objects.filter(program=self.instance.pk).exclude(pk__in=here)
        return {name.casefold() for name in others.values_list("type", flat=True)}

    def _types_of_others(self, form: Any) -> set[str]:
        return {other.initial["type"].casefold() for other in self.initial_forms if other is not form}
