"""The id of the request that asked for a job, which stands in the log. Old and new programs may run beside each other."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0030_manage_users"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncjob",
            name="request_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Stands in each line of the log about it.",
                max_length=64,
            ),
        ),
    ]
