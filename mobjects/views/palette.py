"""What Ctrl+K finds: pages, actions, records, jobs and imports, as far as the user may see them.

Takes the place of the theme's own search, which keeps what it found for minutes and lists tables by their names.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from unfold.dataclasses import SearchResult

from mobjects.models import RECORD_MODELS, Import, RecordState, SyncJob
from mobjects.presentation.job_text import format_time, outcome_text
from mobjects.presentation.job_titles import fits_title, job_title
from mobjects.presentation.navigation import build_navigation, list_actions
from mobjects.selectors import id_in

SHOWN = 6
"""So many of each sort are shown."""
LONGEST = 200
TITLES = 300
"""Titles of so many of the newest jobs are gone through; no database knows them."""
SHORTEST_TITLE = 3
"""Fewer characters of a title would fit almost every job."""
JOB_NUMBER = re.compile(r"[0-9a-f-]{4,36}")


@require_GET
def search_everything(request: HttpRequest) -> HttpResponse:
    """The results for ``?s=``, as the theme's palette wants them, or that there are none; nothing for nothing."""
    begun = time.monotonic()
    term = request.GET.get("s", "").replace("\0", "").strip()[:LONGEST]
    if not term:
        return HttpResponse()
    found = [*_pages(request, term), *_records(request, term), *_jobs(request, term), *_imports(request, term)]
    if not found:
        return _nothing_found(request, term)
    pages = Paginator(found, max(1, len(found)))
    context = {"page_obj": pages, "results": pages.page(1), "page_counter": 0, "command_show_history": False}
    context["execution_time"] = time.monotonic() - begun
    return TemplateResponse(request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"})


def _nothing_found(request: HttpRequest, term: str) -> HttpResponse:
    """That nothing fits, which the theme does not say, and where to search further."""
    results = f"{reverse('admin:mobjects_syncresult_changelist')}?{urlencode({'q': term, 'status': 'all'})}"
    further = results if request.user.has_perm("mobjects.view_syncresult") else ""
    context = {"results": (), "term": term, "further": further}
    return TemplateResponse(request, "mobjects/_nothing_found.html", context, headers={"HX-Trigger": "search"})


def _pages(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Pages by their name in the menu, and what can be done."""
    words = term.casefold().split()
    for group in build_navigation(request):
        for item in group["items"]:
            name = f"{group.get('title', '')} {item['title']}".casefold()
            if all(word in name for word in words):
                yield SearchResult(item["title"], group.get("title") or _("Page"), item["link"], item["icon"])
    for title, icon, address in list_actions(request):
        if all(word in title.casefold() for word in words):
            yield SearchResult(title, _("Action"), address, icon)


def _records(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Records as the search of their list finds them."""
    for model in RECORD_MODELS.values():
        options: Any = model._meta
        if not request.user.has_perm(f"mobjects.view_{options.model_name}"):
            continue
        page = admin.site.get_model_admin(model)
        rows, _duplicates = page.get_search_results(request, page.get_queryset(request), term)
        for record in rows.order_by("-pk")[:SHOWN]:
            address = reverse(f"admin:mobjects_{options.model_name}_change", args=[record.pk])
            known = [_("Marketo ID %(id)s") % {"id": record.marketo_id}] if record.marketo_id else []
            said = ", ".join([str(options.verbose_name), *known, str(RecordState(record.current_state).label)])
            yield SearchResult(str(record), said, address, "database")


def _jobs(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Jobs by the beginning of their number, by who asked, by the reason given, and the newest by their title."""
    if not request.user.has_perm("mobjects.view_syncjob"):
        return
    wanted = Q(username__iexact=term) | Q(reason__icontains=term)
    if JOB_NUMBER.fullmatch(term.lower()):
        wanted |= Q(pk__istartswith=term.lower())
    jobs = SyncJob.objects.defer("selection", "progress").order_by("-created_at")
    found = {job.pk: job for job in jobs.filter(wanted)[:SHOWN]}
    if len(term) >= SHORTEST_TITLE and len(found) < SHOWN:
        words = term.casefold().split()
        titled = (job for job in jobs[:TITLES] if fits_title(job, words))
        found |= {job.pk: job for job in islice(titled, SHOWN)}
    for job in list(found.values())[:SHOWN]:
        said = f"{format_time(job.created_at)}, {outcome_text(job)}"
        yield SearchResult(job_title(job), said, reverse("admin:mobjects_syncjob_change", args=[job.pk]), "history")


def _imports(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Imports by their file and number."""
    if not request.user.has_perm("mobjects.view_import"):
        return
    wanted = Q(file_name__icontains=term)
    if (number := id_in(term, digits=9)) is not None:
        wanted |= Q(pk=number)
    rows = Import.objects.filter(wanted).only("pk", "file_name", "state", "created_at").order_by("-pk")
    for imported in rows[:SHOWN]:
        said = f"{_('Import')}, {imported.get_state_display()}, {format_time(imported.created_at)}"
        yield SearchResult(imported.file_name, said, reverse("mobjects:import", args=[imported.pk]), "upload_file")
