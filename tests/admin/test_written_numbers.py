"""Amounts and days are written in lists as docs/translating.md says, the same in each language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["en", "ko"])
def test_amounts_have_groups_and_days_are_those_of_forms(groups, language):
    factories.opportunity(amount=Decimal("253140"), close_date=date(2026, 1, 7))
    factories.cost(factories.program(), amount=Decimal("10250.5"))
    browser = pages.client()
    read = {"accept-language": language}
    deals = browser.get("/admin/mobjects/opportunity/", headers=read).text
    assert "253,140.00" in deals
    assert "2026-01-07" in deals
    assert "10,250.50" in browser.get("/admin/mobjects/programcost/", headers=read).text
