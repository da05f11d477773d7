"""The button that has Marketo's fields, tags and channels read again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from mobjects.jobs.requests import request_job
from mobjects.kept_text import translate_kept
from mobjects.models import SyncJobAction, SyncJobState
from mobjects.views.base import press_only, require_permission


@press_only("admin:mobjects_marketofield_changelist")
@require_permission("mobjects.pull_records")
def request_describe(request: HttpRequest) -> HttpResponse:
    """Ask for a job that reads fields, tags and channels, and go to its page."""
    job = request_job(action=SyncJobAction.DESCRIBE, kind="several", selection={}, user=request.user, reason="")  # type: ignore[arg-type]
    job.refresh_from_db()
    if job.state == SyncJobState.NOT_QUEUED:
        messages.error(request, translate_kept(job.problem_text) or _("The job could not be queued. Nothing was read."))
    return redirect("admin:mobjects_syncjob_change", job.pk)
