"""The page about moving to another API: accessible, by keyboard, on a phone, in the dark."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mobjects.marketo.registry import TRANSPORTS
from mobjects.models import SyncJob
from tests import factories
from tests.browser.test_accessibility import violations
from tests.support import identify_transport
from tests.support.identify_transport import Wire

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("groups", "redis_url"),
]


@pytest.fixture(autouse=True)
def wire(settings):
    """The site over an API that calls objects by GUIDs, with records that lack much."""
    TRANSPORTS["wire"] = identify_transport.entry(Wire())
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "wire", "WIRE_AT": "https://wire.example"}
    factories.role(factories.opportunity(external_id=None, marketo_id=7), role="", person_key="L-1")
    factories.cost(factories.program(), amount=Decimal("10.50"))
    yield
    del TRANSPORTS["wire"]


def test_the_page_is_accessible_and_fits(open_page):
    page = open_page("/admin/moving/")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload()
    assert page.evaluate("document.documentElement.classList.contains('dark')")
    assert violations(page) == []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_look_up_is_asked_for_by_keyboard(open_page):
    page = open_page("/admin/moving/", phone=True)
    page.get_by_label("Field with our external ID").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/syncjob/**")
    assert SyncJob.objects.get().action == "identify"


def test_a_count_leads_to_the_list(open_page):
    page = open_page("/admin/moving/")
    page.get_by_role("link", name="Period costs with decimals: 1").click()
    page.wait_for_url("**/programcost/?gap=decimals")
    assert page.get_by_text("10.50").count()
