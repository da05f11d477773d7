"""Rows of imports keep a GUID of Marketo's, to find it twice in a file."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mobjects", "0018_channel_rows"),
    ]

    operations = [
        migrations.AddField(
            model_name="importrow",
            name="marketo_guid",
            field=models.CharField(
                blank=True, default="", help_text="Marketo's GUID in the row, to find it twice.", max_length=36
            ),
        ),
    ]
