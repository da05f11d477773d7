"""Forty cells of a list edited by the keyboard and by a pasted block: an error corrected, a conflict decided, saved."""

from __future__ import annotations

import re
from datetime import date

import pytest
from playwright.sync_api import Route, expect

from mobjects.db.edit_context import edit
from mobjects.models import EditSource, Opportunity, ProgramCost, RecordEdit
from tests import factories
from tests.browser.test_accessibility import overflow, violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("marketo_settings", "groups", "redis_url"),
]

CLIPBOARD = """([type, block]) => {
  const data = new DataTransfer();
  data.setData("text/plain", block);
  const event = new ClipboardEvent(type, {clipboardData: data, bubbles: true, cancelable: true});
  document.activeElement.dispatchEvent(event);
  return data.getData("text/plain");
}"""
HOLD = """() => {
  const real = window.fetch;
  window.fetch = async (...given) => {
    const answer = await real(...given);
    await new Promise((resolve) => { window.release = resolve; });
    return answer;
  };
}"""
"""Keeps what the server answers from the page until it is released: what was saved is saved."""
RELEASE = "() => { const go = window.release; window.release = undefined; go(); }"
ROWS = 20


@pytest.fixture
def grid(open_page):
    """The grid of twenty deals, the last one first."""
    for number in range(ROWS):
        factories.opportunity(name=f"Deal {number:02}", stage="New", type="", next_step="")
    return open_page("/admin/mobjects/opportunity/?q=Deal")


def cell(page, row, name):
    return page.get_by_role("row", name=f"Deal {row:02}").locator(f"td[data-name={name}]")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def follow(page, element):
    """Go where a link or a button leads and wait for the scripts there, as somebody does who sees the page load."""
    with page.expect_navigation():
        element.click()


def status(page):
    return page.locator("#mo-grid-status")


def test_forty_cells_by_keyboard_and_by_a_pasted_block(grid):
    page = grid
    follow(page, page.get_by_role("link", name="Edit in a grid"))
    expect(page.locator("main")).to_contain_text("20 opportunities, narrowed to search: “Deal”.")

    cell(page, 19, "stage").focus()
    for number in range(ROWS):
        page.keyboard.type(f"Stage {number}")
        page.keyboard.press("Enter")
    expect(status(page)).to_have_text("Changed and not saved yet: 20 cells of 20 records.")

    cell(page, 19, "type").focus()
    page.evaluate(CLIPBOARD, ["paste", "\n".join(f"Type {number}" for number in range(ROWS))])
    expect(status(page)).to_contain_text("Pasted: 20 cells.")
    assert violations(page) == []
    cell(page, 18, "amount").focus()
    page.keyboard.type("much")
    page.keyboard.press("Tab")
    with edit(EditSource.FORM, factories.user("ben")):
        Opportunity.objects.filter(name="Deal 17").update(stage="Lost")

    page.get_by_role("button", name="Save").click()
    expect(status(page)).to_contain_text("Records saved: 18.")
    expect(status(page)).to_contain_text("Not saved: 1;")
    wrong = cell(page, 18, "amount")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_have_accessible_description(re.compile("“much” is not a number"))
    question = page.get_by_role("group", name="Stage of Deal 17")
    expect(question).to_contain_text("Keep theirs: Lost (ben, ")
    assert violations(page) == []

    question.get_by_role("button", name="Save mine: Stage 2").press("Enter")
    wrong.focus()
    press(page, "F2", "Control+a")
    page.keyboard.type("250")
    press(page, "Enter")
    page.get_by_role("button", name="Save").press("Enter")
    expect(status(page)).to_have_text("Records saved: 2.")
    expect(wrong).to_have_text("250.00")

    found = list(Opportunity.objects.order_by("-pk").values_list("stage", "type"))
    assert found == [(f"Stage {number}", f"Type {number}") for number in range(ROWS)]
    assert RecordEdit.objects.filter(source=EditSource.GRID, username="operator-1").count() == ROWS
    decided = Opportunity.objects.get(name="Deal 17")
    page.goto(f"/admin/sync-history/Opportunity/{decided.pk}/")
    expect(page.locator("main")).to_contain_text("Grid")


