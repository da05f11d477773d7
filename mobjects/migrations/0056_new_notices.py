"""Notices that could not be chosen so far are told to those who have chosen: they never said that they do not want them."""

from typing import Any

from django.db import migrations
from django.db.models import Q

LONG_WORK, APPROVAL_WAITS = "long_work", "approval_waits"
_PATHS = ("groups__permissions", "user_permissions")


def add_new_events(apps: Any, schema_editor: Any) -> None:
    """To the inbox of whoever has anything there: long work, and what others decided to those who could not choose it."""
    users = apps.get_model("auth", "User").objects
    right = {"codename": "approve_work", "content_type__app_label": "mobjects"}
    by_group, own = ({f"{path}__{name}": value for name, value in right.items()} for path in _PATHS)
    could_choose = set(users.filter(Q(is_superuser=True) | Q(**by_group) | Q(**own)).values_list("pk", flat=True))
    for choice in apps.get_model("mobjects", "NoticeChoice").objects.all():
        new = [LONG_WORK] if choice.pk in could_choose else [LONG_WORK, APPROVAL_WAITS]
        if choice.inbox:
            choice.inbox = [*choice.inbox, *(event for event in new if event not in choice.inbox)]
            choice.save(update_fields=["inbox"])


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("mobjects", "0055_indexes_of_filled_columns"),
    ]

    operations = [
        migrations.RunPython(add_new_events, migrations.RunPython.noop),
    ]
