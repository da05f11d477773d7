"""The form that asks before a sending is taken back."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from mobjects.forms.sync import reason_field, tick


class UndoForm(forms.Form):
    """Why, and whether Marketo is read first."""

    read_first = tick(
        _("Read each record in Marketo first"),
        _(
            "What was changed there since then waits for your decision instead of being overwritten. Takes more calls, "
            "at worst one for each record."
        ),
    )
    reason = reason_field()
