"""What others do in the moment in which an ID is kept."""

from __future__ import annotations

import pytest

from mobjects.models import Opportunity
from tests import factories
from tests.support.concurrent import concurrently, postgresql
from tests.support.guids import deal, guid
from tests.support.identify_transport import Wire
from tests.sync.pull.identify.test_task import known, look_up, results

pytestmark = [pytest.mark.django_db(transaction=True), postgresql]
KEEPING = 'UPDATE "mobjects_opportunity" SET "marketo_guid"'


def test_a_key_is_not_changed_between_the_look_at_it_and_the_keeping_of_its_id():
    factories.opportunity(external_id="E-1", name="Deal")
    without_id = Opportunity.objects.filter(marketo_guid__isnull=True)
    with concurrently(lambda: without_id.update(external_id="E-9"), before=KEEPING) as edited:
        look_up(Wire(deal(1, "E-1")))
    assert edited == [0]
    assert (known(), Opportunity.objects.get().external_id) == ({"Deal": guid(1)}, "E-1")


def test_of_two_records_that_get_an_id_at_once_the_second_says_who_was_first():
    factories.opportunity(external_id="E-1", name="Deal")
    other = factories.opportunity(external_id=None, marketo_id=7, name="Other")
    others = Opportunity.objects.filter(pk=other.pk)
    with concurrently(lambda: others.update(marketo_guid=guid(1)), before=KEEPING):
        job = look_up(Wire(deal(1, "E-1")))
    assert known() == {"Other": guid(1)}
    assert results(job)["Deal"][0] == "HELD"
    assert "“Other”" in results(job)["Deal"][1]
