"""Which revision the last answer was about, so that a refused record that was corrected can say so; and the time zone
in which a person sees times.
"""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

KINDS = ("Program", "Opportunity", "OpportunityPersonRole")


def forwards(apps: Any, schema_editor: Any) -> None:
    """Take the revision from the history; without one, the record as it is now is what was refused."""
    results = apps.get_model("mobjects", "SyncResult").objects.filter(status__in=("FAILED", "SKIPPED"))
    for name in KINDS:
        sent = results.filter(kind=name, record_id=OuterRef("pk")).order_by("-pk").values("revision")[:1]
        refused = apps.get_model("mobjects", name).objects.filter(last_status__in=("FAILED", "SKIPPED"))
        refused.update(answered_revision=Coalesce(Subquery(sent), F("revision")))


def field() -> Any:
    return models.PositiveIntegerField(
        default=0, editable=False, help_text="The revision that the last answer was about."
    )


class Migration(migrations.Migration):
    dependencies = [("mobjects", "0015_cost_of_month"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        *(migrations.AddField(model_name=name.lower(), name="answered_revision", field=field()) for name in KINDS),
        migrations.CreateModel(
            name="PersonSettings",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=models.CASCADE,
                        primary_key=True,
                        related_name="person_settings",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(blank=True, help_text="Name of a zone, such as Asia/Seoul.", max_length=50),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunPython(forwards, migrations.RunPython.noop),
    ]
