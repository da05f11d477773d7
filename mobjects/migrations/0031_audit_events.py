"""Who did what beside changing records."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0028_schedules_look_up"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        max_length=24,
                        verbose_name="kind",
                    ),
                ),
                ("person_id", models.CharField(blank=True, help_text="Id of the user then, as text.", max_length=40)),
                (
                    "username",
                    models.CharField(
                        blank=True,
                        help_text="Of a failed sign-in, the name that was tried.",
                        max_length=150,
                        verbose_name="user",
                    ),
                ),
                (
                    "address",
                    models.CharField(blank=True, help_text="From where, by IP.", max_length=45, verbose_name="address"),
                ),
                (
                    "model",
                    models.CharField(
                        blank=True, help_text="What it was done to, by the name of its model.", max_length=40
                    ),
                ),
                ("object_id", models.CharField(blank=True, max_length=40)),
                (
                    "words",
                    models.CharField(blank=True, help_text="What that was called then, in English.", max_length=255),
                ),
                ("detail", models.JSONField(blank=True, default=dict, help_text="More about it, without secrets.")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="By the database's clock.",
                        verbose_name="time",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit event",
                "verbose_name_plural": "audit events",
                "ordering": ("-pk",),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["kind", "-id"], name="audit_kind_newest"),
                    models.Index(fields=["username", "-id"], name="audit_person_newest"),
                    models.Index(fields=["model", "object_id", "-id"], name="audit_object_newest"),
                    models.Index(fields=["created_at"], name="audit_created"),
                ],
            },
        ),
    ]
