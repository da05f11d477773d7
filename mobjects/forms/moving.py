"""The form that asks which ids to look up in Marketo, and by which field."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import CHECKBOX_CLASSES

from mobjects.forms.pull import ExactTextField
from mobjects.forms.sync import IdsField, reason_field
from mobjects.models import Kind, MarketoField
from mobjects.models.sync_history import KIND_CHOICES
from mobjects.sync.content.gaps import LOOKED_UP, kinds_without_numbers
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.pull.identify.task import IdentifySelection

NOT_NEEDED = _(
    "The API in use calls all objects by numbers, which Marketo tells with every answer: there is nothing to look up."
)


class IdentifyForm(forms.Form):
    """Kinds, or some records of one, and the field of opportunities in Marketo that holds our external ID."""

    kinds = forms.MultipleChoiceField(
        choices=[(value, label) for value, label in KIND_CHOICES if value in LOOKED_UP],
        widget=forms.CheckboxSelectMultiple(attrs={"class": " ".join(CHECKBOX_CLASSES)}),
        error_messages={"required": _("Tick at least one kind.")},
    )
    ids = IdsField(required=False)
    key_field = ExactTextField(_("Field with our external ID"), list="mo-fields")
    reason = reason_field()

    def __init__(self, data: Mapping[str, Any], keys: KeyFields) -> None:
        super().__init__(data)
        self.keys = keys
        self.fields["key_field"].help_text = gettext(
            "The field of opportunities in Marketo that holds it; %(field)s if empty. Name a custom field "
            "if it was kept there before."
        ) % {"field": keys.opportunity or gettext("the one in use")}

    def clean_key_field(self) -> str:
        """The field; "" for the one in use. Checked against what was read of the instance, if anything was."""
        name: str = self.cleaned_data["key_field"]
        if name.casefold() == self.keys.opportunity.casefold():
            return ""
        known = known_fields()
        if not name or not known or name.casefold() in {each.casefold() for each in known}:
            return name
        near = get_close_matches(name, known, n=3)
        hint = (
            gettext(" Near it are: %(near)s.") % {"near": ", ".join(near)}
            if near
            else gettext(" Read the fields again if it is new.")
        )
        raise forms.ValidationError(
            gettext("Opportunities in Marketo have no field “%(name)s”.%(hint)s") % {"name": name, "hint": hint}
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not kinds_without_numbers(self.keys):
            raise forms.ValidationError(NOT_NEEDED)
        if not self.errors:
            kinds = tuple(kind for kind in LOOKED_UP if kind.value in cleaned["kinds"])
            try:
                cleaned["look_up"] = IdentifySelection(kinds, cleaned["ids"], cleaned["key_field"])
            except ValueError:
                self.add_error(None, gettext("IDs can be given for one kind at a time: name opportunities or roles."))
        return cleaned


def known_fields() -> list[str]:
    """API names of the fields of opportunities, as they were last read from the instance."""
    found = MarketoField.objects.filter(kind=Kind.OPPORTUNITY.value).order_by("name")
    return list(found.values_list("name", flat=True))
