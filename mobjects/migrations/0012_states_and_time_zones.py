"""Which revision the last answer was about, so that a refused record that was corrected can say so; the time zone
in which a person sees times; and deletions of many records.
"""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

KINDS = ("Program", "Opportunity", "OpportunityPersonRole")


def forwards(apps: Any, schema_editor: Any) -> None:
    """Take the revision from the history; without one, the record as it is now is what was refused."""
    results = apps.get_model("mobjects", "SyncResult").objects.filter(status__in=("FAILED", "SKIPPED"))
    for name in KINDS:
        sent = results.filter(kind=name, record_id=OuterRef("pk")).order_by("-pk").values("revision")[:1]
        refused = apps.get_model("mobjects", name).objects.filter(last_status__in=("FAILED", "SKIPPED"))
        refused.update(answered_revision=Coalesce(Subquery(sent), F("revision")))


def field() -> Any:
    return models.PositiveIntegerField(
        default=0, editable=False, help_text="The revision that the last answer was about."
    )


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0011_header_row_and_blanks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(migrations.AddField(model_name=name.lower(), name="answered_revision", field=field()) for name in KINDS),
        migrations.CreateModel(
            name="PersonSettings",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=models.CASCADE,
                        primary_key=True,
                        related_name="person_settings",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(blank=True, help_text="Name of a zone, such as Asia/Seoul.", max_length=50),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="BulkDeletion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Not confirmed"),
                            ("deleting", "Deleting"),
                            ("deleted", "Deleted"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                        ],
                        default="asked",
                        max_length=8,
                    ),
                ),
                ("model", models.CharField(help_text="Which records, by the name of their model.", max_length=30)),
                ("filters", models.TextField(blank=True, help_text="What the list was narrowed to, in words.")),
                (
                    "records",
                    models.JSONField(
                        default=list, help_text="[our own id, what stood for it when it was shown] of each."
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, help_text="How many of them were dealt with.")),
                (
                    "counts",
                    models.JSONField(default=dict, help_text="Of these: deleted, left, and why they were left."),
                ),
                ("undone", models.JSONField(default=dict, help_text="What the undo did: restored, left.")),
                ("username", models.CharField(blank=True, max_length=150)),
                ("undone_by", models.CharField(blank=True, max_length=150)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("step_at", models.DateTimeField(blank=True, help_text="When a chunk was done last.", null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DeletedRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(max_length=30)),
                ("record_id", models.BigIntegerField(help_text="Our own id, which it gets back.")),
                ("label", models.CharField(max_length=255)),
                ("values", models.JSONField(help_text="All columns, by name.")),
                (
                    "restored",
                    models.BooleanField(help_text="Whether the undo brought it back; empty before.", null=True),
                ),
                ("note", models.TextField(blank=True, help_text="Why it was not.")),
                (
                    "deletion",
                    models.ForeignKey(
                        db_index=False, on_delete=models.CASCADE, related_name="deleted", to="mobjects.bulkdeletion"
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "default_permissions": (),
                "indexes": [models.Index(fields=["deletion", "restored", "id"], name="deleted_of_deletion")],
            },
        ),
        migrations.AlterField(
            model_name="recordedit",
            name="source",
            field=models.CharField(
                choices=[
                    ("form", "Form"),
                    ("deleted", "Deleted here"),
                    ("decision", "Decision"),
                    ("restored", "Deletion undone"),
                ],
                max_length=16,
            ),
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
