"""Deleting in Marketo: what would go, on both sides, and a number to be typed before it does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects.forms.merging import fingerprint
from mobjects.forms.pull import DeleteForm, join_ids
from mobjects.models import Kind, OpportunityPersonRole, SyncJobAction, records_of_kind
from mobjects.models.synced_record import SyncedQuerySet
from mobjects.sync.delete.task import records_to_delete, revisions_to_delete
from mobjects.sync.transport_factory import key_fields
from mobjects.views.base import list_url, none_selected, press_only, render_page, require_permission
from mobjects.views.pressed_once import lead_to_made, made_before
from mobjects.views.record_list import asked_list, show_records
from mobjects.views.sync.job_actions import start_job

CHANGED_SINCE = _("Some of these were changed here since the page was opened. Look again; nothing was deleted.")
LISTS = {
    "opportunities": _("Opportunities to be deleted in Marketo"),
    "roles": _("Person roles to be deleted in Marketo"),
    "never_sent": _("Selected records that Marketo never got"),
    "roles_here": _("Person roles that Marketo never got"),
    "unsent": _("Records with changes that were not sent"),
}


@dataclass(frozen=True, slots=True)
class DeletePreview:
    """What a deletion is about.

    Args:
        opportunities, roles: objects that Marketo is asked to delete.
        never_sent: selected records of which no id in Marketo is known; nothing happens to them.
        roles_here: roles of these opportunities of which none is known and that go with them here.
        unsent: of all that goes, how many hold changes that were never sent.
    """

    opportunities: int
    roles: int
    never_sent: int
    roles_here: int
    unsent: int

    @property
    def count(self) -> int:
        """Objects that Marketo is asked to delete."""
        return self.opportunities + self.roles


@press_only("admin:mobjects_opportunity_changelist")
@require_permission("mobjects.delete_in_marketo")
def delete_in_marketo(request: HttpRequest) -> HttpResponse:
    """Make the job if the number of objects was typed; else ask again."""
    form = DeleteForm(request.POST)
    which = asked_list(request)
    if which in LISTS and not form.errors.keys() & {"kind", "ids"}:
        found = counted_records(form.selection)[which]
        hidden = {name: form.data.get(name, "") for name in ("kind", "ids")}
        return show_records(
            request, str(LISTS[which]), found, action=reverse("mobjects:delete-in-marketo"), hidden=hidden
        )
    if not form.is_valid():
        return _show(request, form)
    if "preview" in request.POST:
        return _show(request, form, asked=True)
    if made_before(request):
        return lead_to_made(request)
    revisions, going = revisions_to_delete(form.selection, key_fields().id_column), preview_delete(form.selection)
    if not going.count or not form.is_confirmed(going.count):
        return _show(request, form)
    if form.cleaned_data["seen"] != _fingerprint(revisions):
        form.add_error(None, CHANGED_SINCE)
        return _show(request, form)
    kind, reason, selection = form.cleaned_data["kind"], form.cleaned_data["reason"], form.selection
    selection["revisions"] = revisions
    return start_job(request, SyncJobAction.DELETE, kind, selection, reason, gettext("Nothing was deleted."))


@require_permission("mobjects.delete_in_marketo")
def confirm_delete(request: HttpRequest, kind: Kind, ids: Sequence[int]) -> HttpResponse:
    """Say what deleting these records in Marketo does, and ask. For admin actions; ids are our own."""
    if not ids:
        return none_selected(request, kind)
    return _show(request, DeleteForm({"kind": kind.value, "ids": join_ids(ids)}), asked=True)


def preview_delete(selection: dict[str, Any]) -> DeletePreview:
    """What would go now.

    Args:
        selection: as :func:`mobjects.sync.delete.task.records_to_delete` takes it.
    """
    counted = counted_records(selection)
    return DeletePreview(**{which: sum(records.count() for _, records in found) for which, found in counted.items()})


def counted_records(selection: dict[str, Any]) -> dict[str, list[tuple[Kind, SyncedQuerySet]]]:
    """The records behind each figure of :class:`DeletePreview`; ``selection`` as there."""
    kind, keys = Kind(selection["kind"]), key_fields()
    opportunities = records_to_delete(Kind.OPPORTUNITY, selection, keys.id_column)
    roles = records_to_delete(Kind.ROLE, selection, keys.id_column)
    unknown = {f"{keys.id_column(Kind.ROLE)}__isnull": True}
    here = OpportunityPersonRole.objects.filter(opportunity__in=opportunities.values("pk"), **unknown)
    going = [(Kind.OPPORTUNITY, opportunities), (Kind.ROLE, roles), (Kind.ROLE, here)]
    unknown = {f"{keys.id_column(kind)}__isnull": True}
    never_sent = records_of_kind(kind).filter(pk__in=selection["ids"], **unknown)
    return {
        "opportunities": going[:1],
        "roles": going[1:2],
        "never_sent": [(kind, never_sent)],
        "roles_here": going[2:],
        "unsent": [(each, records.dirty()) for each, records in going],
    }


def _fingerprint(revisions: Mapping[str, Mapping[str, int]]) -> str:
    return fingerprint(json.dumps(revisions, sort_keys=True))


def _show(request: HttpRequest, form: DeleteForm, *, asked: bool = False) -> HttpResponse:
    valid = form.is_valid() if asked else not form.errors
    known = "kind" in form.cleaned_data and "ids" in form.cleaned_data
    # Looked at before what is shown: what changes in between is asked about once more.
    seen = _fingerprint(revisions_to_delete(form.selection, key_fields().id_column)) if known else ""
    return render_page(
        request,
        "marketo/delete/page.html",
        gettext("Delete in Marketo"),
        status=200 if valid else 400,
        form=form,
        seen=seen,
        going=preview_delete(form.selection) if known else None,
        called=key_fields().traits.id_kind(Kind(form.cleaned_data["kind"])).value if known else "",
        cancel=list_url(form.cleaned_data.get("kind")),
    )
