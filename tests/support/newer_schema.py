"""A database that a later release has migrated."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from mobjects.db.schema_version import APP

LATER = "9999_of_a_later_release"


def migrate_to_later_release(name: str = LATER) -> None:
    """Write down that a migration of a later release was applied."""
    MigrationRecorder(connection).record_applied(APP, name)


def migrate_back(name: str = LATER) -> None:
    """Take that back; a test that commits has to."""
    MigrationRecorder(connection).record_unapplied(APP, name)