def test_keys_are_those_of_a_spreadsheet(grid):
    page = grid
    page.goto("/admin/grid/opportunity/?q=Deal")
    stage, beneath = cell(page, 19, "stage"), cell(page, 18, "stage")
    stage.focus()
    page.keyboard.type("Won")
    page.keyboard.press("Escape")
    expect(stage).to_have_text("New")
    expect(stage).to_be_focused()
    press(page, "F2", "End")
    page.keyboard.type("er")
    page.keyboard.press("Enter")
    expect(stage).to_have_text("Newer")
    expect(beneath).to_be_focused()
    press(page, "Delete")
    expect(beneath).to_have_text("")
    press(page, "ArrowUp", "Shift+ArrowDown")
    assert page.evaluate(CLIPBOARD, ["copy", ""]) == "Newer\n"
    press(page, "Control+z")
    expect(beneath).to_have_text("New")
    press(page, "Control+z")
    expect(stage).to_have_text("New")
    expect(status(page)).to_have_text("Nothing is changed.")
    press(page, "Control+y")
    expect(stage).to_have_text("Newer")
    press(page, "Tab", "Shift+Tab")
    expect(stage).to_be_focused()
    press(page, "Escape", "Tab")
    expect(page.locator("#mo-grid :focus")).to_have_count(0)

    cell(page, 19, "next_step").focus()
    page.evaluate(CLIPBOARD, ["paste", '"two\nlines"\t"said ""so"""\r\n5" pipe'])
    expect(cell(page, 19, "next_step")).to_have_text("two\nlines", use_inner_text=True)
    expect(cell(page, 18, "next_step")).to_have_text('5" pipe')
    cell(page, 19, "is_won").focus()
    page.keyboard.press("Enter")
    page.locator(".mo-cell-input").select_option("Yes")
    page.keyboard.press("Enter")
    expect(cell(page, 19, "is_won")).to_have_text("Yes")


def test_who_is_in_a_cell_before_the_scripts_run_types_into_that_cell(grid):
    page = grid
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/grid/keys*.js", hold)
    page.goto("/admin/grid/opportunity/?q=Deal", wait_until="commit")
    stage = cell(page, 19, "stage")
    stage.focus()
    expect(stage).to_be_focused()
    for route in held:
        route.continue_()
    page.wait_for_load_state()
    page.keyboard.type("Won")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("Changed and not saved yet: 1 cells of 1 records.")
    expect(stage).to_have_text("Won")


def test_nothing_typed_is_lost_when_the_session_has_ended(grid):
    page = grid
    page.goto("/admin/grid/opportunity/?q=Deal")
    cell(page, 19, "stage").focus()
    page.keyboard.type("Won")
    page.keyboard.press("Enter")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").press("Enter")
    expect(status(page)).to_contain_text("you are signed out. What you typed is still here.")
    expect(cell(page, 19, "stage")).to_have_text("Won")
    page.context.add_cookies(cookies)
    page.get_by_role("button", name="Save").press("Enter")
    expect(status(page)).to_have_text("Records saved: 1.")
    assert Opportunity.objects.get(name="Deal 19").stage == "Won"


def test_who_signed_in_as_somebody_else_meanwhile_is_told_before_it_is_saved_as_theirs(grid, client):
    page = grid
    page.goto("/admin/grid/opportunity/?q=Deal")
    cell(page, 19, "stage").focus()
    page.keyboard.type("Won")
    page.keyboard.press("Enter")
    client.force_login(factories.user("ben", group="operator"))
    page.context.clear_cookies()  # As signing in does, the token of the form with it.
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": page.url}])
    page.get_by_role("button", name="Save").press("Enter")
    expect(status(page)).to_contain_text("you are signed in as ben now")
    assert Opportunity.objects.get(name="Deal 19").stage == "New"
    page.get_by_role("button", name="Save").press("Enter")
    expect(status(page)).to_have_text("Records saved: 1.")
    assert RecordEdit.objects.latest("pk").username == "ben"


@pytest.mark.parametrize("keys", [("Enter",), ()], ids=["in a cell", "in an open input"])
def test_leaving_with_unsaved_cells_warns(grid, keys):
    page = grid
    page.goto("/admin/grid/opportunity/?q=Deal")
    cell(page, 19, "stage").focus()
    page.keyboard.type("Won")
    press(page, *keys)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("() => { location.href = '/admin/'; }")
    expect(cell(page, 19, "stage")).to_have_text("Won")
    assert asked == ["beforeunload"]


