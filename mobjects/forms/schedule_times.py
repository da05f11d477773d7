"""The times of a schedule in plain choices, beside the cron expression that is kept of them."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldAdminTextInputWidget,
)

from mobjects.jobs.timetables.cron import Timetable, check_cron, check_quiet
from mobjects.jobs.timetables.plain_times import LAST_DAY, MONTH_DAYS, STEPS, WEEKDAYS, PlainTimes, Repeats
from mobjects.zones import zone_names

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

NEEDED: dict[str, tuple[str, StrPromise]] = {
    Repeats.EVERY: ("step", _("Choose how far apart the runs are.")),
    Repeats.DAILY: ("at", _("Give the time of day, such as 08:00.")),
    Repeats.WORKDAYS: ("at", _("Give the time of day, such as 08:00.")),
    Repeats.WEEKLY: ("at", _("Give the time of day, such as 08:00.")),
    Repeats.MONTHLY: ("at", _("Give the time of day, such as 08:00.")),
    Repeats.CRON: ("cron", _("Give a cron expression, such as 0 6 * * 1-5, or choose plain times.")),
}
"""The field without which a choice says nothing, and what to say then."""

SHOWN_FOR: dict[str, str] = {
    "step": "every",
    "at": "daily workdays weekly monthly",
    "weekdays": "weekly",
    "month_day": "monthly",
    "cron": "cron",
}
"""The choices that a field belongs to; the page shows it only then (static/mobjects/schedule.js)."""


def step_choices() -> list[tuple[str, StrPromise | str]]:
    """How far apart runs may be, in minutes below an hour and in hours from there on."""
    minutes = ngettext_lazy("%(count)d minute", "%(count)d minutes", "count")
    hours = ngettext_lazy("%(count)d hour", "%(count)d hours", "count")
    return [(str(step), hours % {"count": step // 60} if step >= 60 else minutes % {"count": step}) for step in STEPS]


class ScheduleTimesForm(forms.Form):
    """When a schedule runs. Whatever is chosen, ``cron`` is the expression for it once the form is valid."""

    repeats = forms.ChoiceField(
        label=_("Repeats"),
        choices=Repeats.choices,
        required=False,
        initial=Repeats.WORKDAYS,
        widget=UnfoldAdminRadioSelectWidget,
    )
    step = forms.ChoiceField(label=_("Every"), choices=step_choices, required=False, widget=UnfoldAdminSelectWidget)
    at = forms.TimeField(
        label=_("At"),
        required=False,
        initial=time(8),
        widget=UnfoldAdminSingleTimeWidget(format="%H:%M"),
        help_text=_("Hour and minute in the schedule's time zone."),
    )
    weekdays = forms.MultipleChoiceField(
        label=_("Days of the week"),
        choices=WEEKDAYS,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    month_day = forms.ChoiceField(
        label=_("Day of the month"),
        choices=[(day, _("Last day") if day == LAST_DAY else day) for day in MONTH_DAYS],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Not every month has a 29th, 30th or 31st: choose the last day instead."),
    )
    cron = forms.CharField(
        label=_("Cron expression"),
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "0 6 * * 1-5"}),
        help_text=_("Minute, hour, day of month, month, day of week: 0 6 * * 1-5"),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(name, name) for name in sorted(zone_names())],
        widget=UnfoldAdminSelectWidget,
        initial="UTC",
        help_text=_("The zone of the hours above, and of the quiet hours."),
    )
    quiet_from = forms.TimeField(
        label=_("Quiet from"),
        required=False,
        widget=UnfoldAdminSingleTimeWidget(format="%H:%M"),
        help_text=_("Nothing is started from then…"),
    )
    quiet_until = forms.TimeField(
        label=_("Quiet until"),
        required=False,
        widget=UnfoldAdminSingleTimeWidget(format="%H:%M"),
        help_text=_("…until then, in the same time zone."),
    )

    SHOWN: ClassVar = ("repeats", *SHOWN_FOR)
    TIMES: ClassVar = (*SHOWN, "time_zone", "quiet_from", "quiet_until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in SHOWN_FOR.items():
            self.fields[name].widget.attrs["data-shown-for"] = choices
        kept = self.initial.get("cron")
        if kept:
            self.initial.update(_initial_choice(kept))

    def clean_cron(self) -> str:
        """One blank between the fields; checked only where it is what was chosen."""
        text = " ".join(self.cleaned_data["cron"].split())
        if text and self._chosen() == Repeats.CRON:
            try:
                check_cron(text)
            except ValueError as error:
                raise ValidationError(str(error)) from error
        return text

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            check_quiet(cleaned.get("quiet_from"), cleaned.get("quiet_until"))
        except ValueError as error:
            self.add_error("quiet_until", str(error))
        chosen = self._chosen()
        needed, words = NEEDED[chosen]
        if not cleaned.get(needed) and needed not in self.errors:
            self.add_error(needed, words)
        if chosen == Repeats.WEEKLY and not cleaned.get("weekdays") and "weekdays" not in self.errors:
            self.add_error("weekdays", gettext("Tick at least one day."))
        if not any(name in self.errors for name in SHOWN_FOR) and chosen != Repeats.CRON:
            cleaned["cron"] = self._plain_times(chosen, cleaned).to_cron()
        return cleaned

    def times(self) -> Timetable:
        """When it runs; of a valid form."""
        data = self.cleaned_data
        return Timetable(data["cron"], data["time_zone"], data["quiet_from"], data["quiet_until"])

    def _chosen(self) -> Repeats:
        """What was chosen; a form that does not say gives an expression, as it was before there was a choice."""
        return Repeats(self.cleaned_data.get("repeats") or Repeats.CRON)

    @staticmethod
    def _plain_times(chosen: Repeats, cleaned: dict[str, Any]) -> PlainTimes:
        if chosen == Repeats.EVERY:
            return PlainTimes(chosen, step=int(cleaned["step"]))
        return PlainTimes(
            chosen,
            at=cleaned["at"],
            weekdays=tuple(cleaned["weekdays"]),
            month_day=cleaned["month_day"] or MONTH_DAYS[0],
        )


def _initial_choice(cron: str) -> dict[str, Any]:
    """What the form begins with for an expression that is kept."""
    plain = PlainTimes.from_cron(cron)
    if plain is None:
        return {"repeats": Repeats.CRON}
    return {
        "repeats": plain.repeats,
        "step": str(plain.step),
        "at": plain.at,
        "weekdays": list(plain.weekdays),
        "month_day": plain.month_day,
    }
