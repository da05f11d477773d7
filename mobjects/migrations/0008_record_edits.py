"""What people change about records is kept, value by value."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0007_decided"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RecordEdit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("Program", "Programs"),
                            ("Opportunity", "Opportunities"),
                            ("OpportunityPersonRole", "Opportunity person roles"),
                        ],
                        max_length=21,
                    ),
                ),
                ("record_id", models.BigIntegerField(help_text="Our own id of the record, which may be gone.")),
                ("label", models.CharField(max_length=255)),
                ("changes", models.JSONField(default=list)),
                (
                    "source",
                    models.CharField(
                        choices=[("form", "Form"), ("deleted", "Deleted here"), ("decision", "Decision")], max_length=16
                    ),
                ),
                (
                    "username",
                    models.CharField(blank=True, help_text="Stays when the person is deleted.", max_length=150),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-pk",),
                "default_permissions": (),
                "indexes": [models.Index(fields=["kind", "record_id", "-id"], name="record_edit_record")],
            },
        ),
    ]
