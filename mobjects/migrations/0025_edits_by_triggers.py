"""Edits are written by triggers, for every path; what they need to say who it was."""

from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0024_reasons_and_saved_views"),
    ]

    operations = [
        migrations.CreateModel(
            name="EditContext",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=16)),
                ("username", models.CharField(max_length=150)),
                ("reference", models.CharField(max_length=36)),
                ("saving", models.CharField(max_length=32)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RemoveField(model_name="recordedit", name="label"),
        migrations.RemoveField(model_name="recordedit", name="user"),
        migrations.AddField(
            model_name="recordedit",
            name="reference",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Id of the import, job, conflict, deletion or edit that it came with.",
                max_length=36,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="recordedit",
            name="saving",
            field=models.UUIDField(help_text="The same in all that was saved together.", null=True),
        ),
        migrations.AlterField(
            model_name="recordedit",
            name="created_at",
            field=models.DateTimeField(default=timezone.now, help_text="By the database's clock."),
        ),
        migrations.AlterField(
            model_name="recordedit",
            name="source",
            field=models.CharField(
                choices=[
                    ("form", "Form"),
                    ("grid", "Grid"),
                    ("bulk", "Bulk edit"),
                    ("import", "Import"),
                    ("import_undo", "Undo of an import"),
                    ("pull", "Pull"),
                    ("decision", "Decision"),
                    ("deleted", "Deleted here"),
                    ("restored", "Deletion undone"),
                    ("values", "Values restored"),
                    ("undo", "Sending undone"),
                    ("command", "Command line"),
                    ("api", "API"),
                    ("other", "Outside of these pages"),
                ],
                max_length=16,
            ),
        ),
    ]
