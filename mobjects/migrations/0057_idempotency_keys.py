"""Forms and requests of the API that are sent twice are done once."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0056_new_notices"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of whose key it is, and of the key.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "asked",
                    models.CharField(
                        blank=True, help_text="SHA-256 of what was asked for, if that is no part.", max_length=64
                    ),
                ),
                ("led_to", models.TextField(help_text="What came of it: an address of a page, or an id.")),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]
