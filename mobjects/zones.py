"""The time zones that a person or a schedule can have."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from functools import cache

NOT_PLACES = frozenset({"Factory", "localtime"})


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones, of this machine and of the package ``tzdata``.

    Python looks through their folders each time that it is asked, which takes longer than most pages of ours.
    """
    return frozenset(zoneinfo.available_timezones() - NOT_PLACES)


def name_zone(here: datetime) -> str:
    """What the zone of a local time is called, such as KST; one without a name of letters by how far it is from UTC."""
    name = here.tzname() or ""
    return name if name.isalpha() else f"UTC{name}"
