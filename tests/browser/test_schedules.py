"""A schedule in a real browser: only what the choice needs is shown, and the next runs come while somebody types."""

from __future__ import annotations

import pytest

from mobjects.models import Schedule

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]


def test_a_schedule_is_made_by_keyboard_and_says_its_next_runs(open_page):
    page = open_page("/admin/mobjects/schedule/add/")
    runs = page.locator("#schedule-next-runs")
    runs.get_by_text("08:00").first.wait_for()
    assert page.locator("#id_cron").is_hidden()

    page.locator("#id_name").focus()
    page.keyboard.type("Mondays")
    page.get_by_label("Opportunities").check()
    page.get_by_role("radio", name="Monday to Friday").focus()
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("radio", name="On days of the week").is_checked()
    runs.get_by_text("Tick at least one day.").wait_for()
    page.get_by_role("checkbox", name="Monday").focus()
    page.keyboard.press("Space")
    page.locator("#id_at").fill("09:15")
    runs.get_by_text("09:15").first.wait_for()
    said = runs.locator("li").all_inner_texts()
    assert len(said) == 5
    assert all(text.startswith("Mon ") for text in said)

    page.locator("#id_at").press("Enter")
    page.wait_for_url("**/schedule/")
    assert Schedule.objects.get().cron == "15 9 * * 1"
