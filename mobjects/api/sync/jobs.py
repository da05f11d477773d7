"""The addresses of previews and jobs."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Body, Path, Query, Router, Status

from mobjects import selectors
from mobjects.api.answers import describe_answers, require_right
from mobjects.api.bodies import require_valid
from mobjects.api.paging import PageQuery, next_address, read_page
from mobjects.api.problems import FieldProblem, Problem
from mobjects.api.repeats import OnceKey, make_once
from mobjects.api.sync import schemas
from mobjects.forms.pull import CompareForm, PullForm, join_ids
from mobjects.forms.sync import SyncForm
from mobjects.jobs.control import cancel_job, pause_job, resume_job
from mobjects.jobs.requests import request_job
from mobjects.models import Kind, SyncJob, SyncJobAction, SyncJobState
from mobjects.views.base import may_see_kind
from mobjects.views.imports.base import user_of
from mobjects.views.sync.confirm import KEEP, MAKERS, SEND, TRY
from mobjects.views.sync.preview import preview_sync

router = Router(tags=["sync"])
PRESSES = {"send": SEND, "try": TRY, "dry_run": KEEP}
"""What each action is called as a button of the page."""


@router.post(
    "/previews",
    response=describe_answers(schemas.PreviewOut),
    summary="What sending now would do; nothing is sent",
    url_name="previews-new",
)
def preview_sending(request: HttpRequest, sent: Body[schemas.SendingIn]) -> Any:
    require_right(request, "mobjects.sync_records")
    return schemas.show_preview(preview_sync(_sending_form(sent).selection))


@router.post(
    "/jobs",
    response={**describe_answers(schemas.JobOut, 409, status=201), 202: schemas.JobOut},
    summary="Start; 202 if a rule holds it until another person approves it",
    url_name="jobs-new",
)
def start_job(
    request: HttpRequest, response: HttpResponse, sent: Body[schemas.JobIn], idempotency_key: OnceKey = ""
) -> Any:
    reading = sent.action in ("pull", "compare")
    require_right(request, "mobjects.pull_records" if reading else "mobjects.sync_records")

    def make() -> SyncJob:
        with transaction.atomic():
            return _start_reading(request, sent) if reading else _start_sending(request, sent)

    _made, pk = make_once(request, response, idempotency_key, sent.model_dump(), make)
    # As it is by now: it was queued when the transaction was over.
    job = get_object_or_404(SyncJob, pk=pk)
    return Status(202 if job.state == SyncJobState.HELD else 201, schemas.show_job(job))


@router.get("/jobs", response=describe_answers(schemas.JobListOut), summary="List jobs", url_name="jobs-list")
def list_jobs(request: HttpRequest, query: Query[schemas.JobQuery]) -> Any:
    require_right(request, "mobjects.view_syncjob")
    found: QuerySet[SyncJob] = SyncJob.objects.defer("selection", "progress")
    found = found.filter(state=query.state) if query.state else found
    found = found.filter(action=query.action) if query.action else found
    if query.after:
        last = SyncJob.objects.filter(pk=query.after).first()
        if last is None:
            said = _("There is no such job.")
            raise Problem(422, said, [FieldProblem("after", said, str(query.after))])
        found = found.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk))
    rows = list(found.order_by("-created_at", "-pk")[: query.limit + 1])
    more, rows = len(rows) > query.limit, rows[: query.limit]
    after = rows[-1].pk if more else None
    return {"items": [schemas.show_job(each) for each in rows], "next": next_address(request, after)}


@router.get("/jobs/{pk}", response=describe_answers(schemas.JobOut, 404), summary="Read a job", url_name="jobs-one")
def read_job(request: HttpRequest, pk: Path[UUID]) -> Any:
    return schemas.show_job(_find_job(request, pk))


@router.get(
    "/jobs/{pk}/results",
    response=describe_answers(schemas.ResultListOut, 404),
    summary="What became of each record",
    url_name="jobs-results",
)
def list_results(request: HttpRequest, pk: Path[UUID], query: Query[schemas.ResultQuery]) -> Any:
    require_right(request, "mobjects.view_syncresult")
    found = _find_job(request, pk).results.defer("sent")
    found = found.filter(status=query.status) if query.status else found
    rows, after = read_page(found, query)
    shown = [schemas.show_result(each, may_see=may_see_kind(request, each.kind)) for each in rows]
    return {"items": shown, "next": next_address(request, after)}


@router.get(
    "/jobs/{pk}/batches",
    response=describe_answers(schemas.BatchListOut, 404),
    summary="The calls to Marketo, without payloads",
    url_name="jobs-batches",
)
def list_batches(request: HttpRequest, pk: Path[UUID], query: Query[PageQuery]) -> Any:
    require_right(request, "mobjects.view_syncbatch")
    rows, after = read_page(selectors.batches_of(_find_job(request, pk)), query)
    return {"items": [schemas.show_batch(each) for each in rows], "next": next_address(request, after)}


def _add_steering(name: str, steer: Callable[[SyncJob], bool], summary: str) -> None:
    @router.post(
        f"/jobs/{{pk}}/{name}",
        response=describe_answers(schemas.JobOut, 404, 409),
        summary=summary,
        operation_id=f"{name}_job",
        url_name=f"jobs-{name}",
    )
    def steer_job(request: HttpRequest, pk: Path[UUID]) -> Any:
        require_right(request, "mobjects.sync_records")
        job = _find_job(request, pk)
        done = steer(job)
        job.refresh_from_db()
        if not done:
            said = _("Too late: the job is “%(state)s”.")
            raise Problem(409, said % {"state": job.get_state_display().lower()})
        return schemas.show_job(job)


_add_steering("pause", pause_job, "Pause a job after what is under way")
_add_steering("resume", resume_job, "Let a paused job go on")
_add_steering("cancel", cancel_job, "Cancel a job after what is under way")


def _find_job(request: HttpRequest, pk: UUID) -> SyncJob:
    require_right(request, "mobjects.view_syncjob")
    job = SyncJob.objects.filter(pk=pk).first()
    if job is None:
        raise Http404
    return job


def _sending_form(sent: schemas.SendingIn) -> SyncForm:
    """The valid form of the page for what was sent. Raises Problem."""
    given = {
        **sent.model_dump(exclude={"ids", "action"}),
        "ids": "" if sent.ids is None else join_ids(sent.ids),
        "token": uuid.uuid4(),
    }
    if sent.ids is not None and not sent.ids:
        said = _("No records are named. Leave ids out to mean all that changed.")
        raise Problem(422, said, [FieldProblem("/ids", said, [])])
    form = SyncForm(given)
    require_valid(form, sent.model_dump())
    return form


def _start_sending(request: HttpRequest, sent: schemas.JobIn) -> SyncJob:
    form, press = _sending_form(sent), PRESSES[sent.action]
    of_dry_run = SyncJob.objects.filter(pk=sent.of_dry_run).first() if sent.of_dry_run else None
    if press != KEEP:
        preview = preview_sync(form.selection)
        if not preview.ready:
            raise Problem(409, preview.problem or _("There is nothing to send. A preview says what is held back."))
    return MAKERS[press](form, user=user_of(request), reason=sent.reason, origin=of_dry_run)


def _start_reading(request: HttpRequest, sent: schemas.JobIn) -> SyncJob:
    person: User | None = user_of(request)
    ids = "" if sent.ids is None else join_ids(sent.ids)
    if sent.action == "compare":
        kinds = [str(kind) for kind in Kind] if sent.kind == "all" else [sent.kind]
        compare = CompareForm({"kinds": kinds, "ids": ids, "reason": sent.reason})
        require_valid(compare, sent.model_dump(), {"kinds": "kind"})
        asked = compare.cleaned_data["comparison"]
        return request_job(SyncJobAction.COMPARE, asked.kind_of_job, asked.to_json(), user=person, reason=sent.reason)
    pull = PullForm({"kind": sent.kind, "ids": ids, "reason": sent.reason})
    require_valid(pull, sent.model_dump())
    chosen = pull.cleaned_data["pull"]
    return request_job(SyncJobAction.PULL, sent.kind, chosen.to_json(), user=person, reason=sent.reason)
