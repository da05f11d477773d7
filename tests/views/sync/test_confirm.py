"""The page that says what will be sent, and "Send"."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from mobjects.models import CustomField, Kind, Opportunity, SyncJob, SyncJobState
from mobjects.views.sync.confirm import confirm_selection
from mobjects.views.sync.preview import FIRST
from tests import factories
from tests.views import pages

pytestmark = pytest.mark.django_db
SYNC = "/admin/sync/"


@pytest.fixture
def browser(groups):
    return pages.client()


def form(**values):
    return {"kind": "Opportunity", "ids": "", "token": str(uuid.uuid4()), "operation": "AUTO", **values}


def ask(user, kind, ids):
    request = RequestFactory().get("/")
    request.user = user
    request._messages = CookieStorage(request)
    return confirm_selection(request, kind, ids)


def test_the_page_says_how_many_records_go_out_in_how_many_batches_and_where_to(browser):
    for _ in range(101):
        factories.opportunity()
    shown = pages.text(browser.get(f"{SYNC}?kind=Opportunity"))
    assert "All changed opportunities: 101 records in 2 batches" in shown
    assert "http://127.0.0.1:9/soap/mktows/2_7" in shown
    assert "test_user" in shown
    assert "test-encryption-key" not in shown
    assert "Send 101 records to Marketo" in shown


def test_held_back_records_are_counted_with_the_reason(browser):
    factories.role(factories.opportunity(), person_key="P-1")
    preview = browser.get(f"{SYNC}?kind=OpportunityPersonRole").context["preview"]
    (line,) = preview.held
    assert line.count == 1
    assert "no Marketo ID yet" in line.reason
    assert preview.sendable == 0


def test_values_that_sending_would_clear_in_marketo_are_counted(browser):
    CustomField.objects.create(name="Region")
    accepted = {"Name": "A", "Stage": "Won", "Amount": "5.00", "Region": "EMEA", "NextStep": ""}
    sent = {"name": "A", "accepted": accepted, "synced_revision": 1, "revision": 2}
    factories.opportunity(**sent, marketo_id=1)
    factories.opportunity(**sent, marketo_id=2, stage="Lost", amount="7.00", custom_attributes={"Region": "APAC"})
    factories.opportunity(name="new")
    factories.opportunity(**sent, marketo_id=3, last_status="UNKNOWN", unknown_since=timezone.now())
    shown = browser.get(f"{SYNC}?kind=all")
    assert shown.context["preview"].cleared == 3
    assert "<strong>3 values will be cleared in Marketo:</strong>" in pages.text(shown)
    assert "cleared" not in pages.text(browser.get(f"{SYNC}?kind=Program"))


def test_a_role_whose_opportunity_is_held_back_is_not_counted_as_sent(browser):
    factories.role(factories.opportunity(last_status="UNKNOWN"))
    factories.role(factories.opportunity())
    preview = browser.get(f"{SYNC}?kind=all").context["preview"]
    assert [(line.kind, line.count) for line in preview.lines] == [
        ("Opportunities", 1),
        ("Person roles", 1),
    ]
    assert sum(line.count for line in preview.held) == 2


def test_reading_first_is_kept_with_the_job_and_its_calls_are_counted(browser, marketo_settings):
    factories.opportunity()
    factories.opportunity(marketo_id=7)
    response = browser.post(SYNC, form(read_first="on", preview="1"))
    assert response.context["preview"].calls == 3  # two kinds of batches, and one record to read
    assert "each read in Marketo first" in pages.text(response)
    browser.post(SYNC, form(read_first="on", send="1"))
    assert SyncJob.objects.get().selection["read_first"] is True


def test_nothing_to_send_leaves_the_button_dead_and_says_so(browser):
    shown = pages.text(browser.get(f"{SYNC}?kind=all"))
    assert "nothing to send" in shown
    assert 'name="send"' not in shown


def test_an_unknown_kind_is_said(browser):
    response = browser.get(f"{SYNC}?kind=Nonsense")
    assert response.status_code == 400
    assert "Nonsense" in pages.text(response)


def test_a_wrong_transport_is_said_and_nothing_can_be_sent(browser, settings):
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "pigeon"}
    factories.opportunity()
    shown = pages.text(browser.get(f"{SYNC}?kind=all"))
    assert "MARKETO_TRANSPORT is “pigeon”" in shown
    assert 'name="send"' not in shown


def test_without_an_endpoint_nothing_can_be_sent(browser, settings):
    settings.MARKETO = {**settings.MARKETO, "SOAP_ENDPOINT": "", "USER_ID": ""}
    factories.opportunity()
    assert "MARKETO_SOAP_ENDPOINT, MARKETO_USER_ID are not set." in pages.text(browser.get(f"{SYNC}?kind=all"))
    browser.post(SYNC, form(send="1"))
    assert not SyncJob.objects.exists()


def test_the_preview_follows_the_options_and_makes_no_job(browser):
    factories.opportunity(marketo_id=7)
    response = browser.post(SYNC, form(operation="UPSERT", preview="1"))
    assert [line.operation for line in response.context["preview"].lines] == ["UPSERT"]
    assert not SyncJob.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_sending_makes_a_queued_job_and_lands_on_its_page(browser, queue):
    opportunity = factories.opportunity()
    factories.opportunity()
    response = browser.post(SYNC, form(ids=str(opportunity.pk), reason="Quarter end", resend="on", send="1"))
    job = SyncJob.objects.get()
    assert response.url == pages.job_url(job)
    assert (job.state, job.username, job.reason) == (SyncJobState.QUEUED, "operator-user", "Quarter end")
    assert job.selection["ids"] == [opportunity.pk]
    assert job.selection["resend"] is True
    assert [queue_id[:36] for queue_id in queue.job_ids] == [str(job.pk)]


@pytest.mark.django_db(transaction=True)
def test_pressing_send_twice_makes_one_job(browser, queue):
    factories.opportunity()
    sent = form(send="1")
    first, second = browser.post(SYNC, sent), browser.post(SYNC, sent, follow=True)
    assert SyncJob.objects.count() == 1
    assert second.redirect_chain == [(first.url, 302)]
    assert "This was sent already" in pages.text(second)


@pytest.mark.django_db(transaction=True)
def test_a_second_press_finds_its_job_though_nothing_is_left_to_send(browser, queue):
    opportunity = factories.opportunity()
    sent = form(send="1")
    first = browser.post(SYNC, sent)
    opportunity.delete()
    assert browser.post(SYNC, sent).url == first.url


@pytest.mark.django_db(transaction=True)
def test_options_that_the_page_has_not_counted_are_shown_before_they_are_sent(browser, queue, marketo_settings):
    factories.sync(factories.opportunity())
    factories.opportunity()
    shown = browser.get(f"{SYNC}?kind=Opportunity").context["form"].options
    sent = form(send="1", resend="on", shown=shown)
    response = browser.post(SYNC, sent)
    assert "Send 2 records to Marketo" in pages.text(response)
    assert not SyncJob.objects.filter(state=SyncJobState.QUEUED).exists()
    assert browser.post(SYNC, {**sent, "shown": response.context["form"].options}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_new_page_makes_a_new_job_once_the_last_has_begun(browser, queue, marketo_settings):
    factories.opportunity()
    first = browser.post(SYNC, form(send="1"))
    SyncJob.objects.update(started_at="2026-03-01T12:00:00Z", state=SyncJobState.RUNNING)
    assert browser.post(SYNC, form(send="1")).url != first.url
    assert SyncJob.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_wish_from_another_page_leads_to_the_job_that_is_queued_already(browser, queue):
    factories.opportunity()
    first, second = browser.post(SYNC, form(send="1")), browser.post(SYNC, form(send="1"), follow=True)
    assert second.redirect_chain == [(first.url, 302)]
    assert "That is queued already; here is its job." in pages.text(second)
    assert SyncJob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_down_is_said_and_the_job_is_kept(browser, settings):
    settings.RQ_QUEUES = {"sync": {**settings.RQ_QUEUES["sync"], "URL": "redis://127.0.0.1:9/0"}}
    factories.opportunity()
    response = browser.post(SYNC, form(send="1"), follow=True)
    assert SyncJob.objects.get().state == SyncJobState.NOT_QUEUED
    shown = pages.text(response)
    assert "The queue (Redis) cannot be reached. Nothing was sent" in shown
    assert "Queue again" in shown


def test_what_vanished_since_the_page_was_shown_makes_no_job(browser):
    response = browser.post(SYNC, form(send="1"))
    assert response.status_code == 200
    assert not SyncJob.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"ids": "1,x"}, {"ids": "1", "kind": "all"}, {"operation": "DELETE"}, {"token": ""}, {"reason": "x" * 1001}],
)
def test_a_damaged_form_is_refused_in_words(browser, wrong):
    factories.opportunity()
    response = browser.post(SYNC, form(send="1", **wrong))
    assert response.status_code == 400
    assert 'role="alert"' in pages.text(response)
    assert not SyncJob.objects.exists()


def test_the_send_button_needs_the_token_of_the_site(groups):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(factories.user("olivia", group="operator"))
    factories.opportunity()
    assert strict.post(SYNC, form(send="1")).status_code == 403
    assert not SyncJob.objects.exists()


@pytest.mark.parametrize("group", ["viewer", "editor"])
def test_only_operators_see_the_page(groups, group):
    browser = pages.client(group)
    assert browser.get(SYNC).status_code == 403
    response = browser.post(SYNC, form(send="1"))
    assert response.status_code == 403
    assert "You are not allowed to send records to Marketo" in pages.text(response)


def test_people_who_are_not_logged_in_go_to_the_login_page():
    assert Client().get(SYNC).url.startswith(reverse("admin:login"))


def test_a_selection_of_thousands_fits(groups):
    user = factories.user("olivia", group="operator")
    opportunity = factories.opportunity()
    # It is the first of them: those behind the first two thousand or so are counted when the page is there.
    ids = [opportunity.pk + number for number in range(5_000)]
    response = ask(user, Kind.OPPORTUNITY, ids).render()
    assert response.context_data["preview"].sendable == 1
    assert str(ids[-1]) in response.content.decode()


def test_an_empty_selection_never_means_all_that_changed(groups):
    factories.opportunity()
    response = ask(factories.user("olivia", group="operator"), Kind.OPPORTUNITY, [])
    assert response.url == reverse("admin:mobjects_opportunity_changelist")


def test_a_selection_needs_the_permission(groups):
    assert ask(factories.user("edda", group="editor"), Kind.OPPORTUNITY, [1]).status_code == 403


def test_the_page_has_a_fixed_number_of_queries(browser, redis_url, django_assert_num_queries):
    factories.role(factories.opportunity())
    browser.get(SYNC)
    with django_assert_num_queries(QUERIES):
        browser.get(SYNC)
    for _ in range(10):
        factories.role(factories.opportunity())
    with django_assert_num_queries(QUERIES - 1):  # There is no room for roles among the first records.
        browser.get(SYNC)


QUERIES = 12
"""Session, user with zone, permissions, what is to decide and whether sending is halted; the custom fields, all that is
counted, how long batches took; one for each kind to show the first records; and the calls of today, which an empty
Redis does not know."""


def test_of_many_the_first_are_counted_at_once_and_all_when_the_page_asks_again(browser):
    common = {"name": "Deal", "custom_attributes": {}}
    Opportunity.objects.bulk_create(Opportunity(external_id=f"B-{number}", **common) for number in range(FIRST + 1))
    opened = browser.get(f"{SYNC}?kind=Opportunity")
    assert "more than 2,000 records; all of them are being counted" in pages.words(opened)
    assert opened.context["preview"].sendable == FIRST
    assert 'name="send"' not in opened.content.decode()
    whole = browser.post(SYNC, form(count="1"))
    assert "2,001 records" in pages.words(whole)
    assert 'name="send"' in whole.content.decode()


def test_what_is_held_back_among_the_first_does_not_hide_what_can_be_sent(browser, queue):
    common = {"name": "Deal", "custom_attributes": {}}
    made = Opportunity.objects.bulk_create(Opportunity(external_id=f"B-{n}", **common) for n in range(FIRST + 1))
    Opportunity.objects.exclude(pk=made[-1].pk).update(company_key="ACME")
    assert "being counted" in pages.words(browser.get(f"{SYNC}?kind=Opportunity"))
    assert SyncJob.objects.count() == 0
    browser.post(SYNC, form(send="1"))
    assert SyncJob.objects.count() == 1
