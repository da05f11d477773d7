"""Who did what is written down, whichever way it was done, and stays when the person is gone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from mobjects import clock
from mobjects.audit.events import record_event
from mobjects.jobs.control import cancel_job
from mobjects.models import AuditEvent, EventKind
from tests import factories
from tests.views import pages
from tests.views.imports.made_imports import imported as made_import

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]


def events(kind: EventKind) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(kind=kind))


def test_an_event_says_who_when_from_where_and_to_what():
    job, before = pages.job(state="queued"), clock.now()
    pages.client().post(reverse("mobjects:job-pause", args=[job.pk]), REMOTE_ADDR="192.0.2.7")
    (event,) = events(EventKind.PAUSED)
    person = User.objects.get(username="operator-user")
    assert (event.username, event.person_id, event.address) == ("operator-user", str(person.pk), "192.0.2.7")
    assert (event.model, event.object_id, event.words) == ("syncjob", str(job.pk), str(job))
    assert before - timedelta(seconds=1) <= event.created_at <= clock.now()


def test_deleting_a_person_erases_nothing():
    """The pages delete nobody; a program or the console may."""
    job = pages.job(state="queued")
    person = factories.user("leaver", group="operator")
    browser = Client()
    browser.force_login(person)
    browser.post(reverse("mobjects:job-cancel", args=[job.pk]))
    kept = AuditEvent.objects.filter(username="leaver")
    before = list(kept.order_by("pk").values())
    person.delete()
    assert not User.objects.filter(username="leaver").exists()
    assert [row["kind"] for row in before] == ["signed_in", "cancelled"]
    assert list(kept.order_by("pk").values()) == before
    (gone,) = events(EventKind.DELETED)
    assert (gone.username, gone.model, gone.words) == ("", "user", "leaver")


def test_several_groups_deleted_at_once_leave_an_event_each():
    boss = User.objects.create_superuser("boss")
    groups = [Group.objects.create(name=name) for name in ("one", "two")]
    browser = Client()
    browser.force_login(boss)
    ticked = {"action": "delete_selected", "post": "yes", "_selected_action": [group.pk for group in groups]}
    browser.post(reverse("admin:auth_group_changelist"), ticked)
    assert {event.words for event in events(EventKind.DELETED)} == {"one", "two"}


def test_signing_in_failing_to_and_signing_out():
    factories.user("alice", group="viewer")
    browser = Client(REMOTE_ADDR="192.0.2.9")
    browser.post(reverse("admin:login"), {"username": "alice", "password": "not the password"})
    browser.post(reverse("admin:login"), {"username": "alice", "password": "secret"})
    browser.post(reverse("admin:logout"))
    found = list(AuditEvent.objects.order_by("pk").values_list("kind", "username", "address"))
    kinds = ("sign_in_failed", "signed_in", "signed_out")
    assert found == [(kind, "alice", "192.0.2.9") for kind in kinds]
    assert "not the password" not in json.dumps(list(AuditEvent.objects.values()), default=str)


def test_a_failed_sign_in_with_any_text_is_kept_as_it_fits():
    record_event(EventKind.SIGN_IN_FAILED, username="a\0" + "b" * 300)  # As another way in may pass it on.
    (event,) = events(EventKind.SIGN_IN_FAILED)
    assert len(event.username) <= 150
    assert "\0" not in event.username


def test_who_is_refused_is_recorded_without_the_query_and_strangers_are_not():
    browser = pages.client("viewer")
    assert browser.get(reverse("mobjects:connection") + "?secret=1").status_code == 403
    (event,) = events(EventKind.REFUSED)
    assert (event.username, event.words) == ("viewer-user", "GET /admin/connection/")
    Client(enforce_csrf_checks=True).post(reverse("admin:login"), {"username": "x", "password": "y"})
    assert len(events(EventKind.REFUSED)) == 1


def test_what_is_rolled_back_leaves_no_event():
    job = pages.job(state="queued")
    with transaction.atomic():
        cancel_job(job)
        transaction.set_rollback(True)
    assert events(EventKind.CANCELLED) == []


def test_what_a_form_of_the_admin_changes_is_kept_by_field_without_values():
    boss, person = User.objects.create_superuser("boss"), factories.user("alice")
    browser = Client()
    browser.force_login(boss)
    group = Group.objects.create(name="new")
    browser.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "renamed"})
    password = {"password1": "corr3ct h0rse", "password2": "corr3ct h0rse"}
    browser.post(reverse("admin:auth_user_password_change", args=[person.pk]), password)
    found = {(event.model, event.words): event.detail for event in events(EventKind.CHANGED)}
    assert "Name" in str(found["group", "renamed"])
    assert "Password" in str(found["user", "alice"]) or "password" in str(found["user", "alice"])
    assert "corr3ct" not in str(found)


def test_a_person_changes_their_own_password():
    browser = pages.client("viewer")
    given = {"old_password": "secret", "new_password1": "corr3ct h0rse b", "new_password2": "corr3ct h0rse b"}
    browser.post(reverse("admin:password_change"), {**given, "old_password": "wrong"})
    assert events(EventKind.PASSWORD_CHANGED) == []
    browser.post(reverse("admin:password_change"), given)
    assert [event.words for event in events(EventKind.PASSWORD_CHANGED)] == ["viewer-user"]


def test_outside_of_a_request_nobody_is_named_unless_given():
    event = record_event(EventKind.DISCARDED, on=made_import(file_name="a.csv"), username="root")
    assert (event.username, event.person_id, event.address) == ("root", "", "")
