"""The admin's sidebar: what is where, and who sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mobjects import selectors
from mobjects.models import RECORD_MODELS as SYNCED_MODELS
from mobjects.permissions import RECORD_MODELS
from mobjects.resources import RESOURCES
from mobjects.selectors import Standing
from mobjects.sync.content.gaps import list_gaps
from mobjects.sync.transport_factory import key_fields, transport_label

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

TO_DECIDE = "rule"
"""Icon of the entry that tells how much there is to decide."""

TO_APPROVE = "verified_user"
"""Icon of the entry that tells how much there is to approve."""

_MOVING_GROUP = "Marketo"

_IMPORTING = " ".join(f"mobjects.import_{model}" for model in RECORD_MODELS)

Entry = tuple["StrOrPromise", str, str, str]
"""Title, icon, address, permissions of which one is enough."""


def _list(title: StrOrPromise, icon: str, model: str) -> Entry:
    return title, icon, f"admin:mobjects_{model}_changelist", f"mobjects.view_{model}"


_EDITING = " ".join(f"mobjects.change_{model}" for model in RECORD_MODELS)
_DELETING = " ".join(f"mobjects.delete_{model}" for model in RECORD_MODELS)
_GROUPS: tuple[tuple[str, StrOrPromise, tuple[Entry, ...]], ...] = (
    (
        "Records",
        gettext_lazy("Records"),
        (
            _list(gettext_lazy("Programs"), "campaign", "program"),
            _list(gettext_lazy("Period costs"), "payments", "programcost"),
            _list(gettext_lazy("Program tags"), "sell", "programtag"),
            _list(gettext_lazy("Opportunities"), "handshake", "opportunity"),
            _list(gettext_lazy("Person roles"), "group", "opportunitypersonrole"),
            _list(gettext_lazy("Custom fields"), "tune", "customfield"),
            (gettext_lazy("Bulk edits"), "edit_note", "admin:mobjects_bulkedit_changelist", _EDITING),
            (gettext_lazy("Deletions"), "delete_history", "admin:mobjects_bulkdeletion_changelist", _DELETING),
        ),
    ),
    (
        "Files",
        gettext_lazy("Files"),
        (
            (gettext_lazy("Import"), "upload", "mobjects:import-new", _IMPORTING),
            _list(gettext_lazy("Import history"), "work_history", "import"),
            _list(gettext_lazy("Downloads"), "file_save", "download"),
        ),
    ),
    (
        "Sync",
        gettext_lazy("Sync"),
        (
            (gettext_lazy("Sync all changed"), "sync", "mobjects:sync", "mobjects.sync_records"),
            _list(gettext_lazy("Sync history"), "history", "syncjob"),
            _list(gettext_lazy("Results"), "fact_check", "syncresult"),
            _list(gettext_lazy("To decide"), TO_DECIDE, "conflict"),
            _list(gettext_lazy("To approve"), TO_APPROVE, "approval"),
            _list(gettext_lazy("Approval rules"), "gavel", "approvalrule"),
            _list(gettext_lazy("Schedules"), "schedule", "schedule"),
            (gettext_lazy("Connection"), "lan", "mobjects:connection", "mobjects.test_connection"),
            (gettext_lazy("Queue"), "queue", "mobjects:queue", "mobjects.view_queue"),
        ),
    ),
    (
        _MOVING_GROUP,
        gettext_lazy("Marketo"),
        (
            (gettext_lazy("Pull"), "download", "mobjects:pull", "mobjects.pull_records"),
            (gettext_lazy("Drift report"), "difference", "mobjects:compare", "mobjects.pull_records"),
            _list(gettext_lazy("Fields"), "list_alt", "marketofield"),
            _list(gettext_lazy("Tags and channels"), "label", "allowedtag"),
        ),
    ),
    (
        "People",
        gettext_lazy("People"),
        (
            (gettext_lazy("Users"), "person", "admin:auth_user_changelist", "auth.view_user mobjects.manage_users"),
            (gettext_lazy("Groups"), "groups", "admin:auth_group_changelist", "auth.view_group"),
            (gettext_lazy("Audit"), "policy", "mobjects:audit", "mobjects.view_auditevent"),
            (gettext_lazy("Retention"), "auto_delete", "mobjects:retention", "mobjects.view_purge"),
        ),
    ),
)


_ENTRY = '<li><a href="{}" class="{}"><span class="material-symbols-outlined">{}</span><span>{}</span>{}</a></li>'


def render_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar for the theme, as HTML in one group; for ``UNFOLD["SIDEBAR"]["navigation"]``."""
    home, path = address_of("admin:index"), request.path
    parts = []
    for group in build_navigation(request):
        if "title" in group:
            parts.append(format_html("<hr><h2>{}</h2>", group["title"]))
        items = [
            format_html(
                _ENTRY,
                link := item["link"],
                "active" if (link == path if link == home else link in path) else "",
                item["icon"],
                item["title"],
                format_html("<b>{}</b>", item["badge"]) if item.get("badge") else "",
            )
            for item in group["items"]
        ]
        parts.append(format_html("<ol>{}</ol>", _joined(items)))
    return [{"items": [], "html": _joined(parts)}]


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


