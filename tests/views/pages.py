"""What the tests of the pages share: history made by hand, logged-in browsers, addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.test import Client
from django.urls import reverse
from lxml import html

from mobjects.models import SyncBatch, SyncBatchState, SyncJob, SyncJobState, SyncResult
from tests import factories

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SELECTION = {
    "kinds": ["Opportunity"],
    "ids": None,
    "operation": "AUTO",
    "resend": False,
    "include_unknown": False,
    "of_job": "",
    "of_statuses": [],
    "of_error": None,
    "read_first": False,
    "of_import": None,
    "of_dry_run": "",
    "rest": None,
    "rest_by_itself": False,
    "after_try": "",
}
"""Of a job that sends all changed opportunities."""


def client(group: str = "operator") -> Client:
    """A browser in which a user of a group is logged in."""
    browser = Client()
    browser.force_login(factories.user(f"{group}-user", group=group))
    return browser


def job(**values) -> SyncJob:
    """A finished job."""
    state = SyncJobState.SUCCEEDED
    return SyncJob.objects.create(**{"kind": "Opportunity", "state": state, "selection": SELECTION, **values})


def batch(of: SyncJob, **values) -> SyncBatch:
    """An answered batch."""
    answered = SyncBatchState.ANSWERED
    common = {"sequence": 1, "kind": "Opportunity", "operation": "INSERT", "size": 1, "state": answered}
    return SyncBatch.objects.create(job=of, **{**common, **values})


def result(of: SyncJob, **values) -> SyncResult:
    """A created record that does not exist here any more."""
    common = {"kind": "Opportunity", "record_id": 999999, "label": "Gone", "revision": 1, "status": "CREATED"}
    return SyncResult.objects.create(job=of, **{**common, **values})


def job_url(of: SyncJob, query: str = "") -> str:
    return reverse("admin:mobjects_syncjob_change", args=[of.pk]) + query


def text(response) -> str:
    """The page's HTML with runs of blanks as one."""
    return " ".join(response.content.decode().split())


def tree(response) -> Any:
    """The page's elements."""
    return html.fromstring(response.content.decode())  # poor stubs


def words(response) -> str:
    """What the page says, without its HTML."""
    return " ".join(tree(response).text_content().split())
