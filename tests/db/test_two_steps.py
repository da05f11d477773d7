"""Migrations in two steps: processes of the release before run beside the new schema and go on."""

from __future__ import annotations

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from mobjects.db.schema_version import APP
from tests.support.two_steps import find_breaking_steps

ONE_STEP = "0027"
"""Up to this migration all processes had to be stopped."""

SECOND_STEPS: dict[str, str] = {}
"""Migrations that take away what the release before does not use any more: the release whose first step saw to that."""

LOADER = MigrationLoader(None)
LATER = sorted(name for app, name in LOADER.disk_migrations if app == APP and name[:4] > ONE_STEP)


@pytest.mark.parametrize("name", LATER)
def test_the_release_before_goes_on_beside_a_migration(name):
    migration = LOADER.get_migration(APP, name)
    before = LOADER.project_state((APP, name), at_end=False)
    found = find_breaking_steps(migration, before)
    assert bool(found) == (name in SECOND_STEPS), found or f"{name} needs no entry in SECOND_STEPS"


def breaking(*operations):
    state = ProjectState()
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=50, null=True)),
        ("size", models.IntegerField(db_default=0)),
    ]
    state.add_model(ModelState(APP, "Thing", fields))
    migration = migrations.Migration("x", APP)
    migration.operations = list(operations)
    return find_breaking_steps(migration, state)


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("thing", "color", models.CharField(max_length=5, default="")),
        migrations.AlterField("thing", "name", models.CharField(max_length=50)),
        migrations.AlterField("thing", "name", models.CharField(max_length=50, null=True, unique=True)),
        migrations.AlterField("thing", "name", models.CharField(max_length=20, null=True)),
        migrations.AlterField("thing", "size", models.IntegerField()),
        migrations.RemoveField("thing", "name"),
        migrations.RenameField("thing", "name", "title"),
        migrations.RenameModel("Thing", "Other"),
        migrations.AlterModelTable("thing", "elsewhere"),
        migrations.DeleteModel("Thing"),
        migrations.AddConstraint("thing", models.UniqueConstraint(fields=["name"], name="once")),
        migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("thing", "name")]),
    ],
    ids=[
        "default",
        "not null",
        "unique",
        "shorter",
        "no db_default",
        "remove",
        "rename",
        "rename model",
        "rename table",
        "delete",
        "constraint",
        "hidden",
    ],
)
def test_a_step_that_breaks_the_release_before_is_found(operation):
    (said,) = breaking(operation)
    assert "the release before" in said


@pytest.mark.parametrize(
    "operations",
    [
        [migrations.AddField("thing", "color", models.CharField(max_length=5, null=True))],
        [migrations.AddField("thing", "color", models.CharField(max_length=5, db_default=""))],
        [migrations.AlterField("thing", "name", models.CharField(max_length=90, null=True, verbose_name="title"))],
        [migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("thing", "name")])],
        [
            migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True))]),
            migrations.AddField("new", "color", models.CharField(max_length=5, default="")),
            migrations.AddConstraint("new", models.UniqueConstraint(fields=["color"], name="once")),
        ],
    ],
    ids=["null", "db_default", "wider", "state only", "new table"],
)
def test_a_step_that_it_survives_is_not(operations):
    assert breaking(*operations) == []
