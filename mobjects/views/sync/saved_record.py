"""“Save and sync”: what was just saved goes out at once, unless a person should see first what that does."""

from __future__ import annotations

from contextlib import ExitStack, closing

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mobjects.jobs.requests import request_sync
from mobjects.marketo.errors import ConfigError
from mobjects.models import SyncedRecord
from mobjects.sync.content.loading import fetch_with_related
from mobjects.sync.send.preview.record_plans import RecordPlan, judged_records, plan_records
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import key_fields, open_transport
from mobjects.views.sync.job_actions import redirect_to_new_job


def send_saved(request: HttpRequest, record: SyncedRecord) -> HttpResponse:
    """Send a record that was saved, or lead to the page that shows what sending it would do.

    That page comes before whatever does more than change or add values in Marketo: creating it, taking away a tag, a
    cost or a value, replacing it; and where it is held back.
    """
    selection = SyncSelection(kinds=(record.KIND,), ids=(record.pk,))
    plan = plan_saved(selection)
    if plan is None:
        messages.success(request, _("Saved “%s”. Marketo has all of it already, so nothing was sent.") % record)
        return redirect(f"admin:mobjects_{record._meta.model_name}_change", record.pk)
    if plan.surprising:
        messages.warning(request, _("Saved “%s”. Not sent yet: this is what sending it does.") % record)
        return redirect(f"{reverse('mobjects:sync')}?kind={record.KIND.value}&record={record.pk}")
    words = ngettext(
        "Saved “%(record)s” and asked for its sync: %(count)s value changes in Marketo.",
        "Saved “%(record)s” and asked for its sync: %(count)s values change in Marketo.",
        len(plan.changes),
    )
    messages.success(request, words % {"record": record, "count": f"{len(plan.changes):,}"})
    return redirect_to_new_job(request, request_sync(selection, user=request.user))  # type: ignore[arg-type]


def plan_saved(selection: SyncSelection) -> RecordPlan | None:
    """What sending the one record of a selection does; ``None`` if it holds nothing that was changed."""
    keys, (kind,) = key_fields(), selection.kinds
    with ExitStack() as opened:
        try:
            transport = opened.enter_context(closing(open_transport()))
        except ConfigError:
            transport = None
        judged = fetch_with_related(kind, judged_records(kind, selection, keys))
        return next(iter(plan_records(judged, selection, keys, transport)), None)
