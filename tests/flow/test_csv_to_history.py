"""The whole walk without a browser: upload, work the queue, read the pages, ask the sandbox what it holds."""

from __future__ import annotations

import logging
import re

import pytest
from django.urls import reverse

from mobjects.models import Opportunity, OpportunityPersonRole, SyncBatch, SyncJob, SyncJobState, SyncResult
from mobjects.sandbox import KEY
from mobjects.sync.transport_factory import open_transport
from tests import factories
from tests.support import invariants

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups"),
]

SIGNATURE = re.compile(r"\b[0-9a-f]{40}\b")


@pytest.fixture
def operator(client):
    client.force_login(factories.user("olga", group="operator"))
    return client


def press_sync(client, **data):
    """Through the confirm page, as a person would."""
    page = client.get(reverse("mobjects:sync"), {"kind": "all"})
    form = page.context["form"]
    hidden = {name: form[name].value() for name in form.fields}
    given = {name: value for name, value in hidden.items() if value not in (None, False)}
    return client.post(reverse("mobjects:sync"), {**given, "send": "1", **data}, follow=True)


@pytest.mark.usefixtures("either_api")
def test_from_the_pages_to_marketo_and_back(operator, work, sandbox):
    opportunity = factories.opportunity(name="Deal <&>")
    factories.role(opportunity)
    answer = press_sync(operator, reason="month end")
    assert answer.status_code == 200
    job = SyncJob.objects.get()
    assert (job.state, job.username) == (SyncJobState.QUEUED, "olga")
    work()
    job.refresh_from_db()
    assert (job.state, job.counts) == (SyncJobState.SUCCEEDED, {"CREATED": 2})
    page = operator.get(reverse("admin:mobjects_syncjob_change", args=[job.pk])).content.decode()
    assert "Deal &lt;&amp;&gt;" in page
    assert "month end" in page
    assert invariants.stored_for(sandbox, Opportunity.objects.get()) is not None
    assert invariants.stored_for(sandbox, OpportunityPersonRole.objects.get()) is not None


def every_page(client) -> str:
    """All pages of the app that show something of a sync, as one text."""
    batch, result = SyncBatch.objects.first(), SyncResult.objects.first()
    addresses = [
        reverse("admin:index"),
        reverse("admin:mobjects_syncjob_changelist"),
        reverse("admin:mobjects_opportunity_changelist"),
        reverse("admin:mobjects_opportunity_change", args=[result.record_id]),
        reverse("admin:mobjects_syncjob_change", args=[batch.job_id]),
        reverse("admin:mobjects_syncbatch_change", args=[batch.pk]),
        reverse("mobjects:record-history", args=[result.kind, result.record_id]),
        reverse("mobjects:connection"),
        reverse("mobjects:queue"),
        reverse("mobjects:sync") + "?kind=all",
    ]
    answers = [client.get(address) for address in addresses]
    answers.append(client.post(reverse("mobjects:connection"), follow=True))
    assert {answer.status_code for answer in answers} == {200}
    return "".join(answer.content.decode() for answer in answers)


@pytest.mark.parametrize("fault", ["", "soap", "http", "cut_after", "short"])
def test_no_secret_anywhere(operator, sandbox, caplog, fault):
    caplog.set_level(logging.DEBUG)
    factories.opportunity()
    if fault:
        sandbox.faults.add(fault, code="20014")
    factories.sync()
    rows = [*SyncJob.objects.values(), *SyncBatch.objects.values(), *SyncResult.objects.values()]
    transport = open_transport()
    told = "\n".join([every_page(operator), caplog.text, repr(rows), repr(transport), str(vars(transport))])
    transport.close()
    assert KEY not in told
    assert not SIGNATURE.search(told)
    assert "paramsSyncMObjects" in told


@pytest.mark.parametrize(
    ("group", "allowed"),
    [("viewer", set()), ("editor", {"import"}), ("operator", {"import", "sync", "payload", "connection", "queue"})],
)
def test_nobody_gets_further_than_their_permissions(client, group, allowed):
    factories.opportunity()
    factories.sync()
    client.force_login(factories.user(group=group))
    batch = SyncBatch.objects.get()
    assert (client.get(reverse("mobjects:import-new")).status_code == 200) is ("import" in allowed)
    assert (client.get(reverse("mobjects:sync") + "?kind=all").status_code == 200) is ("sync" in allowed)
    assert (client.get(reverse("mobjects:connection")).status_code == 200) is ("connection" in allowed)
    assert (client.get(reverse("mobjects:queue")).status_code == 200) is ("queue" in allowed)
    page = client.get(reverse("admin:mobjects_syncbatch_change", args=[batch.pk]))
    assert page.status_code == 200
    assert ("paramsSyncMObjects" in page.content.decode()) is ("payload" in allowed)
    listed = client.get(reverse("admin:mobjects_opportunity_changelist")).content.decode()
    assert ("sync_selected" in listed) is ("sync" in allowed)
