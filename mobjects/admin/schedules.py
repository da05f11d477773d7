"""Schedules in the admin: what is started by the clock, when, and what was missed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from mobjects import clock
from mobjects.forms.schedule_times import ScheduleTimesForm
from mobjects.forms.schedules import ScheduleForm
from mobjects.jobs import schedules
from mobjects.jobs.timetables.cron import Timetable
from mobjects.jobs.timetables.words import describe_times
from mobjects.kept_text import translate_kept
from mobjects.models import Schedule
from mobjects.presentation.badges import render_badge, state_badge
from mobjects.presentation.job_text import render_time
from mobjects.presentation.vocabulary import KIND_WORDS
from mobjects.sync.send.selection import OperationChoice
from mobjects.views.base import press_only

if TYPE_CHECKING:
    pass

SHOWN_RUNS = 5


@admin.register(Schedule)
class ScheduleAdmin(ModelAdmin):
    """Schedules; a job that one has started is in the sync history like any other."""

    form = ScheduleForm
    list_display = ("name", "what", "times", "next_run", "last_run", "missed_runs")
    list_filter = ("enabled", "action")
    list_select_related = ("last_job", "owner")
    search_fields = ("name",)
    change_form_outer_before_template = "mobjects/schedules/panel.html"
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "enabled")}),
        (_("What"), {"fields": ("action", "kinds", "operation")}),
        (
            _("When"),
            {
                "fields": (
                    *ScheduleTimesForm.SHOWN,
                    "time_zone",
                    ("quiet_from", "quiet_until"),
                    "late_runs",
                    "next_runs",
                )
            },
        ),
    )
    readonly_fields = ("next_runs",)

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("mobjects/schedules.css",)}
        js = ("mobjects/schedule.js",)

    def get_urls(self) -> list[URLPattern]:
        run_now = self.admin_site.admin_view(press_only("admin:mobjects_schedule_change")(self.run_now))
        show_next_runs = self.admin_site.admin_view(self.show_next_runs)
        urls: list[URLPattern] = super().get_urls()
        return [
            path("<int:pk>/run-now/", run_now, name="mobjects_schedule_run_now"),
            path("next-runs/", show_next_runs, name="mobjects_schedule_next_runs"),
            *urls,
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new schedule's hours are those of whoever makes it."""
        return {"time_zone": timezone.get_current_timezone_name(), **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.user = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        form.save_for(request.user)

    def run_now(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Start its jobs at once, on behalf of whoever pressed the button."""
        schedule = self.get_object(request, str(pk))
        if schedule is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))  # type: ignore[no-any-return]
        if not self.has_view_permission(request, schedule):
            raise PermissionDenied
        made, refused = schedules.start_by_hand(pk, request.user)  # type: ignore[arg-type]  # signed in
        if refused:
            messages.error(request, gettext("Nothing was started: %(refused)s.") % {"refused": translate_kept(refused)})
            return redirect("admin:mobjects_schedule_change", pk)
        several = (
            " " + gettext("%(count)s jobs, one for each kind; this is the first.") % {"count": len(made)}
            if len(made) > 1
            else ""
        )
        messages.success(request, gettext("Started “%(name)s”.") % {"name": schedule.name} + several)
        return redirect("admin:mobjects_syncjob_change", made[0].pk)

    def show_next_runs(self, request: HttpRequest) -> HttpResponse:
        """When it would run with what is in the form, as a part of the page; asked for while somebody types."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = ScheduleTimesForm(request.GET)
        if not form.is_valid():
            return render(request, "mobjects/schedules/_next_runs.html", {"errors": form.errors})
        times = form.times()
        return render(request, "mobjects/schedules/_next_runs.html", {"runs": _first_runs(times, clock.now())})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if schedule := context["original"]:
            # As it is kept: a form that was refused has left its values on the schedule.
            context["schedule_panel"] = self._panel(request, self.get_queryset(request).get(pk=schedule.pk))
        return super().render_change_form(request, context, *args, **kwargs)

    def _panel(self, request: HttpRequest, schedule: Schedule) -> dict[str, Any]:
        jobs_url = reverse("admin:mobjects_syncjob_changelist")
        return {
            "schedule": schedule,
            "last_at": _format_run_time(schedule, schedule.last_at),
            "may_run": request.user.has_perm(schedules.PERMISSIONS[schedule.action][0]),
            "jobs_url": f"{jobs_url}?schedule={schedule.pk}",
        }

    @admin.display(description=_("Next runs"))
    def next_runs(self, schedule: Schedule | None) -> SafeString:
        """The next runs by what is kept; the page asks anew while somebody types."""
        runs = _next_runs(schedule) if schedule is not None and schedule.pk else []
        return render_to_string("mobjects/schedules/next_runs.html", {"runs": runs})

    # --- columns ---

    @admin.display(description=_("What"))
    def what(self, schedule: Schedule) -> str:
        """Action, kinds and operation."""
        kinds = ", ".join(str(KIND_WORDS[kind]) for kind in schedule.kinds if kind in KIND_WORDS)
        how = f" ({schedule.operation})" if schedule.operation != OperationChoice.AUTO else ""
        return f"{schedule.get_action_display()} {kinds}{how}"

    @admin.display(description=_("When"), ordering="cron")
    def times(self, schedule: Schedule) -> SafeString:
        """The times in words, or the expression where there are none, the zone, and the quiet hours."""
        quiet = ""
        if schedule.quiet_from is not None and schedule.quiet_until is not None:
            quiet = gettext(", not between %(quiet_from)s and %(quiet_until)s") % {
                "quiet_from": f"{schedule.quiet_from:%H:%M}",
                "quiet_until": f"{schedule.quiet_until:%H:%M}",
            }
        plain = describe_times(schedule.cron)
        when = plain or format_html('<code class="whitespace-nowrap">{}</code>', schedule.cron)
        times = format_html(gettext("{cron} in {zone}"), cron=when, zone=schedule.time_zone)
        return format_html("<span>{}{}</span>", times, quiet)

    @admin.display(description=_("Next run"), ordering="next_at")
    def next_run(self, schedule: Schedule) -> SafeString | str:
        """When it is due next, in its own zone."""
        return _format_run_time(schedule, schedule.next_at) if schedule.enabled else gettext("Switched off")

    @admin.display(description=_("Last job"), ordering="last_at")
    def last_run(self, schedule: Schedule) -> SafeString | str:
        """The last job it started, and its state."""
        job = schedule.last_job
        if job is None:
            return gettext("None yet")
        return format_html(
            '<span><a class="underline" href="{}">{}</a> {}</span>',
            reverse("admin:mobjects_syncjob_change", args=[job.pk]),
            _format_run_time(schedule, job.created_at),
            state_badge(job),
        )

    @admin.display(
        description=_("Missed"),
        ordering="missed",
    )
    def missed_runs(self, schedule: Schedule) -> SafeString | str:
        """How many runs were missed since somebody last saved it, and why the latest was."""
        if not schedule.missed_text:
            return gettext("None")
        words = gettext("%(count)s missed") % {"count": f"{schedule.missed:,}"}
        return format_html("<span>{} {}</span>", render_badge(words, "warning"), translate_kept(schedule.missed_text))


def _format_run_time(schedule: Schedule, at: datetime | None) -> SafeString | str:
    if at is None:
        return ""
    try:
        return schedules.timetable(schedule).words(at)
    except ValueError:
        # Not a row that the form has saved; the clock will say what is wrong with it.
        return render_time(at)


def _first_runs(times: Timetable, after: datetime) -> list[str]:
    """As the form shows them; an expression may name days that come once in a few years, and no more of them."""
    try:
        return [times.words(at) for at in times.first(SHOWN_RUNS, after)]
    except ValueError:
        return []


def _next_runs(schedule: Schedule) -> list[str]:
    if not schedule.enabled or schedule.next_at is None:
        return []
    try:
        times = schedules.timetable(schedule)
    except ValueError:
        return []
    first = max(schedule.next_at, timezone.now())
    return [times.words(at) for at in (schedule.next_at, *times.first(SHOWN_RUNS - 1, first))]
