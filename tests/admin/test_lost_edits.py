"""Two who write the same record at once: nothing of either is overwritten unseen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.db import transaction

from mobjects.marketo.types import Kind
from mobjects.models import Opportunity, Program, ProgramCost
from tests import factories
from tests.factories import fresh
from tests.support import memory
from tests.support.admin_forms import browser_of, open_form, read_confirmation, send_form
from tests.support.concurrent import Concurrently, concurrently, postgresql
from tests.support.memory import Memory
from tests.support.pulls import in_step, pull

pytestmark = [
    postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("groups", "marketo_settings", "redis_url"),
]

SAVING = 'UPDATE "mobjects_opportunity"'
ASKED = "Somebody else changed this record"


@pytest.fixture
def olga():
    return browser_of(factories.user("olga", group="operator"))


@pytest.fixture
def ben():
    return browser_of(factories.user("ben", group="operator"))


def saved(response) -> bool:
    return response.status_code == 302


def test_of_two_who_save_a_field_at_once_the_second_is_asked(olga, ben):
    record = factories.opportunity(stage="New")
    hers, his = open_form(olga, record), open_form(ben, record)
    with concurrently(lambda: send_form(ben, record, his, stage="Lost"), before=SAVING) as given:
        assert saved(send_form(olga, record, hers, stage="Won"))
    assert ASKED in given[0].content.decode()
    assert fresh(record).stage == "Won"


def test_of_two_who_save_other_fields_at_once_both_are_kept(olga, ben):
    record = factories.opportunity(stage="New")
    hers, his = open_form(olga, record), open_form(ben, record)
    with concurrently(lambda: send_form(ben, record, his, next_step="Call"), before=SAVING) as given:
        assert saved(send_form(olga, record, hers, stage="Won"))
    assert saved(given[0])
    assert (fresh(record).stage, fresh(record).next_step) == ("Won", "Call")


def test_a_form_that_is_saved_while_a_pull_is_written_does_not_overwrite_it(olga):
    record = in_step(factories.opportunity(marketo_id=71, stage="New"))
    form = open_form(olga, record)
    with concurrently(lambda: send_form(olga, record, form, stage="Lost"), before=SAVING) as given:
        pull(Memory(memory.opportunity(71, Stage="Won")), Kind.OPPORTUNITY)
    assert ASKED in given[0].content.decode()
    assert fresh(record).stage == "Won"


def test_of_two_who_save_a_cost_at_once_the_second_is_asked(olga, ben):
    program = factories.program()
    cost = factories.cost(program, amount=Decimal(1))
    hers, his = open_form(olga, program), open_form(ben, program)
    second = {"costs-0-amount": "3"}
    with concurrently(lambda: send_form(ben, program, his, **second), before='UPDATE "mobjects_programcost"') as given:
        assert saved(send_form(olga, program, hers, **{"costs-0-amount": "2"}))
    assert ASKED in given[0].content.decode()
    assert fresh(program).costs.get(pk=cost.pk).amount == 2


def test_a_cost_on_a_page_of_its_own_and_on_its_program_at_once(olga, ben):
    program = factories.program()
    cost = factories.cost(program, amount=Decimal(1))
    hers, his = open_form(olga, program), open_form(ben, cost)
    with concurrently(lambda: send_form(ben, cost, his, amount="3"), before='UPDATE "mobjects_programcost"') as given:
        assert saved(send_form(olga, program, hers, **{"costs-0-amount": "2"}))
    assert ASKED in given[0].content.decode()
    assert ProgramCost.objects.get().amount == 2


def test_a_cost_on_a_page_of_its_own_waits_for_its_program(olga):
    cost = factories.cost(factories.program(), amount=Decimal(1))
    form = open_form(olga, cost)
    with transaction.atomic():
        Program.objects.select_for_update().get()
        saving = Concurrently(lambda: send_form(olga, cost, form, amount="3"))
        assert saving.waits
        # It does not hold the cost meanwhile: a form of the program would wait for that, and both for ever.
        assert ProgramCost.objects.select_for_update(nowait=True).get() == cost
    assert saved(saving.result())


def test_a_record_that_is_deleted_while_it_is_saved_says_so(olga, ben):
    record = factories.opportunity(stage="New")
    form = open_form(ben, record)
    deleting = f"/admin/mobjects/opportunity/{record.pk}/delete/"
    asked = read_confirmation(olga.get(deleting))
    with concurrently(lambda: send_form(ben, record, form, stage="Won"), before="DELETE FROM") as given:
        olga.post(deleting, asked)
    words = " ".join(str(message) for message in get_messages(given[0].wsgi_request))
    assert "Perhaps it was deleted" in words
    assert not Opportunity.objects.exists()
