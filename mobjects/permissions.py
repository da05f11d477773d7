"""The three groups that come with the app and what each may do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

RECORD_MODELS = ("program", "programcost", "programtag", "opportunity", "opportunitypersonrole")
READ_ONLY_MODELS = (
    "customfield",
    "marketofield",
    "allowedtag",
    "syncjob",
    "syncbatch",
    "syncresult",
    "conflict",
    "circuit",
    "schedule",
    "import",
    "download",
    "approval",
    "approvalrule",
)

VIEWER = {f"view_{model}" for model in (*RECORD_MODELS, *READ_ONLY_MODELS)} | {
    f"export_{model}" for model in RECORD_MODELS
}
EDITOR = VIEWER | {f"{action}_{model}" for action in ("add", "change", "delete", "import") for model in RECORD_MODELS}
OPERATOR = (
    EDITOR
    | {f"{action}_{model}" for action in ("add", "change", "delete") for model in ("customfield", "schedule")}
    | {"sync_records", "view_payload", "test_connection", "view_queue"}
    | {"pull_records", "decide_conflict", "reset_circuit", "share_view", "view_purge", "approve_work"}
    | {"manage_notices"}
)

GROUPS = {"viewer": VIEWER, "editor": EDITOR, "operator": OPERATOR}


BELONGING = {"program": ("programcost", "programtag")}
"""What belongs to records and stands among their values, by the names of the models."""


def value_rights(model_name: str) -> tuple[str, ...]:
    """The rights that it takes to see values of records, be it in their history, in a preview or in a decision.

    Args:
        model_name: of the records' model.
    """
    return tuple(f"mobjects.view_{name}" for name in (model_name, *BELONGING.get(model_name, ())))


def create_groups(group_model: Any, permission_model: Any) -> None:
    """Create the groups with their permissions; groups that exist already are left as they are.

    Args:
        group_model, permission_model: the (historical) models of django.contrib.auth.
    """
    for name, codenames in GROUPS.items():
        group, created = group_model.objects.get_or_create(name=name)
        if created:
            permissions = permission_model.objects.filter(
                content_type__app_label="mobjects", codename__in=sorted(codenames)
            )
            group.permissions.set(permissions)


def extend_groups(group_model: Any, permission_model: Any, codenames: Collection[str]) -> None:
    """Give our groups permissions that a later version brought; what was taken from a group otherwise stays so.

    Args:
        group_model, permission_model: the (historical) models of django.contrib.auth.
        codenames: the new permissions; each group gets those it would have been created with.
    """
    for name, wanted in GROUPS.items():
        for group in group_model.objects.filter(name=name):
            new = permission_model.objects.filter(
                content_type__app_label="mobjects", codename__in=sorted(wanted & set(codenames))
            )
            group.permissions.add(*new)
