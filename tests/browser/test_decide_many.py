"""Three hundred equal conflicts in a real browser: decided in five presses, and taken back in one."""

from __future__ import annotations

import pytest

from mobjects.decisions import service
from mobjects.models import ConflictDecision, Opportunity
from tests.decisions.support import disputes

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]


def test_three_hundred_conflicts_are_decided_in_fewer_than_ten_actions_and_undone(open_page):
    disputes(300)
    page = open_page("/admin/mobjects/conflict/")
    page.get_by_role("link", name="Decide many at once").click()
    page.get_by_role("link", name="Decide these 300").first.click()
    page.get_by_label("Take Marketo's").check()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="Decide many at once").wait_for()
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("button", name="Decide these 300").click()
    live = page.locator("#decision-live")
    live.get_by_text("Deciding: 0 of 300").wait_for()
    # What a worker does; the page follows by itself.
    service.run_decision(ConflictDecision.objects.get().pk)
    live.get_by_text("Decided about 300 of 300 opportunities.").wait_for()
    assert Opportunity.objects.filter(stage="Won").count() == 300

    page.get_by_role("button", name="Undo this decision").click()
    live.get_by_text("Being undone").wait_for()
    service.run_decision(ConflictDecision.objects.get().pk)
    live.get_by_text("Undone: the records hold what they held before").wait_for()
    assert Opportunity.objects.filter(stage="Open").count() == 300
