"""The zone in which a person wants to see times."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from mobjects.zones import zone_names


def zone_choices() -> list[tuple[str, str]]:
    """All zones by name, and first the browser's."""
    return [("", "That of my browser"), *((name, name) for name in sorted(zone_names()))]


class TimeZoneForm(forms.Form):
    """One choice."""

    time_zone = forms.ChoiceField(
        choices=zone_choices,
        required=False,
        label="Show times in the zone",
        help_text="Hover over a time to see it in UTC.",
        widget=UnfoldAdminSelectWidget(),
    )
