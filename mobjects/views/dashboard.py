"""What the admin's first page shows: what is left to send, and what the last jobs did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from mobjects import selectors
from mobjects.db.row_counts import RowCount
from mobjects.formatting import format_count
from mobjects.jobs.host_clock import list_wrong_host_clocks
from mobjects.models import RECORD_MODELS, Kind, RecordState
from mobjects.presentation.count_links import job_outcome
from mobjects.processes import status as queue_status
from mobjects.sync.transport_factory import target
from mobjects.views.base import list_url

JOBS = 5
LEFT_SECONDS = 5
"""Work that is left alone for so long should have been begun."""

SHOWN = (
    RecordState.NEVER,
    RecordState.CHANGED,
    RecordState.IN_BATCH,
    RecordState.SKIPPED,
    RecordState.CHANGED_SKIPPED,
    RecordState.FAILED,
    RecordState.CHANGED_FAILED,
    RecordState.UNKNOWN,
    RecordState.SYNCED,
)
RARE = (RecordState.CHANGED_SKIPPED, RecordState.CHANGED_FAILED)
"""Shown where there are any: the table is to fit."""


def dashboard_callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard's figures to the context of the admin's index; for ``UNFOLD["DASHBOARD_CALLBACK"]``."""
    user = request.user
    kinds = [kind for kind in RECORD_MODELS if user.has_perm(f"mobjects.view_{RECORD_MODELS[kind]._meta.model_name}")]
    sees_history = user.has_perm("mobjects.view_syncjob")
    counts = selectors.state_counts(kinds)
    shown = [state for state in SHOWN if state not in RARE or any(states.get(state) for states in counts.values())]
    context.update(
        title="Dashboard",
        states=[state.label for state in shown],
        kinds=[_kind_row(kind, states, shown) for kind, states in counts.items()],
        jobs=[(job, job_outcome(job)) for job in selectors.latest_jobs(JOBS)] if sees_history else [],
        sees_history=sees_history,
        undecided=selectors.count_undecided() if user.has_perm("mobjects.view_conflict") else 0,
        imports_waiting=selectors.count_waiting_imports() if user.has_perm("mobjects.view_import") else 0,
        may_sync=user.has_perm("mobjects.sync_records"),
        target=target(),
        wrong_clocks=list_wrong_host_clocks(),
        queue_problem=_queue_problem() if sees_history else "",
        sees_queue=user.has_perm("mobjects.view_queue"),
    )
    return context


def _queue_problem() -> str:
    """Why jobs and imports are not worked on, if some wait and nobody is there, as sentences."""
    left = selectors.count_left_work(timezone.now() - timedelta(seconds=LEFT_SECONDS))
    if not left:
        return ""
    now = queue_status.read()
    waits = "1 job or import waits" if left == 1 else f"{left:,} jobs or imports wait"
    if now.problem:
        return f"The queue (Redis) {now.problem}: {waits} until that is over."
    if now.has_worker:
        return ""
    if now.workers:
        silent = min(worker.heartbeat_seconds for worker in now.workers)
        return f"No worker has given a sign of life for {format_count(silent, 'second')}: {waits} until one does."
    return f"No worker is running: {waits} until one is started."


def _kind_row(kind: Kind, states: Mapping[str, RowCount], shown: list[RecordState]) -> dict[str, Any]:
    name, url = str(RECORD_MODELS[kind]._meta.verbose_name_plural).capitalize(), list_url(kind)
    cells = [(states[state], f"{url}?state={state.value}", state.label) for state in shown]
    return {"name": name, "url": url, "cells": cells, "total": RowCount.total(states.values())}
