"""How the values of a file are written: what was found, what a person said, and what is remembered for the next one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mobjects", "0008_record_edits")]

    operations = [
        migrations.AddField(
            "import",
            "formats",
            models.JSONField(blank=True, default=dict, help_text="How values are written, where a person said so."),
        ),
        migrations.AddField(
            "import",
            "format_findings",
            models.JSONField(blank=True, default=list, help_text="How values are written, as the check found."),
        ),
        migrations.AddField(
            "savedmapping",
            "formats",
            models.JSONField(default=dict, help_text="How values were written in the last such file."),
        ),
        migrations.AddField(
            "importfix",
            "by_rule",
            models.BooleanField(
                default=False,
                help_text="The value is a rule; each cell that breaks it becomes what is suggested for it.",
            ),
        ),
    ]