def test_what_is_typed_while_it_is_saved_is_compared_with_what_was_shown(grid):
    page = grid
    page.goto("/admin/grid/opportunity/?q=Deal")
    cell(page, 19, "stage").focus()
    page.keyboard.type("Won")
    page.keyboard.press("Enter")
    with edit(EditSource.FORM, factories.user("ben")):
        Opportunity.objects.filter(name="Deal 19").update(next_step="Call", type="Renewal", description="Theirs")
    page.evaluate(HOLD)
    page.get_by_role("button", name="Save").press("Enter")
    page.wait_for_function("() => window.release")
    cell(page, 19, "next_step").focus()
    page.keyboard.type("Mail")
    page.keyboard.press("Enter")
    cell(page, 19, "type").focus()
    press(page, "F2")
    page.keyboard.type("Mine")
    page.evaluate(RELEASE)
    # Of what nobody typed into, it is said that others changed it; the rest is asked about when it is saved.
    expect(status(page)).to_have_text("Records saved: 1. Also changed by others, and kept: Description.")
    press(page, "Enter")
    expect(cell(page, 19, "type")).to_have_text("Mine")

    page.get_by_role("button", name="Save").press("Enter")
    page.wait_for_function("() => window.release")
    page.evaluate(RELEASE)
    expect(page.get_by_role("group", name="Next step of Deal 19")).to_contain_text("Keep theirs: Call (ben, ")
    expect(page.get_by_role("group", name="Type of Deal 19")).to_contain_text("Keep theirs: Renewal (ben, ")
    kept = Opportunity.objects.get(name="Deal 19")
    assert (kept.stage, kept.next_step, kept.type) == ("Won", "Call", "Renewal")


def test_what_holds_no_text_is_not_pasted_and_an_empty_cell_is(grid):
    page = grid
    page.goto("/admin/grid/opportunity/?q=Deal")
    stage = cell(page, 19, "stage")
    stage.focus()
    page.evaluate(CLIPBOARD, ["paste", ""])  # An image.
    expect(stage).to_have_text("New")
    expect(status(page)).to_have_text("Nothing is changed.")
    cell(page, 19, "type").focus()
    block = page.evaluate(CLIPBOARD, ["copy", ""])
    stage.focus()
    page.evaluate(CLIPBOARD, ["paste", block])
    expect(stage).to_have_text("")


def test_a_pasted_block_is_counted_once_and_not_with_each_of_its_cells(grid):
    page = grid
    page.goto("/admin/grid/opportunity/?q=Deal")
    cell(page, 19, "stage").focus()
    page.evaluate("""() => {
      window.said = [];
      const seen = (changes) => window.said.push(...changes.map((each) => each.addedNodes[0].textContent));
      new MutationObserver(seen).observe(document.getElementById("mo-grid-status"), {childList: true});
    }""")
    page.evaluate(CLIPBOARD, ["paste", "\n".join(f"Stage {number}" for number in range(ROWS))])
    expect(status(page)).to_contain_text("Pasted: 20 cells.")
    assert page.evaluate("said.length") == 2


def test_on_a_phone_and_in_the_dark_it_fits(grid, open_page):
    page = open_page("/admin/grid/opportunity/?q=Deal", dark=True, phone=True)
    cell(page, 19, "stage").focus()
    page.keyboard.type("Won")
    page.keyboard.press("Enter")
    assert violations(page) + overflow(page) == []


def test_costs_of_programs_by_month(open_page):
    program = factories.program()
    factories.cost(program, month=date(2026, 6, 1), note="Hall")
    page = open_page("/admin/grid/program/")
    page.get_by_role("link", name="Period costs of these programs by month").click()
    page.get_by_label("From month").fill("2026-05")
    page.get_by_label("To month").fill("2026-08")
    follow(page, page.get_by_role("button", name="Show these months"))
    page.locator("td[data-name='2026-05']").focus()
    page.evaluate(CLIPBOARD, ["paste", "10\t20\t30"])
    page.get_by_role("button", name="Save").press("Enter")
    expect(status(page)).to_have_text("Records saved: 1.")
    found = ProgramCost.objects.order_by("month").values_list("month__month", "amount", "note")
    assert list(found) == [(5, 10, ""), (6, 20, "Hall"), (7, 30, "")]

    with edit(EditSource.FORM, factories.user("ben")):
        ProgramCost.objects.filter(month__month=7).update(note="Stage")
    page.locator("td[data-name='2026-06']").focus()
    press(page, "Shift+ArrowRight", "Delete")
    page.get_by_role("button", name="Save").press("Enter")
    question = page.get_by_role("group", name="2026-07 of Webinar")
    expect(question).to_contain_text("Keep theirs: 30.00 (note “Stage”) (ben, ")
    assert ProgramCost.objects.count() == 3
    question.get_by_role("button", name="Save mine: (empty)").press("Enter")
    page.get_by_role("button", name="Save").press("Enter")
    expect(status(page)).to_have_text("Records saved: 1.")
    assert list(ProgramCost.objects.values_list("month__month", flat=True)) == [5]
    assert violations(page) + overflow(page) == []
