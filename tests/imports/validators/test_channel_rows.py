"""Rows of tags whose type is Channel: they mean the channel of their program."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mobjects.models import AllowedTag, ImportProblemLevel, Program
from tests import factories
from tests.imports.helpers import checked, counts, outcomes, words

pytestmark = pytest.mark.django_db

HEADER = "Program ID,Type,Value\n"
UNSENT = "which was entered here and not sent to Marketo yet."


@pytest.fixture
def program():
    return factories.program(marketo_id=1001, channel="Email")


@pytest.fixture
def known():
    for kind, value in [("Region", "EMEA"), ("Channel", "Webinar"), ("Channel", "Roadshow")]:
        AllowedTag.objects.create(type=kind, value=value, described_at=timezone.now())


@pytest.mark.parametrize("spelling", ["Channel", "channel", "CHANNEL"])
def test_a_row_of_type_channel_changes_the_program_s_channel(program, spelling):
    found = checked("program-tags", f"{HEADER}1001,{spelling},Webinar\n")
    assert (counts(found), words(found)) == ((0, 1, 0, 0), [])
    row, link = found.found.get(), str(program.pk)
    assert (row.record_id, row.label) == (None, "Channel: Webinar")
    assert row.data == {"program_id": link, "channel": "Webinar"}
    assert row.old == {"program_id": link, "channel": "Email"}


def test_a_program_without_a_channel_gets_one():
    factories.program()
    found = checked("program-tags", f"{HEADER}1001,Channel,Webinar\n")
    assert (counts(found), found.found.get().old["channel"]) == ((0, 1, 0, 0), "")


@pytest.mark.usefixtures("program")
def test_the_channel_that_a_program_has_is_no_change():
    found = checked("program-tags", f"{HEADER}1001,channel,Email\n")
    assert (counts(found), found.found.get().data) == ((0, 0, 1, 0), {})


@pytest.mark.usefixtures("program", "known")
def test_a_channel_that_marketo_does_not_know_is_an_error_with_the_nearest():
    found = checked("program-tags", f"{HEADER}1001,channel,Webinr\n")
    assert words(found) == ["row 2, Value, “Webinr”: The channel “Webinr” is not known in Marketo; nearest: Webinar."]
    assert found.found_problems.get().suggestion == "Webinar"


@pytest.mark.usefixtures("program", "known")
def test_a_type_that_looks_like_channel_gets_it_suggested():
    found = checked("program-tags", f"{HEADER}1001,Chanel,Webinar\n")
    assert (counts(found), found.found_problems.get().suggestion) == ((0, 0, 0, 1), "Channel")


@pytest.mark.usefixtures("program", "known")
def test_a_file_may_repeat_a_channel_that_is_offered_no_more():
    assert counts(checked("program-tags", f"{HEADER}1001,Channel,Email\n")) == (0, 0, 1, 0)


@pytest.mark.usefixtures("program")
def test_two_channels_for_one_program_are_errors():
    factories.program(marketo_id=1002)
    found = checked("program-tags", f"{HEADER}1001,Channel,Webinar\n1002,Channel,Fair\n1001,CHANNEL,Fair\n")
    said = "rows 2 and 4 mean the same tag; keep one."
    assert words(found) == [f"row 2, Type, “channel”: {said}", f"row 4, Type, “channel”: {said}"]
    assert outcomes(found) == {2: "error", 3: "changed", 4: "error"}


def test_a_program_that_is_not_here_is_an_error():
    assert words(checked("program-tags", f"{HEADER}7,Channel,Webinar\n")) == [
        "row 2, Program ID, “7”: there is no program with this Marketo ID here; import the program first."
    ]


@pytest.mark.usefixtures("program")
def test_a_blank_value_leaves_the_channel_and_cannot_clear_it():
    text = f"{HEADER}1001,Channel,\n"
    assert counts(checked("program-tags", text)) == (0, 0, 1, 0)
    assert words(checked("program-tags", text, blank_clears=["Value"])) == ["row 2, Value: must not be empty."]


def test_a_channel_that_was_changed_here_and_not_sent_is_a_conflict(program):
    Program.objects.update(synced_revision=1, accepted={"Channel": "Email"}, revision=2)
    assert counts(checked("program-tags", f"{HEADER}1001,Channel,Webinar\n")) == (0, 1, 0, 0)
    program.refresh_from_db()
    program.channel = "Fair"
    program.save()
    found = checked("program-tags", f"{HEADER}1001,Channel,Webinar\n")
    assert counts(found) == (0, 0, 0, 0, 1)
    said = [f"row 2, Value, “Webinar”: would overwrite “Fair”, {UNSENT}"]
    assert words(found, ImportProblemLevel.CONFLICT) == said


def test_a_program_that_was_changed_since_the_export_is_a_conflict(program):
    text = "Program ID,Type,Value,Revision\n1001,Channel,Webinar,1\n"
    assert counts(checked("program-tags", text)) == (0, 1, 0, 0)
    factories.cost(program)
    found = checked("program-tags", text)
    assert words(found, ImportProblemLevel.CONFLICT) == [
        "row 2, Revision, “1”: was changed here since the file was exported; overwritten would be: Value."
    ]
