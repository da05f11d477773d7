"""Marketo's fields and tags on the pages: the read-only lists, the button, suggestions, custom inputs."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone
from lxml import html

from mobjects.models import (
    AllowedTag,
    CustomField,
    MarketoField,
    OpportunityPersonRole,
    Program,
    SyncJob,
    SyncJobAction,
    SyncJobState,
)
from tests import factories
from tests.admin.test_records import errors, save
from tests.support.admin_forms import open_form
from tests.views import pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups", "marketo_settings", "redis_url")]


def know(**tags) -> None:
    for name, values in tags.items():
        for value in values:
            AllowedTag.objects.create(type=name, value=value, described_at=timezone.now())


@pytest.fixture
def operator():
    return pages.client("operator")


def tree(response):
    return html.fromstring(response.content.decode())


def page_of(browser, record):
    return tree(browser.get(reverse(f"admin:mobjects_{record._meta.model_name}_change", args=[record.pk])))


def offered(page, listing) -> list[str]:
    return page.xpath(f"//datalist[@id='{listing}']/option/@value")


# --- lists and the button ---


@pytest.mark.parametrize("model", ["marketofield", "allowedtag"])
def test_the_lists_show_what_is_known_and_cannot_be_changed(operator, model):
    MarketoField.objects.create(kind="Opportunity", name="Stage", type="string", described_at=timezone.now())
    know(Region=["EMEA"])
    response = operator.get(reverse(f"admin:mobjects_{model}_changelist"))
    said = pages.text(response)
    assert ("Stage" if model == "marketofield" else "EMEA") in said
    assert "As read from Marketo on" in said
    assert operator.get(reverse(f"admin:mobjects_{model}_add")).status_code == 403


@pytest.mark.parametrize(("group", "shown"), [("operator", True), ("editor", False), ("viewer", False)])
def test_only_those_who_may_read_from_marketo_see_the_button(group, shown):
    page = pages.text(pages.client(group).get(reverse("admin:mobjects_allowedtag_changelist")))
    assert "Nothing has been read from Marketo yet" in page
    assert ("Read fields and tags from Marketo" in page) is shown


def test_the_button_asks_for_a_job_and_leads_to_it(operator, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        response = operator.post(reverse("mobjects:describe"))
    job = SyncJob.objects.get()
    assert response.url == pages.job_url(job)
    assert (job.action, job.kind, job.username) == (SyncJobAction.DESCRIBE, "several", "operator-user")


def test_reading_takes_the_permission_and_a_post(operator):
    assert operator.get(reverse("mobjects:describe")).url == reverse("admin:mobjects_marketofield_changelist")
    assert pages.client("editor").post(reverse("mobjects:describe")).status_code == 403
    assert not SyncJob.objects.exists()


# --- programs ---


def test_a_program_offers_known_channels_and_tags(operator):
    know(Region=["EMEA", "APAC"], Channel=["Webinar"])
    program = factories.program()
    factories.tag(program)
    page = page_of(operator, program)
    assert offered(page, "mo-channels") == ["Webinar"]
    assert offered(page, "mo-tag-types") == ["Region"]
    assert offered(page, "mo-tag-values") == ["APAC", "EMEA"]
    assert page.xpath("//input[@name='channel']/@list") == ["mo-channels"]
    assert page.xpath("//input[@name='tags-0-value']/@list") == ["mo-tag-values"]


def test_an_unknown_tag_is_refused_with_the_nearest(operator):
    know(Region=["EMEA", "APAC"])
    rows = {"tags-TOTAL_FORMS": "1", "tags-0-type": "Region", "tags-0-value": "EMAE"}
    assert "Region “EMAE” is not known in Marketo; nearest: EMEA" in errors(save(operator, factories.program(), **rows))


def test_an_unknown_channel_is_refused_with_the_nearest(operator):
    know(Channel=["Webinar"])
    assert "nearest: Webinar." in errors(save(operator, factories.program(), channel="Webinr"))


def test_an_unknown_tag_is_refused_on_its_own_page(operator):
    know(Region=["EMEA"])
    tag = factories.tag(factories.program())
    response = operator.post(
        reverse("admin:mobjects_programtag_change", args=[tag.pk]), open_form(operator, tag) | {"value": "EMAE"}
    )
    assert "nearest: EMEA" in str(response.context["adminform"].form.errors)


def test_an_old_value_stays_editable_around_and_is_pointed_out(operator):
    know(Region=["EMEA"], Channel=["Webinar"])
    program = factories.program(channel="Webinr")
    factories.tag(program, value="EMAE")
    page = page_of(operator, program).text_content()
    assert "The channel “Webinr” is not known in Marketo; nearest: Webinar." in page
    assert "Region “EMAE” is not known in Marketo; nearest: EMEA." in page
    response = save(operator, program, name="Renamed")
    assert response.status_code == 302, errors(response)
    assert Program.objects.get().name == "Renamed"


# --- custom fields ---


@pytest.fixture
def influence():
    for name, data_type in [("Since", "date"), ("Sponsor", "boolean"), ("Weight", "integer")]:
        CustomField.objects.create(kind="OpportunityPersonRole", name=name, data_type=data_type)


@pytest.mark.usefixtures("influence")
def test_custom_fields_of_roles_are_inputs_of_their_type(operator):
    role = factories.role(factories.opportunity())
    response = save(operator, role, custom_Since="2026-06-30", custom_Sponsor="true", custom_Weight="7")
    assert response.status_code == 302, errors(response)
    now = factories.fresh(role)
    assert now.custom_attributes == {"Since": "2026-06-30", "Sponsor": "true", "Weight": "7"}
    assert now.revision == role.revision + 1
    page = page_of(operator, role)
    assert page.xpath("//select[@name='custom_Sponsor']/option[@selected]/@value") == ["true"]
    assert page.xpath("//input[@name='custom_Weight']/@inputmode") == ["numeric"]


@pytest.mark.usefixtures("influence")
def test_saving_an_untouched_role_changes_nothing(operator):
    values = {"Since": "2026-06-30", "Sponsor": "false", "Weight": "7"}
    role = factories.role(factories.opportunity(), custom_attributes=values)
    assert save(operator, role).status_code == 302
    assert (factories.fresh(role).custom_attributes, factories.fresh(role).revision) == (values, 1)


@pytest.mark.usefixtures("influence")
def test_a_wrong_custom_value_of_a_role_is_explained(operator):
    role = factories.role(factories.opportunity())
    assert "is not a whole number" in errors(save(operator, role, custom_Weight="two"))


@pytest.mark.usefixtures("influence")
def test_a_value_that_does_not_fit_the_new_type_is_shown_not_dropped(operator):
    role = factories.role(factories.opportunity(), custom_attributes={"Sponsor": "maybe"})
    assert "is not yes or no" in errors(save(operator, role))
    assert factories.fresh(role).custom_attributes == {"Sponsor": "maybe"}


@pytest.mark.usefixtures("influence")
def test_who_may_only_look_sees_custom_values():
    role = factories.role(factories.opportunity(), custom_attributes={"Weight": "4711"})
    assert "4711" in page_of(pages.client("viewer"), role).text_content()


@pytest.mark.usefixtures("influence")
def test_a_new_role_takes_custom_values(operator):
    opportunity = factories.opportunity()
    data = {"opportunity": opportunity.pk, "person_id": "5", "role": "Buyer", "custom_Weight": "3"}
    response = operator.post(reverse("admin:mobjects_opportunitypersonrole_add"), data)
    assert response.status_code == 302, list(get_messages(response.wsgi_request))
    assert OpportunityPersonRole.objects.get().custom_attributes == {"Weight": "3"}


# --- all the way ---


def test_the_button_fills_fields_tags_and_channels(operator, work, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        operator.post(reverse("mobjects:describe"))
    work()
    job = SyncJob.objects.get()
    assert job.state == SyncJobState.SUCCEEDED, job.problem_text
    assert "8 channels." in job.progress["summary"]
    assert CustomField.objects.filter(name="ContractMonths", data_type="integer").exists()
    page = page_of(operator, factories.opportunity())
    assert page.xpath("//input[@name='custom_ContractMonths']")


@pytest.mark.parametrize("kind", ["Opportunity", "OpportunityPersonRole"])
def test_a_custom_field_can_be_a_column_of_the_list(operator, kind):
    for name, in_list in (("ContractMonths", True), ("Hidden", False)):
        CustomField.objects.create(kind=kind, name=name, label=f"{name} label", in_list=in_list)
    values = {"custom_attributes": {"ContractMonths": "24 months", "Hidden": "kept from view"}}
    opportunity = factories.opportunity(**(values if kind == "Opportunity" else {}))
    if kind != "Opportunity":
        factories.role(opportunity, **values)
    response = operator.get(reverse(f"admin:mobjects_{kind.lower()}_changelist"))
    page = response.content.decode()
    shown = [column.label for column in response.context["columns"] if column.place]
    assert "ContractMonths label" in shown
    assert "24 months" in page
    assert "Hidden label" not in shown
    assert "kept from view" not in page
