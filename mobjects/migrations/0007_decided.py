"""What was called "settled" is called by what it is: a conflict is decided, an unknown outcome is looked up."""

from typing import Any

import django.db.models
from django.contrib.auth.management import create_permissions
from django.db import migrations, models

from mobjects.permissions import extend_groups


def forwards(apps: Any, schema_editor: Any) -> None:
    apps.get_model("mobjects", "SyncResult").objects.filter(status="SETTLED").update(status="LOOKED_UP")
    permissions = apps.get_model("auth", "Permission")
    permissions.objects.filter(content_type__app_label="mobjects", codename="settle_conflict").update(
        codename="decide_conflict"
    )
    # A group that was made just now has looked for the permission under its new name.
    config = apps.get_app_config("mobjects")
    config.models_module = True  # a historical app has none, and without one nothing is created
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    extend_groups(apps.get_model("auth", "Group"), permissions, ("decide_conflict",))


class Migration(migrations.Migration):
    dependencies = [("mobjects", "0006_worker_lease")]

    operations = [
        migrations.AlterModelOptions(
            name="conflict",
            options={
                "default_permissions": ("view",),
                "ordering": ("-created_at", "-pk"),
                "permissions": (("decide_conflict", "Can decide conflicts"),),
            },
        ),
        migrations.RemoveConstraint(model_name="conflict", name="conflict_one_open"),
        migrations.RenameField(model_name="conflict", old_name="settled_at", new_name="decided_at"),
        migrations.AddConstraint(
            model_name="conflict",
            constraint=models.UniqueConstraint(
                condition=django.db.models.Q(("decided_at__isnull", True)),
                fields=("kind", "record_id"),
                name="conflict_one_open",
            ),
        ),
        migrations.AlterField(
            model_name="syncresult",
            name="status",
            field=models.CharField(
                choices=[
                    ("PENDING", "In a batch"),
                    ("CREATED", "Created"),
                    ("UPDATED", "Updated"),
                    ("UNCHANGED", "Unchanged"),
                    ("SKIPPED", "Skipped"),
                    ("FAILED", "Failed"),
                    ("UNKNOWN", "Outcome unknown"),
                    ("HELD", "Held back"),
                    ("EQUAL", "Nothing to send"),
                    ("NOT_SENT", "Not applied"),
                    ("RETRIED", "Tried again"),
                    ("LOOKED_UP", "Looked up"),
                    ("DELETED", "Deleted in Marketo"),
                    ("ADDED", "New here"),
                    ("TAKEN", "Taken from Marketo"),
                    ("SAME", "No difference"),
                    ("DIFFERS", "Differs from Marketo"),
                    ("MISSING", "Not in Marketo"),
                    ("CONFLICT", "Needs a decision"),
                ],
                default="PENDING",
                max_length=9,
            ),
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
