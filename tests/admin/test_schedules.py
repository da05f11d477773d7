"""Schedules in the admin: what the form refuses, who becomes owner, what the pages say, running at once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from mobjects.jobs import schedules
from mobjects.models import Schedule, SyncJob, SyncJobState
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queue", "groups")]

SIX = datetime(2026, 1, 5, 6, tzinfo=UTC)  # A Monday
LIST, ADD = "/admin/mobjects/schedule/", "/admin/mobjects/schedule/add/"
NEXT_RUNS = "/admin/mobjects/schedule/next-runs/"
GOOD = {
    "name": "Daily",
    "enabled": "on",
    "action": "send",
    "kinds": ["Opportunity"],
    "operation": "AUTO",
    "late_runs": "once",
    "cron": "0 6 * * *",
    "time_zone": "UTC",
}


@pytest.fixture(autouse=True)
def early(time_machine):
    time_machine.move_to(SIX - timedelta(hours=1), tick=False)


@pytest.fixture
def browser():
    return pages.client()


@pytest.fixture
def daily() -> Schedule:
    owner = factories.user("olga", group="operator")
    made = Schedule(name="Daily", kinds=["Opportunity"], cron="0 6 * * *", owner=owner)
    schedules.plan_schedule(made)
    made.save()
    return made


def url(of: Schedule, view: str = "change") -> str:
    return reverse(f"admin:mobjects_schedule_{view}", args=[of.pk])


def errors(response) -> dict:
    return response.context["adminform"].form.errors


# --- plain times ---


PLAIN = {**GOOD, "cron": "", "time_zone": "Europe/Berlin", "at": "08:00", "step": "60", "month_day": "1"}


@pytest.mark.parametrize(
    ("choice", "cron"),
    [
        ({"repeats": "workdays"}, "0 8 * * 1-5"),
        ({"repeats": "daily", "at": "23:30"}, "30 23 * * *"),
        ({"repeats": "weekly", "weekdays": ["1", "4"]}, "0 8 * * 1,4"),
        ({"repeats": "monthly", "month_day": "L"}, "0 8 L * *"),
        ({"repeats": "every", "step": "15"}, "*/15 * * * *"),
        ({"repeats": "cron", "cron": " 5  6 * * mon "}, "5 6 * * mon"),
        # What stands in the field of another choice does not count.
        ({"repeats": "daily", "cron": "nonsense"}, "0 8 * * *"),
    ],
)
def test_plain_times_are_kept_as_an_expression_and_chosen_again_when_the_page_opens(browser, choice, cron):
    browser.post(ADD, {**PLAIN, **choice})
    kept = Schedule.objects.get()
    assert kept.cron == cron
    form = browser.get(url(kept)).context["adminform"].form
    assert form["repeats"].value() == choice["repeats"]
    shown = {name: form[name].value() for name in form.SHOWN if form[name].value()}
    assert browser.post(url(kept), {**PLAIN, **shown}).status_code == 302
    kept.refresh_from_db()
    assert kept.cron == cron


@pytest.mark.parametrize(
    ("choice", "field", "words"),
    [
        ({"repeats": "daily", "at": ""}, "at", "such as 08:00"),
        ({"repeats": "daily", "at": "25:00"}, "at", "valid time"),
        ({"repeats": "weekly"}, "weekdays", "at least one day"),
        ({"repeats": "cron", "cron": ""}, "cron", "such as 0 6 * * 1-5"),
        ({"repeats": "every", "step": "7"}, "step", "7 is not one of the available choices"),
        ({"repeats": "monthly", "month_day": "31"}, "month_day", "31 is not one of the available choices"),
    ],
)
def test_plain_times_that_say_nothing_are_refused_at_their_field(browser, choice, field, words):
    refused = errors(browser.post(ADD, {**PLAIN, **choice}))
    assert list(refused) == [field]
    assert words in str(refused[field])


def test_a_new_schedule_begins_on_weekdays_at_eight_where_the_person_is(browser):
    browser.cookies["time_zone"] = "Asia/Seoul"
    form = browser.get(ADD).context["adminform"].form
    assert [form[name].value() for name in ("repeats", "at", "time_zone")] == ["workdays", time(8), "Asia/Seoul"]


def test_the_next_five_runs_are_shown_while_somebody_types(browser):
    typed = {"repeats": "workdays", "at": "08:00", "time_zone": "Europe/Berlin", "name": "", "quiet_from": ""}
    shown = browser.get(NEXT_RUNS, typed).content.decode()
    assert shown.count("<li>") == 5
    assert "Mon 2026-01-05 08:00 Europe/Berlin" in shown
    assert "Fri 2026-01-09 08:00 Europe/Berlin" in shown


def test_instead_of_the_next_runs_it_is_said_what_is_wrong(browser):
    shown = browser.get(NEXT_RUNS, {"repeats": "cron", "cron": "61 * * * *", "time_zone": "UTC"}).content.decode()
    assert "is not a valid minute" in shown


def test_the_next_runs_are_for_those_who_may_see_schedules():
    assert pages.client(group=None).get(NEXT_RUNS).status_code == 403


# --- the form ---


def test_a_new_schedule_is_planned_and_owned_by_whoever_saved_it(browser):
    browser.post(ADD, {**GOOD, "cron": " 0  6 * * 1-5 ", "kinds": ["Opportunity", "OpportunityPersonRole"]})
    made = Schedule.objects.get()
    assert (made.cron, made.next_at, made.owner.username) == ("0 6 * * 1-5", SIX, "operator-user")
    assert made.kinds == ["Opportunity", "OpportunityPersonRole"]


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"cron": "every day"}, "cron", "a cron expression has five"),
        ({"cron": "0 25 * * *"}, "cron", "“25” is not a valid hour"),
        ({"time_zone": "Berlin"}, "time_zone", "Berlin is not one of the available choices"),
        ({"kinds": []}, "kinds", "Tick at least one kind."),
        ({"kinds": ["Lead"]}, "kinds", "Lead is not one of the available choices"),
        ({"quiet_from": "22:00"}, "quiet_until", "both a beginning and an end"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "quiet_until", "no length"),
        ({"kinds": ["Program"], "operation": "INSERT"}, "operation", "cannot be sent with INSERT"),
        ({"kinds": ["Program", "Opportunity"], "operation": "UPSERT"}, "operation", "cannot be sent with UPSERT"),
        ({"action": "delete"}, "action", "delete is not one of the available choices"),
    ],
)
def test_what_cannot_work_is_refused_in_words(browser, wrong, field, words):
    response = browser.post(ADD, {**GOOD, **wrong})
    assert words in " ".join(errors(response)[field])
    assert not Schedule.objects.exists()


def test_ids_cannot_be_looked_up_by_the_clock_where_there_is_nothing_to_look_up(browser):
    response = browser.post(ADD, {**GOOD, "action": "identify", "kinds": ["Opportunity"]})
    assert "there is nothing to look up" in " ".join(errors(response)["action"])
    assert not Schedule.objects.exists()


@pytest.mark.usefixtures("marketo_rest_settings")
def test_ids_of_all_but_programs_can_be_looked_up_by_the_clock(browser):
    refused = browser.post(ADD, {**GOOD, "action": "identify", "kinds": ["Program", "Opportunity"]})
    assert errors(refused)["kinds"] == ["IDs of programs are not looked up; leave programs out."]
    browser.post(ADD, {**GOOD, "action": "identify", "kinds": ["Opportunity", "OpportunityPersonRole"]})
    made = Schedule.objects.get()
    assert (made.action, made.operation, made.kinds) == ("identify", "AUTO", ["Opportunity", "OpportunityPersonRole"])


def test_an_operation_is_dropped_where_nothing_is_sent(browser):
    browser.post(ADD, {**GOOD, "action": "pull", "kinds": ["Program"], "operation": "INSERT"})
    assert Schedule.objects.get().operation == "AUTO"


def test_nobody_can_schedule_what_they_may_not_do_themselves():
    person = factories.user("pat", group="editor")
    for name in ("add_schedule", "change_schedule"):
        person.user_permissions.add(Permission.objects.get(codename=name))
    browser = Client()
    browser.force_login(person)
    response = browser.post(ADD, GOOD)
    assert errors(response)["action"] == [
        "You may not send records to Marketo, so you cannot have it done by the clock."
    ]


@pytest.mark.parametrize(
    ("change", "next_at"),
    [
        ({"cron": "30 7 * * *"}, SIX + timedelta(hours=1.5)),
        ({"time_zone": "America/New_York"}, SIX + timedelta(hours=5)),
        ({"quiet_from": "05:30", "quiet_until": "06:30"}, SIX + timedelta(hours=0.5)),
        ({"enabled": ""}, None),
    ],
)
def test_changing_when_it_runs_plans_it_anew(browser, daily, change, next_at):
    browser.post(url(daily), {**GOOD, **change})
    daily.refresh_from_db()
    assert daily.next_at == next_at


def test_a_change_of_something_else_leaves_a_due_run_due_and_takes_over_the_ownership(browser, daily):
    Schedule.objects.update(next_at=SIX - timedelta(hours=2), missed=3, missed_text="3 runs were missed.")
    browser.post(url(daily), {**GOOD, "name": "Morning"})
    daily.refresh_from_db()
    assert (daily.name, daily.next_at) == ("Morning", SIX - timedelta(hours=2))
    assert (daily.missed, daily.missed_text, daily.owner.username) == (0, "", "operator-user")


# --- the pages ---


def test_the_list_says_what_when_next_and_what_was_missed(browser, daily):
    (job,) = schedules.run_due(SIX)
    text = "1 run was missed at Mon 2026-01-05 06:00 UTC: its job is not finished (queued)."
    Schedule.objects.update(
        quiet_from=time(22), quiet_until=time(5, 30), missed=1, missed_text=text, operation="UPSERT"
    )
    shown = pages.text(browser.get(LIST))
    for words in ("Send opportunities (UPSERT)", "Every day at 06:00 in UTC, not between 22:00 and 05:30"):
        assert words in shown
    for words in ("Tue 2026-01-06 06:00 UTC", "Not queued", "1 missed", text, pages.job_url(job)):
        assert words in shown


def test_the_list_survives_a_damaged_row(browser, daily):
    Schedule.objects.update(time_zone="Nowhere", kinds=["Lead"])
    assert "Nowhere" in pages.text(browser.get(LIST))
    assert browser.get(url(daily)).status_code == 200


def test_the_number_of_queries_of_the_list_does_not_grow(browser, daily, django_assert_max_num_queries):
    for number in range(20):
        job = pages.job(state=SyncJobState.QUEUED)
        Schedule.objects.create(name=f"S{number}", kinds=["Program"], cron="0 6 * * *", last_job=job, owner=daily.owner)
    with django_assert_max_num_queries(10):
        browser.get(LIST)


def test_a_schedules_page_shows_its_next_three_runs_in_its_zone(browser, daily):
    Schedule.objects.update(time_zone="Asia/Tokyo", next_at=SIX + timedelta(hours=15))
    shown = pages.text(browser.get(url(daily)))
    for day in ("Tue 2026-01-06", "Wed 2026-01-07", "Thu 2026-01-08"):
        assert f"{day} 06:00 Asia/Tokyo" in shown
    assert "Runs on behalf of olga" in shown


def test_a_schedules_page_leads_to_all_its_jobs(browser, daily):
    (job,) = schedules.run_due(SIX)
    pages.job()
    address = browser.get(url(daily)).context["schedule_panel"]["jobs_url"]
    assert list(browser.get(address).context["cl"].result_list) == [job]


def test_a_schedule_that_is_off_or_has_no_owner_says_so(browser, daily):
    Schedule.objects.update(enabled=False, next_at=None, owner=None)
    shown = pages.text(browser.get(url(daily)))
    assert "Switched off: it does not run by itself." in shown
    assert "It has no owner any more" in shown
    assert "Switched off" in pages.text(browser.get(LIST))


@pytest.mark.parametrize("group", ["viewer", "editor"])
def test_viewers_and_editors_see_schedules_and_change_nothing(group, daily):
    browser = pages.client(group)
    assert browser.get(LIST).status_code == 200
    assert "Run now" not in pages.text(browser.get(url(daily)))
    assert browser.get(ADD).status_code == 403
    assert browser.post(url(daily), {**GOOD, "name": "X"}).status_code == 403
    assert browser.post(url(daily, "delete"), {"post": "yes"}).status_code == 403


def test_deleting_a_schedule_keeps_its_jobs(browser, daily):
    (job,) = schedules.run_due(SIX)
    browser.post(url(daily, "delete"), {"post": "yes"})
    job.refresh_from_db()
    assert not Schedule.objects.exists()
    assert job.schedule is None


# --- run now ---


def test_run_now_makes_a_job_of_whoever_pressed_it_and_leads_there(browser, daily):
    response = browser.post(url(daily, "run_now"))
    job = SyncJob.objects.get()
    daily.refresh_from_db()
    assert response.url == pages.job_url(job)
    assert (job.username, job.source, job.schedule) == ("operator-user", "admin", daily)
    assert (daily.last_job, daily.next_at) == (job, SIX)


def test_run_now_does_not_start_a_second_job_beside_an_unfinished_one(browser, daily):
    browser.post(url(daily, "run_now"))
    response = browser.post(url(daily, "run_now"), follow=True)
    assert "Nothing was started: its job of Mon 2026-01-05 05:00 UTC is not finished" in pages.text(response)
    assert SyncJob.objects.count() == 1


@pytest.mark.parametrize("group", ["viewer", "editor"])
def test_run_now_needs_the_right_to_do_it(group, daily):
    response = pages.client(group).post(url(daily, "run_now"), follow=True)
    assert "Nothing was started: you may not send records to Marketo." in pages.text(response)
    assert not SyncJob.objects.exists()


def test_run_now_needs_the_right_to_see_schedules(daily):
    person = factories.user("pat")
    person.user_permissions.add(factories.permission("sync_records"))
    browser = Client()
    browser.force_login(User.objects.get(pk=person.pk))
    assert browser.post(url(daily, "run_now")).status_code == 403
    assert not SyncJob.objects.exists()


def test_run_now_is_pressed_not_followed(browser, daily):
    assert browser.get(url(daily, "run_now")).url == url(daily, "change")
    assert not SyncJob.objects.exists()


def test_run_now_of_a_schedule_that_is_gone_says_so(browser, daily):
    address = url(daily, "run_now")
    daily.delete()
    assert browser.post(address).status_code == 302


def test_run_now_starts_one_job_for_each_kind_that_is_pulled(browser, daily):
    Schedule.objects.update(action="pull", kinds=["Program", "Opportunity"])
    response = browser.post(url(daily, "run_now"), follow=True)
    assert "2 jobs, one for each kind; this is the first." in pages.text(response)
