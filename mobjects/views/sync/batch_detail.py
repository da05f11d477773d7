"""The page of one batch, and its request and response as files."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET
from lxml import etree

from mobjects import selectors
from mobjects.models import SyncBatch
from mobjects.presentation import job_text
from mobjects.views.base import history_crumb, render_page, require_permission

PARTS = ("request", "response")


@require_GET
@require_permission("mobjects.view_syncbatch")
def batch_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One call to Marketo: what went out, what came back, row by row."""
    batch = get_object_or_404(SyncBatch.objects.select_related("job"), pk=pk)
    attempts, halves, wholes = selectors.related_batches(batch)
    members = list(batch.results.order_by("position", "pk"))
    before, after = selectors.neighbour_ids(batch)
    return render_page(
        request,
        "sync/batch/page.html",
        str(batch),
        crumbs=(
            history_crumb(),
            (job_text.job_title(batch.job), reverse("admin:mobjects_syncjob_change", args=[batch.job_id])),
        ),
        batch=batch,
        sentence=job_text.batch_sentence(batch, Counter(member.status for member in members)),
        attempts=attempts if len(attempts) > 1 else [],
        halves=halves,
        wholes=wholes,
        conflicts=selectors.open_conflicts(members),
        members=members,
        existing=selectors.existing_records(members),
        before=before,
        after=after,
        payloads=[(part, pretty_xml(getattr(batch, part))) for part in PARTS],
        may_see_payload=request.user.has_perm("mobjects.view_payload"),
    )


@require_GET
@require_permission("mobjects.view_payload")
def batch_payload(request: HttpRequest, pk: int, part: str) -> HttpResponse:
    """The request or the response of a batch as a text file, exactly as it was kept."""
    if part not in PARTS:
        raise Http404
    batch = get_object_or_404(SyncBatch, pk=pk)
    response = HttpResponse(getattr(batch, part), content_type="text/plain; charset=utf-8")
    attempt = f"-attempt-{batch.attempt}" if batch.attempt > 1 else ""
    name = f"{str(batch.job_id)[:8]}-batch-{batch.sequence}{attempt}-{part}.txt"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def pretty_xml(text: str) -> str:
    """Indent XML for reading. Text that is not XML, or that declares a DTD, comes back as it is."""
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        return text
    docinfo: Any = root.getroottree().docinfo  # the stubs know none of its fields
    return text if docinfo.doctype else etree.tostring(root, pretty_print=True, encoding="unicode")
