"""A transport is what its entry says: with one more in the registry the whole site works through it."""

from __future__ import annotations

import html
import logging

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.urls import reverse

from mobjects.jobs import requests
from mobjects.marketo.registry import TRANSPORTS
from mobjects.marketo.types import Kind
from mobjects.models import SyncJob, SyncJobState
from mobjects.sync.send.selection import SyncSelection
from mobjects.sync.transport_factory import facts
from tests import factories
from tests.support import telex
from tests.views import pages

# Real transactions: the worker closes its connections, and a test transaction would go with them.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("groups")]


@pytest.fixture(autouse=True)
def received(settings):
    """The site with a transport by telex, and what that was sent."""
    sent = []
    TRANSPORTS["telex"] = telex.entry(sent)
    soap = dict.fromkeys(("SOAP_ENDPOINT", "USER_ID", "ENCRYPTION_KEY", "PARTNER_ID"), "")
    settings.MARKETO = {**settings.MARKETO, **soap, **telex.SETTINGS}
    yield sent
    del TRANSPORTS["telex"]


@pytest.fixture
def job(queue, work):
    """A job that a worker did."""
    factories.opportunity(name="Q1 2014")
    asked = requests.request_sync(SyncSelection(kinds=(Kind.OPPORTUNITY,)))
    work()
    return SyncJob.objects.get(pk=asked.pk)


def ids():
    return [message.id for message in run_checks() if message.id.startswith("mobjects.")]


def test_the_checks_find_nothing_wrong():
    assert ids() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"TELEX_LINE": ""}, "mobjects.W001"),
        ({"TELEX_CODE_WORD": ""}, "mobjects.W001"),
        ({"TELEX_LINE": "telex.example"}, "mobjects.E002"),
        ({"TELEX_LINE": "http://telex.example/line"}, "mobjects.E003"),
    ],
)
def test_the_checks_look_at_its_settings(settings, changes, expected):
    settings.MARKETO = {**settings.MARKETO, **changes}
    assert ids() == [expected]


def test_the_connection_page_shows_its_settings_and_no_others(redis_url):
    shown = pages.text(pages.client().get(reverse("mobjects:connection")))
    assert "<dt>Telex line</dt><dd>https://telex.example/line</dd>" in shown
    assert "<dt>Code word</dt><dd>set</dd>" in shown
    assert [label for label, _ in facts()][:4] == ["Transport", "Telex line", "Telex number", "Code word"]
    assert "Encryption key" not in shown


def test_the_connection_can_be_tested(redis_url, capsys):
    call_command("test_connection")
    assert capsys.readouterr().out == "telex https://telex.example/line: ok. The line is free.\n"


def test_the_connection_can_be_tested_on_its_page(redis_url, work):
    browser = pages.client()
    browser.post(reverse("mobjects:connection"))
    work()
    assert "The line is free." in pages.text(browser.get(reverse("mobjects:connection")))


def test_what_is_missing_is_said_before_sending(settings, redis_url):
    settings.MARKETO = {**settings.MARKETO, "TELEX_CODE_WORD": ""}
    shown = pages.text(pages.client().get(reverse("mobjects:sync")))
    assert "MARKETO_TELEX_CODE_WORD (or MARKETO_TELEX_CODE_WORD_FILE) is not set." in shown


def test_a_job_sends_through_it(received, job):
    assert (job.state, job.counts, job.transport) == (SyncJobState.SUCCEEDED, {"CREATED": 1}, "telex")
    assert [record.values["Name"] for record in received] == ["Q1 2014"]


def test_the_batch_tells_who_called_in_its_words(job):
    address = reverse("admin:mobjects_syncbatch_change", args=[job.batches.get().pk])
    shown = pages.text(pages.client().get(address))
    assert "<dt>Number that called</dt><dd>4711</dd>" in shown
    assert "Signed" not in shown


def test_its_secrets_are_neither_kept_nor_logged(caplog, redis_url):
    caplog.set_level(logging.DEBUG)
    factories.opportunity()
    (batch,) = factories.sync().batches.all()
    assert batch.request == "Authorization: Bearer ***\nINSERT 1 of ***"
    assert batch.response == "received from ***"
    assert telex.SECRET not in caplog.text
    assert telex.TOKEN not in caplog.text


def test_its_secrets_are_on_no_page(job):
    batch = job.batches.get()
    addresses = [
        reverse("mobjects:connection"),
        pages.job_url(job),
        reverse("admin:mobjects_syncbatch_change", args=[batch.pk]),
        reverse("mobjects:batch-payload", args=[batch.pk, "request"]),
    ]
    browser = pages.client()
    shown = "".join(html.unescape(browser.get(address).content.decode()) for address in addresses)
    assert "Authorization: Bearer ***" in shown
    assert telex.SECRET not in shown
    assert telex.TOKEN not in shown
