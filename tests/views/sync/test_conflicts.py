"""What a person has to decide: the list, the page with both sides, and what becomes of the answer."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mobjects import selectors
from mobjects.marketo.types import Kind
from mobjects.models import Conflict, Opportunity, RecordStatus, SyncJob, records_of_kind
from mobjects.sync.content.payload import KeyFields, record_content
from tests import factories
from tests.factories import fresh
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]
LIST = "/admin/mobjects/conflict/"


@pytest.fixture
def browser(groups):
    return pages.client()


def about(record, reason, base, *candidates):
    here = record_content(fresh(record), KeyFields())
    found = [{"id": number, "values": values} for number, values in candidates]
    kind, pk = record.KIND.value, record.pk
    return Conflict.objects.create(
        kind=kind, record_id=pk, label=str(record), reason=reason, base=base, here=here, candidates=found
    )


@pytest.fixture
def merging():
    """An opportunity whose stage and next step changed on both sides."""
    record = factories.opportunity(name="Deal", marketo_id=71, stage="Open", next_step="Call")
    base = {"Name": "Deal", "Stage": "New", "NextStep": "Wait"}
    records_of_kind(Kind.OPPORTUNITY).filter(pk=record.pk).update(accepted=base)
    return about(record, "both", base, (71, {"Name": "Deal", "Stage": "Won", "NextStep": "Meet"}))


@pytest.fixture
def ambiguous():
    record = factories.opportunity(name="Deal", stage="Open")
    records_of_kind(Kind.OPPORTUNITY).filter(pk=record.pk).update(last_status=RecordStatus.UNKNOWN)
    sent = record_content(fresh(record), KeyFields())
    return about(record, "ambiguous", sent, (71, {**sent, "Stage": "Won"}), (72, {**sent, "Type": "New"}))


def url(conflict):
    return reverse("admin:mobjects_conflict_change", args=[conflict.pk])


def look(browser, conflict):
    return browser.get(url(conflict))


def decide(browser, conflict, **values):
    """Press a button on a page that was just opened."""
    seen = look(browser, conflict).context["seen"]
    return browser.post(reverse("mobjects:conflict-decide", args=[conflict.pk]), {"seen": seen, **values}, follow=True)


def said(response):
    return pages.text(response)


def now(conflict):
    return Conflict.objects.get(pk=conflict.pk)


# --- the list -------------------------------------------------------------------------------


def test_the_list_shows_what_is_open_and_the_sidebar_counts_it(browser, merging):
    shown = said(browser.get(LIST))
    assert "Changed here and in Marketo" in shown
    assert url(merging) in shown
    assert selectors.read_standing().undecided == 1


def test_what_was_left_or_decided_is_in_the_list_only_when_asked_for(browser, merging, ambiguous):
    decide(browser, merging, all="here")
    decide(browser, ambiguous, answer="leave")
    assert selectors.read_standing().undecided == 0
    listed = {
        choice: [each.pk for each in browser.get(f"{LIST}?decision={choice}").context["cl"].result_list]
        for choice in ("open", "left", "decided", "all")
    }
    assert listed == {
        "open": [],
        "left": [ambiguous.pk],
        "decided": [merging.pk],
        "all": [ambiguous.pk, merging.pk],
    }
    assert "operator-user" in said(browser.get(f"{LIST}?decision=decided"))


# --- changed on both sides ------------------------------------------------------------------


def test_all_three_sides_of_each_disputed_field_are_shown(browser, merging):
    choices = look(browser, merging).context["choices"]
    assert {(each.name, each.base, each.here, each.there) for each in choices} == {
        ("Stage", "New", "Open", "Won"),
        ("NextStep", "Wait", "Call", "Meet"),
    }


def test_each_field_takes_the_side_that_was_chosen(browser, merging):
    fields = {each.name: f"field-{each.number}" for each in look(browser, merging).context["choices"]}
    response = decide(browser, merging, **{fields["Stage"]: "marketo", fields["NextStep"]: "here"})
    record = Opportunity.objects.get()
    assert (record.stage, record.next_step, record.is_dirty) == ("Won", "Call", True)
    assert record.accepted == {"Name": "Deal", "Stage": "Won", "NextStep": "Meet"}
    assert "“Deal”: Taken from Marketo: Stage. Kept: NextStep." in said(response)
    assert now(merging).username == "operator-user"


@pytest.mark.parametrize(("side", "stage", "dirty"), [("here", "Open", True), ("marketo", "Won", False)])
def test_one_button_takes_all_of_a_side(browser, merging, side, stage, dirty):
    decide(browser, merging, all=side)
    record = Opportunity.objects.get()
    assert (record.stage, record.is_dirty) == (stage, dirty)


def test_a_field_without_a_choice_is_named_and_the_other_choices_stay(browser, merging):
    fields = {each.name: f"field-{each.number}" for each in look(browser, merging).context["choices"]}
    response = decide(browser, merging, **{fields["Stage"]: "marketo"})
    assert response.status_code == 409
    assert "NextStep: choose the value here or the one in Marketo." in said(response)
    assert {each.name: each.chosen for each in response.context["choices"]} == {"Stage": "marketo", "NextStep": ""}
    assert now(merging).decided_at is None


def test_a_record_that_changed_since_says_so_before_and_after(browser, merging):
    Opportunity.objects.update(stage="Lost")
    shown = said(look(browser, merging))
    assert "The record has changed here since this was found" in shown
    assert "Look again in Marketo" in shown
    assert "has changed since this was found; pull it again" in said(decide(browser, merging, all="here"))
    assert Opportunity.objects.get().stage == "Lost"


def test_choices_made_on_a_page_that_is_out_of_date_are_not_applied(browser, merging):
    seen = look(browser, merging).context["seen"]
    merging.candidates[0]["values"]["Stage"] = "Closed"
    merging.save()
    response = browser.post(reverse("mobjects:conflict-decide", args=[merging.pk]), {"seen": seen, "all": "marketo"})
    assert "Marketo was read again since you opened this page" in said(response)
    assert Opportunity.objects.get().stage == "Open"


def test_the_second_of_two_people_is_told_who_was_first(browser, merging):
    other = pages.client("viewer")
    seen = look(browser, merging).context["seen"]
    decide(browser, merging, all="here")
    response = browser.post(reverse("mobjects:conflict-decide", args=[merging.pk]), {"seen": seen, "all": "marketo"})
    assert "operator-user was first, on" in said(response)
    assert Opportunity.objects.get().stage == "Open"
    assert "Decided" in said(look(other, merging))


# --- sent without an answer -----------------------------------------------------------------


def test_what_was_sent_stands_next_to_each_candidate_with_the_difference_in_words(browser, ambiguous):
    sides = look(browser, ambiguous).context["sides"]
    assert [each["id"] for each in sides["candidates"]] == [71, 72]
    rows = {name: (sent, cells) for name, sent, cells in sides["rows"]}
    assert rows == {
        "Name": ("Deal", [("Deal", "same"), ("Deal", "same")]),
        "Stage": ("Open", [("Won", "differs"), ("Open", "same")]),
        "Type": ("", [("", ""), ("New", "not sent")]),
    }


def test_it_is_this_one_gives_the_record_its_id(browser, ambiguous):
    response = decide(browser, ambiguous, answer="is_this:72")
    assert Opportunity.objects.get().marketo_id == 72
    assert "It is Marketo ID 72." in said(response)


def test_send_it_again_frees_the_record_for_the_next_sync(browser, ambiguous):
    decide(browser, ambiguous, answer="send")
    record = Opportunity.objects.get()
    assert (record.last_status, record.is_dirty) == ("", True)
    assert now(ambiguous).answer == "send"


def test_what_was_left_can_still_be_decided_on_its_page(browser, ambiguous):
    decide(browser, ambiguous, answer="leave")
    shown = said(look(browser, ambiguous))
    assert "Left as it is: no sync sends it until somebody decides." in shown
    assert "Send it again" in shown


def test_a_candidate_that_belongs_to_another_record_by_now_has_no_button(browser, ambiguous):
    factories.opportunity(name="Other", marketo_id=71)
    shown = said(look(browser, ambiguous))
    assert "Belongs to “Other” by now." in shown
    assert 'value="is_this:71"' not in shown
    assert "it belongs to “Other” by now" in said(decide(browser, ambiguous, answer="is_this:71"))


def test_without_any_candidate_it_can_be_sent_or_left(browser, ambiguous):
    Conflict.objects.update(candidates=[])
    shown = said(look(browser, ambiguous))
    assert "Nothing was found in Marketo that could be it" in shown
    assert 'value="send"' in shown


@pytest.mark.parametrize("answer", ["", "merged", "is_this:x", "is_this", "nonsense"])
def test_a_damaged_answer_changes_nothing(browser, ambiguous, answer):
    response = decide(browser, ambiguous, answer=answer)
    assert response.status_code == 409
    assert "Nothing was changed just now." in said(response)
    assert now(ambiguous).answer == ""


# --- around ---------------------------------------------------------------------------------


def test_about_a_deleted_record_there_is_nothing_to_decide_but_to_close_it(browser, merging):
    Opportunity.objects.all().delete()
    assert "there is nothing left to decide" in said(look(browser, merging))
    decide(browser, merging, close="1")
    assert now(merging).answer_text == "The record was deleted here."


def test_about_a_record_that_is_there_nothing_is_closed(browser, merging):
    assert "is still here; decide about it" in said(decide(browser, merging, close="1"))
    assert now(merging).decided_at is None


def test_the_records_page_and_its_history_lead_to_the_decision(browser, merging):
    record = Opportunity.objects.get()
    change = reverse("admin:mobjects_opportunity_change", args=[record.pk])
    shown = said(browser.get(change))
    assert "A person has to decide:" in shown
    assert url(merging) in shown
    decide(browser, merging, all="here")
    assert "Decided by operator-user on" in said(browser.get(change))
    history = said(browser.get(reverse("mobjects:record-history", args=["Opportunity", record.pk])))
    assert "Kept: " in history
    assert url(merging) in history


def test_what_is_in_marketo_but_not_here_is_on_the_records_page(browser):
    program = factories.program()
    rest = {
        "costs": [{"id": 5, "month": "2026-03", "amount": "12.50", "note": "Booth"}],
        "tags": {"Region": "EMEA"},
        "attributes": {"Extra": "x"},
    }
    records_of_kind(Kind.PROGRAM).filter(pk=program.pk).update(in_marketo=rest)
    shown = said(browser.get(reverse("admin:mobjects_program_change", args=[program.pk])))
    for line in ("Period cost 2026-03: 12.50 Booth (Marketo cost ID 5)", "Tag Region: EMEA", "Extra: x"):
        assert f"<li>{line}</li>" in shown


@pytest.mark.parametrize("group", ["viewer", "editor"])
def test_others_may_look_but_not_decide(groups, merging, group):
    browser = pages.client(group)
    shown = said(look(browser, merging))
    assert "Won" in shown
    assert "Apply these choices" not in shown
    response = decide(browser, merging, all="here")
    assert response.status_code == 403
    assert "You are not allowed to decide about records" in said(response)


@pytest.mark.parametrize("number", ["0", "999999", "x", "9" * 30])
def test_a_conflict_that_does_not_exist_is_not_found(browser, number):
    assert browser.get(f"{LIST}{number}/change/").status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("marketo_settings")
def test_a_change_on_both_sides_is_found_decided_and_sent(browser, work, sandbox):
    record = factories.opportunity(name="Deal", stage="New")
    factories.sync(record)
    number = fresh(record).marketo_id
    Opportunity.objects.update(stage="Open")
    sandbox.store.opportunities[number].values["Stage"] = "Won"
    browser.post("/admin/pull/", {"kind": "Opportunity", "ids": str(record.pk), "start": "1"})
    work()
    conflict = Conflict.objects.get()
    assert factories.sync(record).counts == {"HELD": 1}
    decide(browser, conflict, all="here")
    assert factories.sync(record).counts == {"UPDATED": 1}
    assert sandbox.store.opportunities[number].values["Stage"] == "Open"
    assert SyncJob.objects.filter(action="pull").get().counts == {"CONFLICT": 1}


def test_a_long_list_goes_from_page_to_page_like_any_other(browser):
    for number in range(51):
        Conflict.objects.create(kind="Opportunity", record_id=number + 1, label=f"Deal {number}", reason="both")
    shown = browser.get(LIST)
    assert "Show all" not in said(shown)
    assert [conflict.label for conflict in shown.context["cl"].result_list][:2] == ["Deal 0", "Deal 1"]
    following = browser.get(LIST + shown.context["cl"].places["next"])
    assert [conflict.label for conflict in following.context["cl"].result_list] == ["Deal 50"]
