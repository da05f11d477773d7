"""When a schedule runs: a cron expression in a time zone, outside quiet hours."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import islice

from croniter import croniter
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from mobjects.zones import zone_names

EXAMPLE = _("such as “0 6 * * 1-5” for 06:00 from Monday to Friday")
FIELDS = (_("minute"), _("hour"), _("day of month"), _("month"), _("day of week"))
# croniter's own additions: drawn by lot, the same run would come at another time on each look.
_BY_LOT = re.compile(r"^[RH]", re.IGNORECASE)
_RANGE = re.compile(r"(\w+)-(\w+)(/\d+)?")


@dataclass(frozen=True, slots=True)
class Timetable:
    """The times at which something is to run.

    A time that the change to summer time leaves out runs an hour later by the clock on the wall; a time that
    comes twice when summer time ends runs once, the first time. What falls into quiet hours is put off to
    their end, all of it as one run.

    Args:
        cron: five fields, read in ``zone``.
        zone: name of a time zone, as ``Europe/Berlin``.
        quiet_from, quiet_until: both or neither; midnight may lie between them.

    Raises:
        ValueError: one of them is wrong; the text says which.
    """

    cron: str
    zone: str = "UTC"
    quiet_from: time | None = None
    quiet_until: time | None = None

    def __post_init__(self) -> None:
        check_zone(self.zone)
        check_cron(self.cron)
        check_quiet(self.quiet_from, self.quiet_until)

    def runs(self, after: datetime) -> Iterator[datetime]:
        """All times later than ``after``, in order and without end; in UTC."""
        while True:
            after = self.put_off(self._next(after))
            yield after

    def next(self, after: datetime) -> datetime:
        """The first time later than ``after``."""
        return next(self.runs(after))

    def first(self, count: int, after: datetime) -> list[datetime]:
        """The first ``count`` times later than ``after``."""
        return list(islice(self.runs(after), count))

    def put_off(self, at: datetime) -> datetime:
        """The end of the quiet hours that ``at`` falls into; ``at`` itself outside of them."""
        if self.quiet_from is None or self.quiet_until is None:
            return at
        local = at.astimezone(zoneinfo.ZoneInfo(self.zone))
        clock, day = local.time(), local.date()
        if self.quiet_from < self.quiet_until:
            quiet = self.quiet_from <= clock < self.quiet_until
        else:
            quiet = clock >= self.quiet_from or clock < self.quiet_until
            day += timedelta(days=clock >= self.quiet_from)
        if not quiet:
            return at
        end = datetime.combine(day, self.quiet_until, local.tzinfo).replace(fold=local.fold)
        return end.astimezone(UTC)

    def words(self, at: datetime) -> str:
        """A time as people read it: ``Mon 2026-03-02 06:00 Europe/Berlin``."""
        return f"{at.astimezone(zoneinfo.ZoneInfo(self.zone)):%a %Y-%m-%d %H:%M} {self.zone}"

    def _next(self, after: datetime) -> datetime:
        zone = zoneinfo.ZoneInfo(self.zone)
        local = after.astimezone(zone)
        # What the wall's clock has just left out comes later, and may be due still.
        left_out = _offset(local) - _offset((after - timedelta(days=1)).astimezone(zone))
        # Stepped on the wall's clock: each of its times is met once, whatever summer time does.
        begin = local.replace(tzinfo=None) - max(left_out, timedelta(0))
        times = croniter(_read_ranges(self.cron), begin)
        soonest: datetime | None = None
        while True:
            wall: datetime = times.get_next(datetime)
            # One that is left out comes later by the wall's clock, too; others may come before it.
            if soonest is not None and wall >= soonest.astimezone(zone).replace(tzinfo=None):
                return soonest
            at = wall.replace(tzinfo=zone).astimezone(UTC)
            # In the repeated hour the wall's clock is behind: its times have been.
            if at > after and (soonest is None or at < soonest):
                soonest = at


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta(0)


def _read_ranges(text: str) -> str:
    """The expression with each range from a value to itself, as ``9-9``, written as that value.

    cron runs ``0 9-9 * * *`` at nine; croniter takes such a range for the whole field and would run it each hour.
    """
    return " ".join(
        ",".join(_read_range(item, croniter.ALPHACONV[position]) for item in part.split(","))
        for position, part in enumerate(text.split())
    )


def _read_range(item: str, numbers: dict[str, int]) -> str:
    found = _RANGE.fullmatch(item.lower())
    if found is None:
        return item
    first, last = (str(numbers.get(end, end)).lstrip("0") or "0" for end in found.groups()[:2])
    return first if first == last else item


def check_cron(text: str) -> None:
    """Refuse what is not a cron expression of five fields that comes true some time.

    Raises:
        ValueError: the text says what is wrong and shows an example.
    """
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ValueError(
            gettext("“%(text)s” has %(fields)s; a cron expression has five, %(example)s: %(order)s.")
            % {
                "text": text,
                "fields": ngettext("%(count)s field", "%(count)s fields", len(parts)) % {"count": len(parts)},
                "example": EXAMPLE,
                "order": ", ".join(map(str, FIELDS)),
            }
        )
    for position, name in enumerate(FIELDS):
        single = ["*"] * len(FIELDS)
        single[position] = parts[position]
        if _BY_LOT.match(parts[position]) or not croniter.is_valid(" ".join(single)):
            raise ValueError(
                gettext("“%(part)s” is not a valid %(name)s in “%(text)s”; it should look %(example)s.")
                % {"part": parts[position], "name": name, "text": text, "example": EXAMPLE}
            )
    try:
        croniter(_read_ranges(text), datetime(2026, 1, 1)).get_next()  # noqa: DTZ001 -- only whether it comes at all
    except ValueError:
        raise ValueError(
            gettext("“%(text)s” never comes: there is no such day. It should look %(example)s.")
            % {"text": text, "example": EXAMPLE}
        ) from None


def check_zone(name: str) -> None:
    """Refuse a name that is no time zone.

    Raises:
        ValueError: with an example.
    """
    if name not in zone_names():
        raise ValueError(
            gettext("“%(name)s” is not a known time zone; it should look like “Europe/Berlin” or “UTC”.")
            % {"name": name}
        )


def check_quiet(begin: time | None, end: time | None) -> None:
    """Refuse half of the quiet hours, and quiet hours of no length.

    Raises:
        ValueError: the text says what is missing.
    """
    if (begin is None) != (end is None):
        raise ValueError(gettext("Quiet hours need both a beginning and an end, or neither."))
    if begin is not None and begin == end:
        raise ValueError(
            gettext("Quiet hours from %(begin)s until %(end)s have no length; leave both empty for none.")
            % {"begin": f"{begin:%H:%M}", "end": f"{end:%H:%M}"}
        )
