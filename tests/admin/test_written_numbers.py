"""Amounts and days in lists are the same in each language, as docs/translating.md says; buttons follow the language."""

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


@pytest.mark.parametrize(("language", "said"), [("en", "Delete opportunity"), ("ko", "영업 기회 삭제")])
def test_what_a_button_deletes_stands_where_the_language_has_it(groups, language, said):
    record = factories.opportunity()
    address = f"/admin/mobjects/opportunity/{record.pk}/change/"
    shown = pages.client().get(address, headers={"accept-language": language})
    assert said in " ".join(shown.text.split())
    assert shown.text.count("/delete/") == 1
