"""The times of a schedule in words."""

from __future__ import annotations

from django.utils.translation import gettext, ngettext

from mobjects.jobs.timetables.plain_times import LAST_DAY, WEEKDAYS, PlainTimes, Repeats


def describe_times(cron: str) -> str:
    """An expression as “Monday to Friday at 08:00”; "" where there are no plain words for it."""
    plain = PlainTimes.from_cron(cron)
    if plain is None:
        return ""
    if plain.repeats == Repeats.EVERY:
        return _describe_step(plain.step)
    at = {"at": f"{plain.at:%H:%M}"}
    if plain.repeats == Repeats.DAILY:
        return gettext("Every day at %(at)s") % at
    if plain.repeats == Repeats.WORKDAYS:
        return gettext("Monday to Friday at %(at)s") % at
    if plain.repeats == Repeats.WEEKLY:
        days = ", ".join(str(name) for number, name in WEEKDAYS if number in plain.weekdays)
        return gettext("%(days)s at %(at)s") % {"days": days, **at}
    if plain.month_day == LAST_DAY:
        return gettext("On the last day of each month at %(at)s") % at
    return gettext("On day %(day)s of each month at %(at)s") % {"day": plain.month_day, **at}


def _describe_step(minutes: int) -> str:
    if minutes < 60:
        return ngettext("Every minute", "Every %(count)d minutes", minutes) % {"count": minutes}
    hours = minutes // 60
    return ngettext("Every hour", "Every %(count)d hours", hours) % {"count": hours}
