"""The admin's sidebar: what is where, and who sees it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from mobjects import queries
from mobjects.groups import RECORD_MODELS

TO_DECIDE = "rule"
"""Icon of the entry that tells how much there is to decide."""

_IMPORTING = " ".join(f"mobjects.import_{model}" for model in RECORD_MODELS)

# Title, icon, address, permissions of which one is enough.
_GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "Records",
        (
            ("Programs", "campaign", "admin:mobjects_program_changelist", "mobjects.view_program"),
            ("Period costs", "payments", "admin:mobjects_programcost_changelist", "mobjects.view_programcost"),
            ("Program tags", "sell", "admin:mobjects_programtag_changelist", "mobjects.view_programtag"),
            ("Opportunities", "handshake", "admin:mobjects_opportunity_changelist", "mobjects.view_opportunity"),
            (
                "Person roles",
                "group",
                "admin:mobjects_opportunitypersonrole_changelist",
                "mobjects.view_opportunitypersonrole",
            ),
            ("Custom fields", "tune", "admin:mobjects_customfield_changelist", "mobjects.view_customfield"),
        ),
    ),
    (
        "Files",
        (
            ("Import", "upload", "mobjects:import-new", _IMPORTING),
            ("Import history", "work_history", "admin:mobjects_import_changelist", "mobjects.view_import"),
            ("Downloads", "file_save", "admin:mobjects_download_changelist", "mobjects.view_download"),
        ),
    ),
    (
        "Sync",
        (
            ("Sync all changed", "sync", "mobjects:sync", "mobjects.sync_records"),
            ("Sync history", "history", "admin:mobjects_syncjob_changelist", "mobjects.view_syncjob"),
            ("To decide", TO_DECIDE, "admin:mobjects_conflict_changelist", "mobjects.view_conflict"),
            ("Schedules", "schedule", "admin:mobjects_schedule_changelist", "mobjects.view_schedule"),
            ("Connection", "lan", "mobjects:connection", "mobjects.test_connection"),
            ("Queue", "queue", "mobjects:queue", "mobjects.view_queue"),
        ),
    ),
    (
        "Marketo",
        (
            ("Pull", "download", "mobjects:pull", "mobjects.pull_records"),
            ("Drift report", "difference", "mobjects:compare", "mobjects.pull_records"),
            ("Fields", "list_alt", "admin:mobjects_marketofield_changelist", "mobjects.view_marketofield"),
            ("Tags and channels", "label", "admin:mobjects_allowedtag_changelist", "mobjects.view_allowedtag"),
        ),
    ),
    (
        "People",
        (
            ("Users", "person", "admin:auth_user_changelist", "auth.view_user"),
            ("Groups", "groups", "admin:auth_group_changelist", "auth.view_group"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar as the theme wants it, with what the user may see; for ``UNFOLD["SIDEBAR"]["navigation"]``."""
    groups: list[dict[str, Any]] = [
        {"items": [{"title": "Dashboard", "icon": "dashboard", "link": reverse("admin:index")}]}
    ]
    for title, entries in _GROUPS:
        items: list[dict[str, Any]] = [
            {"title": name, "icon": icon, "link": reverse(view)}
            for name, icon, view, permissions in entries
            if any(map(request.user.has_perm, permissions.split()))
        ]
        for item in items:
            if item["icon"] == TO_DECIDE:
                item["badge"] = queries.undecided()
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def favicon(request: HttpRequest) -> str:
    """Address of the site's icon, which static file storage may rename."""
    return static("mobjects/favicon.svg")
