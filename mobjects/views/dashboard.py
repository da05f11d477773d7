"""The admin's first page: what needs a person, what is left to send, what runs, and how it has been going."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from mobjects.figures.attention import (
    STANDING_STATES,
    KindFigures,
    WaitingWork,
    read_latest_imports,
    read_latest_jobs,
    read_waiting_work,
)
from mobjects.figures.daily import read_figures
from mobjects.jobs.host_clock import list_wrong_host_clocks
from mobjects.models import RECORD_MODELS, SyncJob
from mobjects.presentation import attention_cards, job_text
from mobjects.presentation.count_links import job_outcome
from mobjects.presentation.import_text import describe_import, import_state_badge
from mobjects.presentation.navigation import standing_of
from mobjects.presentation.trend_charts import DAYS, build_charts
from mobjects.processes import status as queue_status
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import target
from mobjects.views.base import list_url
from mobjects.views.sync.job_detail import STOP_POLLING, asks_for_worker

JOBS = 5
IMPORTS = 5
LEFT_AFTER = timedelta(seconds=5)
"""Work that is left alone for so long should have been begun."""


def dashboard_callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard's figures to the context of the admin's index; for ``UNFOLD["DASHBOARD_CALLBACK"]``."""
    user = request.user
    renewed = _renewed(request)
    waiting, jobs, sees_history = renewed["waiting"], renewed["jobs"], user.has_perm("mobjects.view_syncjob")
    context.update(
        renewed,
        title=_("Dashboard"),
        unsent=[_unsent_row(figure) for figure in waiting.kinds if figure.counts["unsent"]],
        jobs=[(job, job_outcome(job)) for job in jobs[:JOBS]],
        imports=[
            (imported, import_state_badge(imported), describe_import(imported))
            for imported in read_latest_imports(IMPORTS)
        ]
        if user.has_perm("mobjects.view_import")
        else [],
        sees_history=sees_history,
        may_sync=user.has_perm("mobjects.sync_records"),
        target=target(),
        usage=RedisRateLimiter.from_settings(target()).read_usage() if sees_history else None,
        charts=build_charts(read_figures(DAYS), _unsent_in_all(waiting)) if sees_history else [],
    )
    return context


@require_GET
def dashboard_live(request: HttpRequest) -> HttpResponse:
    """What renews itself of the dashboard: what needs a person, and the jobs that are not over.

    Not behind the admin's redirect to the login page, which would end up inside the dashboard.
    """
    if not admin.site.has_permission(request):
        return HttpResponse(_("You are logged out; load the page again to log in."), status=STOP_POLLING)
    return render(request, "mobjects/dashboard/live.html", {**_renewed(request), "swaps": True})


def _renewed(request: HttpRequest) -> dict[str, Any]:
    """What the page shows at first and renews by itself, and what it was made from."""
    user = request.user
    kinds = [kind for kind in RECORD_MODELS if user.has_perm(f"mobjects.view_{RECORD_MODELS[kind]._meta.model_name}")]
    sees_history = user.has_perm("mobjects.view_syncjob")
    jobs = read_latest_jobs() if sees_history else []
    now = queue_status.read() if sees_history else None
    waiting = read_waiting_work(kinds, jobs, left_after=LEFT_AFTER)
    return {
        "waiting": waiting,
        "jobs": jobs,
        "cards": _cards(request, waiting, now),
        "running": _running([job for job in jobs if job.state in STANDING_STATES], now),
    }


def _cards(
    request: HttpRequest, waiting: WaitingWork, now: queue_status.QueueStatus | None
) -> list[attention_cards.AttentionCard]:
    """What needs a person: what halts everything first.

    Args:
        now: the queue; ``None`` for who may not see the history.
    """
    user = request.user
    cards = attention_cards.halted_cards(standing_of(request).circuits, user)
    if now is not None:
        cards += attention_cards.queue_cards(now, waiting.left, user)
        cards += attention_cards.silent_cards(waiting.silent if now.has_worker else 0, user)
        cards += attention_cards.behind_cards(now, user)
    cards += attention_cards.clock_cards(list_wrong_host_clocks() if waiting.clocks else [], user)
    cards += attention_cards.record_cards(waiting)
    cards += attention_cards.other_cards(waiting, user)
    return cards


def _unsent_in_all(waiting: WaitingWork) -> int | None:
    """How many records are not sent, by the counts that the page says above; ``None`` for who sees only some kinds."""
    return waiting.total("unsent") if len(waiting.kinds) == len(RECORD_MODELS) else None


def _unsent_row(figure: KindFigures) -> dict[str, Any]:
    options: Any = RECORD_MODELS[figure.kind]._meta
    name, address = str(options.verbose_name_plural), list_url(figure.kind)
    return {
        "kind": figure.kind.value,
        "name": f"{name[:1].upper()}{name[1:]}",
        "count": attention_cards.count_text(figure.counts["unsent"]),
        "url": f"{address}?state=unsent",
        "newest_at": figure.newest_at,
        "newest_url": reverse(f"admin:mobjects_{options.model_name}_change", args=[figure.newest]),
    }


def _running(jobs: list[SyncJob], now: queue_status.QueueStatus | None) -> list[dict[str, Any]]:
    """The jobs that are not over, with how far they are, and whether a worker is there for them."""
    alive = now.has_worker if now is not None and now.reachable else None
    return [
        {
            "job": job,
            "done": job_text.count_done(job),
            "total": job_text.count_records(job),
            "sentence": job_text.describe_job(job, worker_alive=alive if asks_for_worker(job) else None),
        }
        for job in jobs
    ]
