"""An instance whose CRM owns opportunities and roles: the API refuses them (1018), and programs go on."""

from __future__ import annotations

import pytest

from mobjects.marketo.types import Kind
from mobjects.models import Circuit, RecordStatus, SyncResultStatus
from tests import factories
from tests.views import pages

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_rest_settings")]
OPPORTUNITIES = "POST /rest/v1/opportunities.json"


@pytest.fixture
def refused(sandbox):
    """A job of a program and an opportunity, which is refused; and the two."""
    sandbox.instance.native_crm_sync = True
    stored = next(iter(sandbox.store.programs.values()))
    program = factories.program(marketo_id=stored.id, name=stored.name, channel=stored.channel)
    factories.cost(program)
    deal = factories.opportunity(external_id="E-1")
    return factories.sync(), program, deal


def writes(sandbox):
    return [call.operation for call in sandbox.calls].count(OPPORTUNITIES)


def test_programs_are_sent_in_the_same_job_and_the_kind_is_halted(refused):
    job, program, deal = refused
    assert factories.fresh(program).last_status == RecordStatus.UPDATED
    assert not factories.fresh(program).is_dirty
    kept = job.results.get(kind=Kind.OPPORTUNITY.value)
    assert (kept.status, "native sync owns opportunities" in kept.error) == (SyncResultStatus.NOT_SENT, True)
    assert factories.fresh(deal).is_dirty
    assert Circuit.objects.get().kind == Kind.OPPORTUNITY.value


def test_dashboard_and_connection_say_why(refused, groups, redis_url):
    browser = pages.client()
    for page in ("/admin/", "/admin/connection/"):
        assert "native sync owns opportunities" in pages.text(browser.get(page))


def test_the_next_job_does_not_ask_again(refused, sandbox):
    assert writes(sandbox) == 1
    factories.sync(refused[2])
    assert writes(sandbox) == 1
