"""Whether the database is newer than this program: a later release has migrated it while processes of this one run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import Error, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_noop as _

APP = "mobjects"
KNOWN = sorted(file.stem for file in (Path(__file__).parent.parent / "migrations").glob("[0-9]*.py"))
"""The migrations that this program knows. Read as the process starts: its files may be replaced under it."""

NEWEST = KNOWN[-1]
"""What to call this program's release."""

NEWER = _("The database was brought to a newer version of this program; a worker of that version goes on.")
"""What a job waits for that such a worker has left."""


class SchemaNewer(Exception):
    """The database is newer than this program, which should not write to it. Says so as a sentence."""


def later_migrations() -> QuerySet[Any]:
    """The migrations of a later release, as rows of Django's own table.

    What is unknown and was applied before one that is known is an old one that was squashed since.
    """
    ours: QuerySet[Any] = MigrationRecorder.Migration.objects.filter(app=APP)
    last_known = ours.filter(name__in=KNOWN).order_by().values("app").annotate(last=Max("id")).values("last")
    return ours.exclude(name__in=KNOWN).filter(id__gt=last_known)


def find_later_migration() -> str:
    """The last migration of a later release, or "" if there is none.

    Raises:
        django.db.Error: the database cannot be asked.
    """
    return later_migrations().order_by("id").values_list("name", flat=True).last() or ""


def check_schema() -> None:
    """See that the database is not newer than this program.

    Raises:
        SchemaNewer: it is.
        django.db.Error: the database cannot be asked.
    """
    if find_later_migration():
        raise SchemaNewer(_("The database was brought to a newer version of this program than the one that runs here."))


def broke_on_newer_schema() -> bool:
    """Whether what has just broken may have broken because the database is newer; ``False`` if it cannot be asked."""
    if connection.in_atomic_block and connection.needs_rollback:
        return False
    try:
        return bool(find_later_migration())
    except Error:
        return False
