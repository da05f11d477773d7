"""Who may approve hears that something waits for them, and that it does not any more."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone, translation

from mobjects.jobs.approvals import service
from mobjects.jobs.approvals.service import Decision
from mobjects.jobs.control import cancel_job
from mobjects.jobs.requests import request_sync
from mobjects.models import Approval, Notice, NoticeDelivery, NoticeEvent, OpenCondition
from mobjects.notices.choices import events_for, read_choice, save_choice
from mobjects.notices.wording import describe_notice
from tests import factories
from tests.notices.test_notices import events, said
from tests.support.approvals import OPPORTUNITIES, ask, make_rule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("marketo_settings", "queue", "groups")]


@pytest.fixture
def olga() -> User:
    return factories.user("olga", group="operator")


@pytest.fixture
def anna() -> User:
    return factories.user("anna", group="operator")


def readers() -> list[list[str]]:
    """For each notice, whose inbox it is in."""
    found = [NoticeDelivery.objects.filter(notice=notice).order_by("user__username") for notice in _notices()]
    return [list(each.values_list("user__username", flat=True)) for each in found]


def _notices() -> Any:
    return Notice.objects.order_by("pk")


def held(user: User) -> Approval:
    make_rule(name="Large ones", more_than=1)
    for _ in range(2):
        factories.opportunity()
    return ask(user=user).approvals.get()


def test_whoever_may_approve_hears_of_it_and_who_asked_hears_how_it_was_decided(olga, anna):
    factories.user("see", group="viewer")
    approval = held(olga)
    text = describe_notice(Notice.objects.get())
    assert text.title.startswith("Waits for approval: Sync of 2 opportunities, ")
    assert text.detail.startswith("olga asked for it; the rule “Large ones” holds it, until ")
    assert text.path == f"/admin/approvals/{approval.pk}/"
    assert service.approve(approval, anna) == Decision.DONE
    assert events() == [("approval_waits", False), ("approval_waits", True)]
    assert said()[1].startswith("Approved: Sync of 2 opportunities, ")
    assert readers() == [["anna"], ["olga"]]
    assert not OpenCondition.objects.exists()


def test_a_second_account_of_who_asked_does_not_hear_of_it(olga, anna):
    for name in ("olga", "anna"):
        User.objects.filter(username=name).update(email="olga@example.com")
    held(User.objects.get(pk=olga.pk))
    assert readers() == [[]]


def test_an_approver_who_may_not_send_hears_of_it_without_having_chosen(olga):
    approver = factories.user("boss", group="viewer")
    approver.user_permissions.add(Permission.objects.get(codename="approve_work"))
    approval = held(olga)
    assert readers() == [["boss"]]
    save_choice(approver, [], [])
    service.withdraw_own(approval, olga)
    assert readers() == [["boss"], []]


def test_there_is_no_notice_before_the_preview_is_there_nor_of_its_end_then(olga, anna):
    make_rule()
    factories.opportunity()
    job = request_sync(OPPORTUNITIES, user=olga)
    assert events() == []
    cancel_job(job)
    assert events() == []


def test_a_refusal_is_told_with_its_reason(olga, anna):
    service.refuse(held(olga), anna, "Not this month.")
    text = describe_notice(_notices().last())
    assert (text.title[:8], text.detail) == ("Refused:", "By anna. Not this month.")


def test_what_nobody_approves_in_time_is_over_in_the_language_of_the_reader(olga, anna):
    held(olga)
    Approval.objects.update(expires_at=timezone.now())
    service.sweep_approvals()
    assert readers() == [["anna"], ["anna", "olga"]]
    with translation.override("ko"):
        first, last = (describe_notice(notice) for notice in _notices())
    assert first.title.startswith("승인 대기: ")
    assert last.title.startswith("만료됨: ")


def test_who_asked_and_may_not_approve_hears_how_it_was_decided(anna):
    olga = factories.user("olga", group="viewer")
    olga.user_permissions.add(*Permission.objects.filter(codename="sync_records"))
    approval = held(olga)
    assert readers() == [["anna"]]
    service.refuse(approval, anna, "Not this month.")
    assert readers() == [["anna"], ["olga"]]


def test_who_asked_hears_nothing_of_what_they_withdrew_themselves(anna):
    olga = factories.user("olga", group="viewer")
    service.withdraw_own(held(olga), olga)
    assert readers() == [["anna"], ["anna"]]


def test_who_asked_and_may_not_see_approvals_hears_nothing(anna):
    olga = factories.user("olga", group="viewer")
    Group.objects.get(name="viewer").permissions.remove(Permission.objects.get(codename="view_approval"))
    service.refuse(held(olga), anna, "Not this month.")
    assert readers() == [["anna"], []]


def test_who_asks_chooses_whether_they_hear_of_it(anna):
    olga = factories.user("olga", group="viewer")
    assert NoticeEvent.APPROVAL_WAITS not in events_for(olga)
    olga.user_permissions.add(*Permission.objects.filter(codename="sync_records"))
    olga = User.objects.get(pk=olga.pk)
    assert NoticeEvent.APPROVAL_WAITS in events_for(olga)
    assert NoticeEvent.APPROVAL_WAITS in read_choice(olga).inbox
    save_choice(olga, [], [])
    service.refuse(held(olga), anna, "Not this month.")
    assert readers() == [["anna"], []]
