"""Schedules may look up IDs, too. Nothing in the database changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0027_language"),
    ]

    operations = [
        migrations.AlterField(
            model_name="schedule",
            name="action",
            field=models.CharField(
                choices=[("send", "Send"), ("pull", "Pull"), ("compare", "Compare"), ("identify", "Look up IDs")],
                default="send",
                max_length=8,
                verbose_name="action",
            ),
        ),
    ]
