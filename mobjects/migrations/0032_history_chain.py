"""The chain over the history, its state, and what the door writes."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0037_erasures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoryChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=10)),
                ("row_key", models.CharField(max_length=36)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("sealed", "sealed"),
                            ("changed", "changed through the door"),
                            ("removed", "removed through the door"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HistoryDoor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=255)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HistoryOpen",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=10)),
                ("row_id", models.BigIntegerField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HistorySeal",
            fields=[
                (
                    "number",
                    models.PositiveBigIntegerField(
                        help_text="1, 2, 3, …, without a gap.", primary_key=True, serialize=False
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("sealed", "sealed"),
                            ("changed", "changed through the door"),
                            ("removed", "removed through the door"),
                        ],
                        max_length=8,
                    ),
                ),
                ("table", models.CharField(help_text="A name of mobjects.audit.history_tables.", max_length=10)),
                ("rows", models.JSONField(help_text="Keys of the rows.")),
                (
                    "digests",
                    models.BinaryField(help_text="SHA-256 of each row, one behind the other; of removed rows none."),
                ),
                ("reason", models.CharField(blank=True, help_text="Why the door was opened.", max_length=255)),
                ("username", models.CharField(blank=True, help_text="By whom.", max_length=150)),
                (
                    "previous",
                    models.CharField(help_text="Digest of the link before; empty in the first.", max_length=64),
                ),
                ("digest", models.CharField(help_text="SHA-256 of all of the above and the time.", max_length=64)),
                ("created_at", models.DateTimeField(help_text="By the database's clock.")),
            ],
            options={
                "ordering": ("number",),
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="HistoryState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(default=0, help_text="Of the newest link.")),
                ("digest", models.CharField(blank=True, help_text="Of the newest link.", max_length=64)),
                (
                    "positions",
                    models.JSONField(default=dict, help_text="For each table up to which id all is sealed or open."),
                ),
                (
                    "anchored",
                    models.PositiveBigIntegerField(
                        default=0, help_text="Number of the link that was written out last."
                    ),
                ),
                ("anchored_at", models.DateTimeField(null=True)),
                (
                    "mark",
                    models.JSONField(
                        default=dict, help_text="Ids seen, and the transaction that has to be over for them."
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="syncjob",
            name="sealed_at",
            field=models.DateTimeField(
                editable=False, help_text="When it became a part of the audit's chain.", null=True
            ),
        ),
        migrations.AddIndex(
            model_name="syncjob",
            index=models.Index(condition=models.Q(("sealed_at", None)), fields=["finished_at"], name="job_unsealed"),
        ),
        migrations.AddConstraint(
            model_name="historyopen",
            constraint=models.UniqueConstraint(fields=("table", "row_id"), name="history_open_once"),
        ),
    ]