@cache
def _address(view: str, _prefix: str) -> str:
    return reverse(view)


def address_of(view: str) -> str:
    """The address of a page that needs no arguments; looked up once for a process and what stands before all paths."""
    return _address(view, get_script_prefix())


def build_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar's groups, with what the user may see."""
    groups: list[dict[str, Any]] = [
        {
            "items": [
                {"title": _("Dashboard"), "icon": "dashboard", "link": address_of("admin:index")},
                {
                    "title": _("Notices"),
                    "icon": "notifications",
                    "link": address_of("mobjects:notices"),
                    "badge": standing_of(request).unread,
                },
            ]
        }
    ]
    for title, entries in _groups():
        items = [
            {"title": name, "icon": icon, "link": address_of(view)}
            | ({"badge": standing_of(request).undecided} if icon == TO_DECIDE else {})
            | ({"badge": standing_of(request).approvals} if icon == TO_APPROVE else {})
            for name, icon, view, permissions in entries
            if any(map(request.user.has_perm, permissions.split()))
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def standing_of(request: HttpRequest) -> Standing:
    """What waits for a decision and what is halted, read once for a page however many parts of it say so."""
    kept: Standing | None = getattr(request, "_standing", None)
    if kept is None:
        kept = request._standing = selectors.read_standing(request.user.pk)  # type: ignore[attr-defined]
    return kept


def menu_names() -> dict[str, StrOrPromise]:
    """What the menu calls each of its pages, by address."""
    return {address_of(view): title for _group, entries in _groups() for title, _icon, view, _permissions in entries}


def list_actions(request: HttpRequest) -> Iterator[tuple[str, str, str]]:
    """What the user can set going, for the palette: title, icon, address. Each leads to a page that asks first."""
    may = request.user.has_perm
    for model, name in ((model, str(model._meta.verbose_name)) for model in SYNCED_MODELS.values()):
        options: Any = model._meta
        if may(f"mobjects.add_{options.model_name}"):
            yield _("Add: %(kind)s") % {"kind": name}, "add", reverse(f"admin:mobjects_{options.model_name}_add")
    for kind, resource in RESOURCES.items():
        options = resource._meta.model._meta
        title = _("Export: %(kind)s") % {"kind": options.verbose_name_plural}
        if may(f"mobjects.export_{options.model_name}"):
            yield title, "download", reverse("mobjects:export", args=[kind])
    for title, icon, view, permission in (
        (_("Sync all changed…"), "sync", "mobjects:sync", "mobjects.sync_records"),
        (_("Import a file…"), "upload", "mobjects:import-new", _IMPORTING),
        (_("Test the connection"), "lan", "mobjects:connection", "mobjects.test_connection"),
        (_("Choose a time zone"), "schedule", "mobjects:time-zone", ""),
        (_("Your sign-in: password, sessions"), "passkey", "mobjects:sign-in", ""),
        (_("Your API tokens"), "key", "mobjects:api-tokens", ""),
        (_("Notice settings"), "notifications", "mobjects:notice-settings", ""),
    ):
        if not permission or any(map(may, permission.split())):
            yield title, icon, reverse(view)


def frame_styles_url(request: HttpRequest) -> str:
    """Address of the styles of what stands on all pages; static file storage may rename it."""
    return static("mobjects/frame.css")


def keys_styles_url(request: HttpRequest) -> str:
    """Address of the styles of the keys' help, likewise."""
    return static("mobjects/keys.css")


def keys_script_url(request: HttpRequest) -> str:
    """Address of the script for keys in lists, likewise."""
    return static("mobjects/triage.js")


def reach_script_url(request: HttpRequest) -> str:
    """Address of the script that lets the keyboard reach what the theme made for the mouse, likewise."""
    return static("mobjects/reach.js")


def _groups() -> Iterator[tuple[StrOrPromise, tuple[Entry, ...]]]:
    """All groups; what moving to the API in use takes is listed only where it takes something."""
    for group, title, entries in _GROUPS:
        if group == _MOVING_GROUP and list_gaps(key_fields()):
            name = _("Moving to %(transport)s") % {"transport": transport_label()}
            yield title, (*entries, (name, "move_up", "mobjects:moving", "mobjects.pull_records"))
        else:
            yield title, entries


def favicon_url(request: HttpRequest) -> str:
    """Address of the site's icon, which static file storage may rename."""
    return static("mobjects/favicon.svg")


def form_styles_url(request: HttpRequest) -> str:
    """Address of the styles of all forms, likewise."""
    return static("mobjects/forms.css")
