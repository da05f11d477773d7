"""What is kept for how long, what would go now, and what went."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from mobjects.models import Purge, PurgeKind, SyncJobSource
from mobjects.processes import status as queue_status
from mobjects.retention import service
from mobjects.retention.leave import give_leave, list_waiting_kinds
from mobjects.views.base import paginate_rows, press_only, render_page, require_permission, signed_in

PER_PAGE = 50


@require_GET
@require_permission("mobjects.view_purge")
def retention_page(request: HttpRequest) -> HttpResponse:
    """The period of each kind, what would go, and the log."""
    log = Purge.objects.order_by("-pk")
    going_on = log.filter(ended_at__isnull=True).exists()
    return render_page(
        request,
        "retention/page.html",
        _("Retention"),
        previews=service.preview_purge(),
        waiting=list_waiting_kinds(),
        rows=paginate_rows(request, log, PER_PAGE),
        may_purge=request.user.has_perm("mobjects.run_purge"),
        going_on=going_on,
        worker_alive=queue_status.worker_alive() if going_on else True,
    )


@press_only("mobjects:retention")
@require_permission("mobjects.run_purge")
def purge_now(request: HttpRequest) -> HttpResponse:
    """Have go what is older than its period: of one kind, or of all. The first press says how much, the second does."""
    wanted = request.POST.get("kind", "")
    if wanted and wanted not in PurgeKind.values:
        messages.warning(request, _("Nothing was purged: “%(kind)s” is no kind that has a period.") % {"kind": wanted})
        return redirect("mobjects:retention")
    kinds = [PurgeKind(wanted)] if wanted else list(PurgeKind)
    if not request.POST.get("sure"):
        previews = [each for each in service.preview_purge(kinds) if each.due.count]
        return render_page(request, "retention/sure.html", _("Purge now?"), previews=previews, kind=wanted)
    made = service.request_purge(kinds, source=SyncJobSource.ADMIN, user=signed_in(request))
    said = ngettext("%(count)s purge was asked for.", "%(count)s purges were asked for.", len(made))
    messages.success(request, said % {"count": len(made)})
    return redirect("mobjects:retention")


@press_only("mobjects:retention")
@require_permission("mobjects.run_purge")
def allow_purges(request: HttpRequest) -> HttpResponse:
    """Let the kinds whose first purge waits go by themselves: those that the page has shown."""
    shown = [kind for kind in PurgeKind if kind in request.POST.getlist("kind")]
    count = give_leave(shown, request.user.get_username())
    said = ngettext(
        "%(count)s kind goes by itself from now on.", "%(count)s kinds go by themselves from now on.", count
    )
    messages.success(request, said % {"count": count})
    return redirect("mobjects:retention")
