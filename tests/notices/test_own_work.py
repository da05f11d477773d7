"""Whoever started long work hears that it is done; nobody else does, nor of what was short."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.utils import timezone, translation

from mobjects.imports.lifecycle import IMPORT_STATES
from mobjects.jobs.lifecycle import end_job
from mobjects.models import Import, ImportState, Notice, NoticeChoice, NoticeDelivery, SyncJobState
from mobjects.notices.choices import read_choice, save_choice
from mobjects.notices.wording import describe_notice
from tests import factories
from tests.notices.test_notices import events
from tests.views.imports.made_imports import imported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "redis_url")]

LONG, SHORT = timedelta(minutes=3), timedelta(minutes=1)


@pytest.fixture
def olga() -> User:
    return factories.user("olga", group="operator")


@pytest.fixture(autouse=True)
def others() -> None:
    factories.user("anna", group="operator")


def end(user: User | None, *, took: timedelta = LONG, state: str = SyncJobState.SUCCEEDED, **values: Any) -> None:
    given = {"counts": {"CREATED": 412}, "planned": 412, "created_at": timezone.now() - took, **values}
    end_job(factories.job_in(SyncJobState.RUNNING, user=user, **given), SyncJobState(state))


def step(old: str, new: str, *, took: timedelta = LONG, **values: Any) -> Import:
    made = imported(**{"username": "olga", "state": old, "step_at": timezone.now() - took, "rows": 400, **values})
    assert IMPORT_STATES.change(made, ImportState(new))
    return made


def readers() -> list[str]:
    return list(NoticeDelivery.objects.order_by("pk").values_list("user__username", flat=True))


def test_who_asked_for_a_long_job_hears_how_it_ended(olga):
    end(olga)
    assert (events(), readers()) == ([("long_work", False)], ["olga"])
    text = describe_notice(Notice.objects.get())
    assert text.title.startswith("Done: Sync of 412 opportunities, ")
    assert text.detail == "412 created"
    assert "/admin/mobjects/syncjob/" in text.path


@pytest.mark.parametrize(
    "values",
    [{"took": SHORT}, {"source": "api"}, {"source": "schedule"}, {"state": SyncJobState.CANCELLED}],
    ids=["short", "API", "schedule", "cancelled"],
)
def test_nobody_hears_of_what_nobody_waits_for(olga, values):
    end(olga, **values)
    assert events() == []


def test_a_job_that_nobody_asked_for_is_told_to_nobody():
    end(None)
    assert events() == []


def test_a_long_job_that_broke_is_one_notice_to_all_who_may_send(olga):
    end(olga, state=SyncJobState.CRASHED)
    assert events() == [("job_failed", False)]


@pytest.mark.parametrize(
    ("old", "new", "title", "detail"),
    [
        ("checking", "review", "Waits for review: import of “deals.csv”", "Checked 400 rows: 312 new, 88 changed. "),
        ("committing", "committed", "Written: import of “deals.csv”", "Written: 312 created, 88 changed."),
    ],
)
def test_who_uploaded_a_large_file_hears_of_each_long_step(olga, old, new, title, detail):
    counts = {"new": 312, "changed": 88}
    step(old, new, counts=counts, written={"created": 312, "changed": 88})
    text = describe_notice(Notice.objects.get())
    assert (text.title, text.detail[: len(detail)]) == (title, detail)
    assert text.path.startswith("/admin/import")
    assert readers() == ["olga"]
    with translation.override("ko"):
        assert "deals.csv" in describe_notice(Notice.objects.get()).title


@pytest.mark.parametrize(("old", "new"), [("undoing", "committed"), ("committing", "review"), ("checking", "mapping")])
def test_a_long_step_that_broke_off_is_not_told_as_done(olga, old, new):
    made = step(old, new, problem="Row 7 was changed.")
    text = describe_notice(Notice.objects.get())
    assert (text.title, text.detail) == (f"Not finished: import of “{made.file_name}”", "Row 7 was changed.")


def test_a_check_that_a_person_ends_is_told_to_nobody(olga):
    step("checking", "discarded")
    assert events() == []


def test_who_wrote_and_who_undid_an_import_hear_of_that(olga):
    step("committing", "committed", committed_by="anna")
    step("undoing", "undone", committed_by="olga", undone_by="anna")
    assert readers() == ["anna", "anna"]


def test_steps_that_were_short_or_that_a_person_made_are_told_to_nobody(olga):
    step("checking", "review", took=SHORT)
    step("review", "discarded")
    step("checking", "review", source="api")
    assert events() == []


def test_who_chose_before_there_were_these_notices_hears_of_them(olga):
    boss = factories.user("boss", group="viewer")
    boss.user_permissions.add(Permission.objects.get(codename="approve_work"))
    save_choice(olga, ["halted"], [])
    save_choice(boss, ["halted"], [])
    save_choice(User.objects.get(username="anna"), [], [])
    import_module("mobjects.migrations.0056_new_notices").add_new_events(apps, None)
    kept = dict(NoticeChoice.objects.values_list("user__username", "inbox"))
    assert kept.pop("anna") == []
    assert kept["boss"] == ["halted", "long_work"]
    assert kept["olga"][:2] == ["halted", "long_work"]


def test_nobody_hears_of_it_who_chose_so_or_may_not_see_the_page(olga):
    assert "long_work" in read_choice(olga).inbox
    save_choice(olga, [], [])
    end(olga)
    end(factories.user("nobody"))
    assert events() == [("long_work", False)] * 2
    assert readers() == []
