"""The addresses of schedules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Annotated, Any, Literal

from django.contrib.admin.models import ADDITION, CHANGE
from django.db import transaction
from django.forms.models import modelform_factory
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Header, Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from mobjects.api.answers import describe_answers, log_in_admin, require_right
from mobjects.api.bodies import require_valid
from mobjects.api.paging import Id, PageQuery, next_address, read_page
from mobjects.api.repeats import OnceKey, make_once
from mobjects.api.versions import build_etag, require_version
from mobjects.forms.schedules import ScheduleForm
from mobjects.kept_text import translate_kept
from mobjects.models import Kind, Schedule

router = Router(tags=["schedules"])
SENT = (
    *("name", "enabled", "action", "kinds", "operation"),
    *("cron", "time_zone", "quiet_from", "quiet_until", "late_runs"),
)
"""What of a schedule people say."""


class ScheduleIn(Schema):
    """What a schedule does, and when. Of a new one name, action, kinds and cron are needed; what is not sent stays."""

    model_config = ConfigDict(extra="forbid")
    name: str | None = None
    enabled: bool | None = Field(None, description="false pauses it.")
    action: str | None = Field(None, description="send, pull, compare or identify")
    kinds: list[Kind] | None = None
    operation: Literal["AUTO", "INSERT", "UPDATE", "UPSERT"] | None = Field(
        None, description="Of use for sending only."
    )
    cron: str | None = Field(None, description="Minute, hour, day of month, month, day of week: 0 6 * * 1-5")
    time_zone: str | None = Field(None, description="Such as Asia/Seoul; of a new one UTC.")
    quiet_from: str | None = Field(None, description="Nothing is started from then (HH:MM) …")
    quiet_until: str | None = Field(None, description="… until then.")
    late_runs: str | None = Field(None, description="Of runs that were missed: once catches up, skip does not.")


class ScheduleOut(Schema):
    """A schedule."""

    id: int
    name: str
    enabled: bool
    action: str
    kinds: list[str]
    operation: str
    cron: str
    time_zone: str
    quiet_from: time | None
    quiet_until: time | None
    late_runs: str
    owner: str = Field(description="On whose behalf it starts jobs: who saved it last.")
    next_at: datetime | None
    last_at: datetime | None
    missed: int
    missed_text: str
    etag: str = Field(description="What If-Match takes: stands for all that can be changed.")


class ScheduleListOut(Schema):
    """A list of schedules."""

    items: list[ScheduleOut]
    next: str | None


@router.get(
    "/schedules", response=describe_answers(ScheduleListOut), summary="List schedules", url_name="schedules-list"
)
def list_schedules(request: HttpRequest, query: Query[PageQuery]) -> Any:
    require_right(request, "mobjects.view_schedule")
    rows, after = read_page(Schedule.objects.select_related("owner"), query)
    return {"items": [_show_schedule(each) for each in rows], "next": next_address(request, after)}


@router.post(
    "/schedules",
    response=describe_answers(ScheduleOut, 409, status=201),
    summary="Create a schedule",
    url_name="schedules-new",
)
def create_schedule(
    request: HttpRequest, response: HttpResponse, sent: Body[ScheduleIn], idempotency_key: OnceKey = ""
) -> Any:
    require_right(request, "mobjects.add_schedule")
    given = sent.model_dump(exclude_unset=True)

    def make() -> Schedule:
        with transaction.atomic():
            made = _save_schedule(request, Schedule(), given)
            log_in_admin(request, made, ADDITION, [])
        return made

    made, pk = make_once(request, response, idempotency_key, given, make)
    shown = _show_schedule(made or _find_schedule(int(pk)))
    response["ETag"], response["Location"] = shown["etag"], f"{request.path}/{pk}"
    return Status(201, shown)


@router.get(
    "/schedules/{pk}",
    response=describe_answers(ScheduleOut, 404),
    summary="Read a schedule",
    url_name="schedules-one",
)
def read_schedule(request: HttpRequest, response: HttpResponse, pk: Path[Id]) -> Any:
    require_right(request, "mobjects.view_schedule")
    shown = _show_schedule(_find_schedule(pk))
    response["ETag"] = shown["etag"]
    return shown


@router.patch(
    "/schedules/{pk}",
    response=describe_answers(ScheduleOut, 404, 409, 412, 428),
    summary="Change a schedule, or pause it; whoever does becomes its owner",
    url_name="schedules-change",
)
def change_schedule(
    request: HttpRequest,
    response: HttpResponse,
    pk: Path[Id],
    sent: Body[ScheduleIn],
    if_match: Annotated[str, Header(alias="If-Match", description="The etag of what was read.")] = "",
) -> Any:
    require_right(request, "mobjects.change_schedule")
    given = sent.model_dump(exclude_unset=True)
    with transaction.atomic():
        list(Schedule.objects.select_for_update().filter(pk=pk).values_list("pk"))
        schedule = _find_schedule(pk)
        require_version(request, _build_etag(schedule))
        saved = _save_schedule(request, schedule, given)
        log_in_admin(request, saved, CHANGE, sorted(given))
    shown = _show_schedule(_find_schedule(pk))
    response["ETag"] = shown["etag"]
    return shown


def _find_schedule(pk: int) -> Schedule:
    schedule = Schedule.objects.select_related("owner").filter(pk=pk).first()
    if schedule is None:
        raise Http404
    return schedule


def _save_schedule(request: HttpRequest, schedule: Schedule, sent: Mapping[str, Any]) -> Schedule:
    """Save a schedule by the form of its page. Raises Problem."""
    form_class: Any = modelform_factory(Schedule, form=ScheduleForm, fields=SENT)
    form_class.user = request.user
    now = {name: _as_text(getattr(schedule, name)) for name in SENT}
    given = {**now, **{name: _as_text(value) for name, value in sent.items()}}
    if not given["enabled"]:
        del given["enabled"]  # As a box that is not ticked.
    form = form_class(given, instance=schedule)
    require_valid(form, sent)
    saved: Schedule = form.save_for(request.user)
    return saved


def _build_etag(schedule: Schedule) -> str:
    """Stands for what people say of a schedule, and on whose behalf it runs; not for when it ran."""
    return build_etag({name: getattr(schedule, name) for name in SENT} | {"owner": schedule.owner_id})


def _as_text(value: Any) -> Any:
    """A value as a browser would send it."""
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return "" if value is None or value is False else value


def _show_schedule(schedule: Schedule) -> dict[str, Any]:
    special = ("owner", "missed_text", "etag")
    return {name: getattr(schedule, name) for name in ScheduleOut.model_fields if name not in special} | {
        "owner": schedule.owner.get_username() if schedule.owner else "",
        "missed_text": translate_kept(schedule.missed_text),
        "etag": _build_etag(schedule),
    }
