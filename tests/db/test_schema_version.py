"""Whether the database is newer than this program."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from mobjects.db import schema_version
from tests.support.newer_schema import LATER, migrate_to_later_release

pytestmark = pytest.mark.django_db


def test_a_database_that_this_program_migrated_is_not_newer():
    schema_version.check_schema()
    assert schema_version.find_later_migration() == ""


def test_a_migration_of_a_later_release_makes_it_newer():
    migrate_to_later_release()
    assert schema_version.find_later_migration() == LATER
    with pytest.raises(schema_version.SchemaNewer, match="newer version of this program"):
        schema_version.check_schema()


def test_old_migrations_that_were_squashed_and_those_of_others_do_not():
    recorder = schema_version.MigrationRecorder
    recorder.Migration.objects.create(id=-1, app=schema_version.APP, name="0001_squashed_since", applied=timezone.now())
    schema_version.MigrationRecorder(connection).record_applied("auth", LATER)
    assert schema_version.find_later_migration() == ""


def test_the_migrations_known_are_those_that_django_knows():
    on_disk = {name for app, name in MigrationLoader(None).disk_migrations if app == schema_version.APP}
    assert set(schema_version.KNOWN) == on_disk


def test_inside_a_transaction_that_broke_nobody_can_tell():
    migrate_to_later_release()
    assert schema_version.broke_on_newer_schema()
    with transaction.atomic():
        transaction.set_rollback(True)
        assert not schema_version.broke_on_newer_schema()
