"""The language in which a person reads pages, and the zone in which they see times."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation.trans_real import get_languages
from unfold.widgets import UnfoldAdminSelectWidget

from mobjects.zones import zone_names


def zone_choices() -> list[tuple[str, str]]:
    """All zones by name, and first the browser's."""
    return [("", _("That of my browser")), *((name, name) for name in sorted(zone_names()))]


def language_choices() -> list[tuple[str, str]]:
    """All languages, each in its own words, and first the browser's."""
    return [("", _("That of my browser")), *get_languages().items()]


class PersonForm(forms.Form):
    """Two choices; an empty one means what the browser says."""

    language = forms.ChoiceField(
        choices=language_choices,
        required=False,
        label=gettext_lazy("Show pages in"),
        widget=UnfoldAdminSelectWidget(),
    )

    time_zone = forms.ChoiceField(
        choices=zone_choices,
        required=False,
        label=gettext_lazy("Show times in the zone"),
        help_text=gettext_lazy("Hover over a time to see it in UTC."),
        widget=UnfoldAdminSelectWidget(),
    )
