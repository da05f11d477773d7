"""Tags and channels that Marketo does not know are refused before they are sent, and where they are entered."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mobjects.marketo.types import Kind
from mobjects.models import AllowedTag, AllowedValues, Program, ProgramTag
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.send.preview.forecast import forecast_groups
from mobjects.sync.send.selection import SyncSelection, classify_records
from mobjects.sync.send.tag_rules import UNKNOWN_CHANNEL, UNKNOWN_TAG, explain_unknown_values
from tests import factories
from tests.imports.helpers import checked, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def known():
    for kind, value in [
        ("Region", "EMEA"),
        ("Region", "EMEA North"),
        ("Region", "APAC"),
        ("Unit", "Cloud"),
        ("Channel", "Webinar"),
    ]:
        AllowedTag.objects.create(type=kind, value=value, described_at=timezone.now())


def held(**options) -> list[str]:
    """The reasons for which programs are held back."""
    groups = forecast_groups(SyncSelection(kinds=(Kind.PROGRAM,), **options), KeyFields())
    return [group.reason for group in groups for _ in range(group.count) if group.reason]


# --- before sending ---


@pytest.mark.parametrize(
    ("tag", "reasons"),
    [
        (("Region", "EMEA"), []),
        (("region", "emea"), []),
        (("Region", "EMAE"), [UNKNOWN_TAG]),
        (("Regin", "EMEA"), [UNKNOWN_TAG]),
        (("Unit", "EMEA"), [UNKNOWN_TAG]),
        (("region", "Seoul, Korea"), []),
        (("Regin", "Seoul, Korea"), [UNKNOWN_TAG]),
        (('Re"gion', "EMEA"), [UNKNOWN_TAG]),
    ],
    ids=str,
)
@pytest.mark.usefixtures("known")
def test_a_tag_that_marketo_does_not_know_is_held_back(tag, reasons):
    factories.tag(factories.program(), type=tag[0], value=tag[1])
    assert held() == reasons


@pytest.mark.parametrize(
    ("channel", "reasons"), [("", []), ("Webinar", []), ("webinar", []), ("Webinr", [UNKNOWN_CHANNEL])]
)
@pytest.mark.usefixtures("known")
def test_a_channel_that_marketo_does_not_know_is_held_back(channel, reasons):
    factories.program(channel=channel)
    assert held() == reasons


@pytest.mark.usefixtures("known")
def test_a_value_with_a_comma_may_be_two_so_that_marketo_decides():
    known = AllowedValues()
    assert known.find_problem("Region", "Seoul, Korea") == ""
    assert "cannot be told, as it has a comma" in known.find_doubt("Region", "Seoul, Korea")
    assert known.find_doubt("Region", "EMEA") == known.find_doubt("Unit", "EMEA") == ""
    assert "The channel “A, B” is not known" in known.find_problem("Channel", "A, B")


def test_while_nothing_is_known_everything_is_let_through():
    factories.tag(factories.program(channel="Anything"), type="Any", value="Thing")
    assert held() == []
    assert AllowedValues().find_problem("Any", "Thing") == AllowedValues().find_problem("Channel", "Anything") == ""


def test_knowing_tags_alone_says_nothing_about_channels():
    AllowedTag.objects.create(type="Region", value="EMEA", described_at=timezone.now())
    factories.program(channel="Anything")
    assert held() == []


def test_knowing_channels_alone_says_nothing_about_tags():
    AllowedTag.objects.create(type="Channel", value="Webinar", described_at=timezone.now())
    factories.tag(factories.program(), type="Any", value="Thing")
    assert held() == []


@pytest.mark.usefixtures("known")
def test_what_marketo_has_accepted_and_is_not_sent_again_holds_nothing_back():
    accepted = {"Tag Region": "Old", "Channel": "Fax"}
    program = factories.program(channel="Fax", accepted=accepted)
    tag = factories.tag(program, value="Old")
    assert held() == []
    assert held(resend=True) == [UNKNOWN_CHANNEL]
    Program.objects.update(channel="Webinar")
    assert held(resend=True) == [UNKNOWN_TAG]
    ProgramTag.objects.filter(pk=tag.pk).update(value="Older")
    assert held() == [UNKNOWN_TAG]


# --- words ---


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (("Region", "EMAE"), "Region “EMAE” is not known in Marketo; nearest: EMEA, EMEA North."),
        (("Region", "xyz"), "Region “xyz” is not known in Marketo; known: APAC, EMEA, EMEA North."),
        (("Regin", "EMEA"), "The tag type “Regin” is not known in Marketo; nearest: Region."),
        (("Channel", "Webinr"), "The channel “Webinr” is not known in Marketo; nearest: Webinar."),
        (("Region", "emea"), ""),
    ],
    ids=str,
)
@pytest.mark.usefixtures("known")
def test_the_nearest_known_values_are_named(tag, words):
    assert AllowedValues().find_problem(*tag) == words


def test_of_many_values_only_some_are_listed():
    for number in range(12):
        AllowedTag.objects.create(type="Region", value=f"{number:02}", described_at=timezone.now())
    assert AllowedValues().find_problem("Region", "x").endswith("08, 09 and 2 more.")


# --- imports ---


@pytest.mark.usefixtures("known")
def test_known_values_are_read_once_for_a_file(django_assert_max_num_queries):
    lines = "".join(f"{number},x,Webinar\n" for number in range(1, 500))
    with django_assert_max_num_queries(60):
        assert words(checked("programs", f"Marketo ID,Name,Channel\n{lines}")) == []


# --- the history ---


@pytest.mark.usefixtures("known", "marketo_settings")
def test_the_history_names_the_value_and_the_nearest(sandbox):
    held_back = factories.program(marketo_id=1001, channel="Webinr")
    factories.tag(held_back, value="EMAE")
    fine = factories.program(marketo_id=1002)
    factories.tag(fine)
    job = factories.sync()
    said = dict(job.results.values_list("record_id", "error"))
    assert said[held_back.pk] == (
        "The channel “Webinr” is not known in Marketo; nearest: Webinar. "
        "Region “EMAE” is not known in Marketo; nearest: EMEA, EMEA North."
    )
    assert job.results.get(record_id=held_back.pk).status == "HELD"
    assert factories.fresh(held_back).is_dirty
    assert not factories.fresh(fine).is_dirty
    assert "EMAE" not in str([call.request for call in sandbox.calls])


@pytest.mark.usefixtures("known")
def test_the_reason_names_what_is_new_not_what_marketo_holds_already():
    program = factories.program(accepted={"Tag Region": "Old"})
    factories.tag(program, value="Old")
    factories.tag(program, type="Unit", value="Clod")
    found = classify_records(Kind.PROGRAM, SyncSelection(kinds=(Kind.PROGRAM,)), KeyFields())
    assert explain_unknown_values(list(found)) == {program.pk: "Unit “Clod” is not known in Marketo; nearest: Cloud."}
