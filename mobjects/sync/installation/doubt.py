"""Whether the database still is what this installation last worked with, or was restored or copied."""

from __future__ import annotations

from django.db.models import Max
from django.utils.translation import gettext_noop as _

from mobjects.models import Installation, SyncBatch
from mobjects.sync.installation import marks
from mobjects.sync.installation.identity import read_place

DOUBTED = _("It may have been sent after the backup was made that this database comes from.")
"""Said of a record that counts as sent without an answer, though nothing here knows of such a sending."""


def find_doubt(installation: Installation) -> str:
    """Why the database may have been restored or copied, as sentences; "" if all fits together.

    Raises:
        RedisError: Redis cannot be asked, and without it nothing is sent.
    """
    last = last_call()
    mark = marks.read_mark(installation.identity)
    if mark is not None and mark > last:
        return _(
            "This database was restored from a backup: the last call to Marketo that it knows has the "
            "number %(last)s, but %(mark)s is known outside it."
        ) % {"last": f"{last:,}", "mark": f"{mark:,}"}
    place = read_place()
    if installation.place and place and installation.place != place:
        return _("This database is a copy, or was moved: it is not where it was when it was last used.")
    if mark is None and installation.is_marked:
        return _(
            "This database was copied, or Redis has lost its data: neither Redis nor this host knows the installation "
            "that it belongs to."
        )
    return ""


def last_call() -> int:
    """The number of the last call to Marketo that this database knows."""
    return SyncBatch.objects.aggregate(last=Max("pk"))["last"] or 0
