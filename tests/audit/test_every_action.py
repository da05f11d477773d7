"""Every address that does something leaves an event, or is written down here with the reason why it need not."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver, reverse

from mobjects.models import AuditEvent, EventKind, ImportFix
from tests import factories
from tests.support.rewriting import remove_rows
from tests.views import pages
from tests.views.imports.made_imports import imported as made_import
from tests.views.test_pressed_only import addresses

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "queue", "marketo_settings")]

LOOKS = "only shows"
JOB = "makes a job, which says who asked, when and for what"
HISTORY = "each change of a record is kept value by value with who made it"
OWN = "a choice of one's own that nobody else sees"
STEP = "the import says who"
RECORDS = ("programs", "opportunities", "roles")

EVENTS: dict[str, EventKind] = {
    "mobjects:log-out": EventKind.SIGNED_OUT,
    "mobjects:session-end": EventKind.SIGNED_OUT,
    "mobjects:sessions-end": EventKind.SIGNED_OUT,
    "mobjects:password-change": EventKind.PASSWORD_CHANGED,
    "mobjects:job-queue-again": EventKind.QUEUED_AGAIN,
    "mobjects:job-pause": EventKind.PAUSED,
    "mobjects:job-resume": EventKind.RESUMED,
    "mobjects:job-cancel": EventKind.CANCELLED,
    "mobjects:job-results-file": EventKind.EXPORTED,
    "mobjects:jobs-file": EventKind.EXPORTED,
    "mobjects:results-file": EventKind.EXPORTED,
    "mobjects:result": EventKind.PAYLOAD_READ,
    "mobjects:batch-payload": EventKind.PAYLOAD_DOWNLOADED,
    "mobjects:import-check": EventKind.CHECKED_AGAIN,
    "mobjects:import-fix": EventKind.CORRECTION_REMOVED,
    "mobjects:import-discard": EventKind.DISCARDED,
    "mobjects:import-original": EventKind.EXPORTED,
    "mobjects:import-errors": EventKind.EXPORTED,
    "mobjects:export": EventKind.EXPORTED,
    "mobjects:connection": EventKind.CONNECTION_TESTED,
    "mobjects:confirmation": EventKind.ALLOWED,
    "mobjects:circuit-reset": EventKind.SENDING_RESET,
    "mobjects:view-delete": EventKind.DELETED,
    "mobjects:webhook-new": EventKind.ADDED,
    "mobjects:webhook": EventKind.CHANGED,
    "mobjects:webhook-delete": EventKind.DELETED,
    "mobjects:webhook-test": EventKind.NOTICE_SENT,
    "mobjects:delivery-resend": EventKind.NOTICE_SENT,
    "api:imports-check": EventKind.CHECKED_AGAIN,
    "api:imports-discard": EventKind.DISCARDED,
    "api:imports-write": EventKind.CHANGED,
    "api:imports-undo": EventKind.CHANGED,
    "api:imports-errors": EventKind.EXPORTED,
    "api:jobs-pause": EventKind.PAUSED,
    "api:jobs-resume": EventKind.RESUMED,
    "api:jobs-cancel": EventKind.CANCELLED,
    "api:schedules-new": EventKind.ADDED,
    "api:schedules-change": EventKind.CHANGED,
    "mobjects:approval-approve": EventKind.APPROVED,
    "mobjects:approval-refuse": EventKind.APPROVAL_REFUSED,
    "mobjects:approval-withdraw": EventKind.APPROVAL_WITHDRAWN,
    "mobjects:api-tokens": EventKind.TOKEN_MADE,
    "mobjects:api-token-revoke": EventKind.TOKEN_REVOKED,
    "admin:login": EventKind.SIGNED_IN,
    "admin:logout": EventKind.SIGNED_OUT,
    "admin:password_change": EventKind.PASSWORD_CHANGED,
    "admin:mobjects_syncbatch_change": EventKind.PAYLOAD_READ,
    "admin:mobjects_syncresult_change": EventKind.PAYLOAD_READ,
    "admin:auth_user_password_change": EventKind.CHANGED,
}

REASONS: dict[str, str] = {
    **dict.fromkeys(
        (
            "mobjects:search", "mobjects:dashboard-live", "mobjects:job-live", "mobjects:record-history",
            "mobjects:import", "mobjects:named-records", "mobjects:import-live", "mobjects:import-review",
            "mobjects:import-template", "mobjects:sign-in", "mobjects:api", "mobjects:api-schema",
            "api:openapi-json", "api:api-root", "api:programs-list", "api:programs-one", "api:opportunities-list",
            "api:opportunities-one", "api:roles-list", "api:roles-one", "api:imports-list", "api:imports-one",
            "api:imports-columns", "api:imports-problems", "api:previews-new", "api:jobs-list", "api:jobs-one",
            "api:jobs-results", "api:jobs-batches", "api:schedules-list", "api:schedules-one",
            "mobjects:deletion-records", "mobjects:queue", "mobjects:audit", "mobjects:deletion", "admin:search",
            "mobjects:bulk-edit", "mobjects:grid", "mobjects:grid-months", "mobjects:approval",
            "admin:index", "admin:password_change_done", "admin:autocomplete", "admin:jsi18n", "admin:view_on_site",
            "admin:app_list", "admin:mobjects_schedule_next_runs",
        ),
        LOOKS,
    ),
    **dict.fromkeys(
        (
            "mobjects:sync", "mobjects:job-retry", "mobjects:send-exactly", "mobjects:send-rest",
            "mobjects:undo-sending", "mobjects:results-retry", "mobjects:result-retry", "mobjects:pull",
            "mobjects:compare", "mobjects:delete-in-marketo", "mobjects:describe", "admin:mobjects_schedule_run_now",
        ),
        JOB,
    ),
    "api:jobs-new": JOB,
    **dict.fromkeys(("api:imports-new", "api:imports-columns-set"), STEP),
    **dict.fromkeys((f"api:{kind}-{act}" for kind in RECORDS for act in ("new", "change")), HISTORY),
    **dict.fromkeys(("mobjects:record-restore", "mobjects:moving", "mobjects:conflict-decide"), HISTORY),
    **dict.fromkeys(("mobjects:grid-save", "mobjects:grid-months-save"), HISTORY),
    **dict.fromkeys(
        ("mobjects:bulk-edit-plan", "mobjects:bulk-edit-confirm", "mobjects:bulk-edit-undo", "mobjects:bulk-edit-sync"),
        "the bulk edit says who, value by value; sending leads to a job",
    ),
    **dict.fromkeys(("mobjects:conflict-group", "mobjects:conflict-decision"), LOOKS),
    "mobjects:conflict-groups": LOOKS,
    **dict.fromkeys(
        ("mobjects:conflict-decision-confirm", "mobjects:conflict-decision-undo"), "the decision says who and what"
    ),
    **dict.fromkeys(("mobjects:deletion-confirm", "mobjects:deletion-undo"), "the deletion says who, value by value"),
    **dict.fromkeys(
        ("mobjects:import-new", "mobjects:import-columns", "mobjects:import-write", "mobjects:import-undo"), STEP
    ),
    **dict.fromkeys(
        ("mobjects:retention", "mobjects:purge", "mobjects:purge-allow", "mobjects:erase-person"),
        "the logs of purges and erasures say who asked and what went, the leave says who gave it",
    ),
    **dict.fromkeys(
        (
            "mobjects:time-zone", "mobjects:view-save", "mobjects:view-open",
            "mobjects:notices-read", "mobjects:notice-settings",
        ),
        OWN,
    ),
    **dict.fromkeys(("mobjects:notices", "mobjects:notice-deliveries"), LOOKS),
}  # fmt: skip

ADMIN = {
    "changelist": LOOKS,
    "history": LOOKS,
    "export": "leads to the export",
    "sync_all_changed": JOB,
    "choose_by_list": "leads to the page where records are chosen",
    "add": "kept by the listener of the admin's log, or value by value",
    "change": "likewise",
    "delete": "kept by the listener of deletions, or value by value",
}
"""Pages that each model of the admin has, by how their names end."""


def is_accounted_for(name: str) -> bool:
    if name in EVENTS or name in REASONS:
        return True
    return name.startswith("admin:") and any(name.endswith(f"_{ending}") for ending in ADMIN)


def all_names() -> set[str]:
    return {name for name, _values in addresses(get_resolver().url_patterns) if ":" in name}


def test_every_address_leaves_an_event_or_says_why_not():
    assert sorted(name for name in all_names() if not is_accounted_for(name)) == []


def test_no_address_is_accounted_for_that_is_gone():
    assert sorted({*EVENTS, *REASONS} - all_names()) == []


@pytest.fixture
def boss() -> Client:
    browser = Client()
    person = factories.user("boss")
    person.is_superuser = True
    person.set_password("secret")
    person.save()
    browser.force_login(person)
    remove_rows(AuditEvent)
    return browser


def queued():
    return pages.job(state="queued")


def correction(pressed: Client) -> None:
    imported = made_import()
    fix = ImportFix.objects.create(imported=imported, column="Amount", value="much", replacement="5")
    pressed.post(reverse("mobjects:import-fix", args=[imported.pk]), {"act": f"remove-{fix.pk}"})


def other_session() -> UserSession:
    """Another browser in which boss is signed in."""
    Client().force_login(User.objects.get(username="boss"))
    remove_rows(AuditEvent)
    return UserSession.objects.latest("pk")


def batch():
    return pages.batch(pages.job(), request="<request/>", response="<answer/>")


def result():
    made = batch()
    return pages.result(made.job, batch=made, position=1, status="FAILED")


PRESSES = {
    "pause": (EventKind.PAUSED, lambda b: b.post(reverse("mobjects:job-pause", args=[queued().pk]))),
    "resume": (
        EventKind.RESUMED,
        lambda b: b.post(reverse("mobjects:job-resume", args=[pages.job(state="paused").pk])),
    ),
    "cancel": (EventKind.CANCELLED, lambda b: b.post(reverse("mobjects:job-cancel", args=[queued().pk]))),
    "queue again": (
        EventKind.QUEUED_AGAIN,
        lambda b: b.post(reverse("mobjects:job-queue-again", args=[pages.job(state="not_queued").pk])),
    ),
    "check again": (
        EventKind.CHECKED_AGAIN,
        lambda b: b.post(reverse("mobjects:import-check", args=[made_import().pk])),
    ),
    "discard": (EventKind.DISCARDED, lambda b: b.post(reverse("mobjects:import-discard", args=[made_import().pk]))),
    "remove a correction": (EventKind.CORRECTION_REMOVED, correction),
    "read a batch": (
        EventKind.PAYLOAD_READ,
        lambda b: b.get(reverse("admin:mobjects_syncbatch_change", args=[batch().pk])),
    ),
    "read a result": (EventKind.PAYLOAD_READ, lambda b: b.get(reverse("mobjects:result", args=[result().pk]))),
    "download a payload": (
        EventKind.PAYLOAD_DOWNLOADED,
        lambda b: b.get(reverse("mobjects:batch-payload", args=[batch().pk, "request"])),
    ),
    "sign out everywhere": (EventKind.SIGNED_OUT, lambda b: b.post(reverse("mobjects:sessions-end"))),
    "sign out elsewhere": (
        EventKind.SIGNED_OUT,
        lambda b: b.post(reverse("mobjects:session-end", args=[other_session().pk])),
    ),
    "test the connection": (EventKind.CONNECTION_TESTED, lambda b: b.post(reverse("mobjects:connection"))),
    "export": (
        EventKind.EXPORTED,
        lambda b: list(b.post(reverse("mobjects:export", args=["opportunities"]), {"format": "csv"})),
    ),
    "history file": (EventKind.EXPORTED, lambda b: list(b.get(reverse("mobjects:jobs-file", args=["csv"])))),
    "uploaded file": (
        EventKind.EXPORTED,
        lambda b: list(b.get(reverse("mobjects:import-original", args=[made_import().pk]))),
    ),
}


@pytest.mark.parametrize("name", PRESSES)
def test_it_leaves_one_event(boss, name):
    kind, press = PRESSES[name]
    press(boss)
    found = [(event.kind, event.username) for event in AuditEvent.objects.exclude(kind=EventKind.CHECKED_AGAIN)]
    if kind == EventKind.CHECKED_AGAIN:
        found = [(event.kind, event.username) for event in AuditEvent.objects.all()]
    assert found == [(kind, "boss")]


def test_who_may_not_read_payloads_leaves_no_event_of_reading_them():
    browser = pages.client("viewer")
    browser.get(reverse("admin:mobjects_syncbatch_change", args=[batch().pk]))
    assert not AuditEvent.objects.filter(kind=EventKind.PAYLOAD_READ).exists()
