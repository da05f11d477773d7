"""One lease for jobs and imports. An import that is worked on while this runs has none: it is begun anew."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

EXPIRED = "Workers in a row that were cut off."


class Migration(migrations.Migration):
    dependencies = [("mobjects", "0005_batch_identity")]

    operations = [
        migrations.RenameModel("SyncLane", "WorkerLease"),
        migrations.RenameField("workerlease", "started_at", "acquired_at"),
        migrations.RenameField("workerlease", "beat_at", "renewed_at"),
        migrations.AlterField(
            "workerlease", "process", models.CharField(max_length=255, help_text="Host and process number.")
        ),
        migrations.AlterField(
            "workerlease", "renewed_at", models.DateTimeField(db_index=True, help_text="Last sign of life.")
        ),
        migrations.AlterField(
            "workerlease",
            "job",
            models.ForeignKey("mobjects.syncjob", django.db.models.deletion.CASCADE, null=True, related_name="leases"),
        ),
        migrations.AddField(
            "workerlease",
            "imported",
            models.ForeignKey(
                "mobjects.import",
                django.db.models.deletion.CASCADE,
                null=True,
                related_name="leases",
                db_index=False,
            ),
        ),
        migrations.AddConstraint(
            "workerlease",
            models.CheckConstraint(condition=Q(job=None) ^ Q(imported=None), name="lease_of_one"),
        ),
        migrations.AddConstraint(
            "workerlease", models.UniqueConstraint(fields=("imported",), name="lease_import_once")
        ),
        migrations.RenameField("syncbatch", "lane", "lease"),
        migrations.RenameField("syncjob", "wish", "requested_action"),
        migrations.AddField(
            "syncjob", "expired_leases", models.PositiveSmallIntegerField(default=0, help_text=EXPIRED)
        ),
        migrations.RenameField("import", "cut_off", "expired_leases"),
        migrations.AlterField(
            "import", "expired_leases", models.PositiveSmallIntegerField(default=0, help_text=EXPIRED)
        ),
        migrations.RenameField("import", "beat_at", "reported_at"),
        migrations.AlterField(
            "import",
            "reported_at",
            models.DateTimeField(null=True, blank=True, help_text="When it last said how far it is."),
        ),
        migrations.RemoveField("import", "token"),
        migrations.RemoveField("import", "queue_id"),
    ]
