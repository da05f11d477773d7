"""The groups may see imports and downloads."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

from mobjects.permissions import extend_groups


def forwards(apps: Any, schema_editor: Any) -> None:
    # Permissions are made after all migrations; the groups need them now.
    config = apps.get_app_config("mobjects")
    config.models_module = True  # a historical app has none, and without one nothing is created
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    extend_groups(
        apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"), ("view_import", "view_download")
    )


class Migration(migrations.Migration):
    dependencies = [("mobjects", "0003_imports")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
