"""Tags and channel of a program, each by a call of its own."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import AuthError, OutcomeUnknown, Unavailable
from mobjects.marketo.types import OutcomeStatus
from mobjects.sandbox.fault_injection import FaultKind, RestFaultKind
from mobjects.sandbox.rest.instance import ChannelChange
from tests.marketo.rest.programs.records import PROGRAM, new, program

TAG = f"/rest/asset/v1/program/{PROGRAM}/tag"
BY_ID = f"GET /rest/asset/v1/program/{PROGRAM}.json"
UPDATE = f"POST /rest/asset/v1/program/{PROGRAM}.json"


def test_tags_are_set_one_by_one_and_looked_at(box):
    box.change_program(tags={"Region": "AMER", "Product Line": "Cloud"})
    (outcome,) = box.send(program(tags={"Region": "EMEA", "Business Unit": "Enterprise"})).outcomes
    assert (outcome.status, outcome.message) == (OutcomeStatus.UPDATED, "")
    assert box.program.tags == {"Region": "EMEA", "Product Line": "Cloud", "Business Unit": "Enterprise"}
    assert box.made() == [f"POST {TAG}/Region.json", f"POST {TAG}/Business%20Unit.json", BY_ID]


def test_a_tag_that_the_answer_for_the_channel_shows_already_is_not_set_again(box):
    box.change_program(tags={"Region": "EMEA", "Product Line": "Cloud"})
    wanted = {"Channel": box.program.channel, "Region": "EMEA", "Product Line": "Platform"}
    assert box.send(program(tags=wanted)).outcomes[0].status is OutcomeStatus.UPDATED
    assert box.program.tags == {"Region": "EMEA", "Product Line": "Platform"}
    assert box.made() == [UPDATE, f"POST {TAG}/Product%20Line.json", BY_ID]


def test_a_tag_is_removed_and_the_others_stay(box):
    box.change_program(tags={"Region": "AMER", "Product Line": "Cloud"})
    record = program(removed_tags=["Region"])
    assert box.send(record).outcomes[0].status is OutcomeStatus.UPDATED
    assert box.program.tags == {"Product Line": "Cloud"}


def test_a_tag_that_is_gone_is_nothing_to_remove(box):
    box.change_program(tags={"Product Line": "Cloud"})
    (outcome,) = box.send(program(removed_tags=["Region"])).outcomes
    assert outcome.status is OutcomeStatus.UNCHANGED


def test_a_tag_type_with_a_slash_goes_as_one_part_of_the_address(box):
    box.sandbox.store.tags["A/B & C"] = ["x y"]
    (outcome,) = box.send(program(tags={"A/B & C": "x y"})).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert box.program.tags["A/B & C"] == "x y"


def test_a_value_that_marketo_does_not_know_fails_in_its_words(box):
    before = dict(box.program.tags)
    (outcome,) = box.send(program(tags={"Region": "Mars"}, costs=[new("2026-06", "5")])).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "refused “Mars” for the tag “Region”" in outcome.message
    assert "Invalid tag value 'Mars'" in outcome.message
    assert (box.program.tags, box.costs) == (before, [])


def test_a_tag_for_other_programs_is_explained_across_both_vocabularies(box):
    box.sandbox.store.tag_program_types["Region"] = ["program", "nurture"]
    (outcome,) = box.send(program(tags={"Region": "EMEA"})).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "for programs of the type program, nurture, and this one is of the type Event" in outcome.message


def test_a_required_tag_is_not_removed(box):
    box.change_program(tags={"Region": "AMER"})
    box.sandbox.store.required_tags.add("Region")
    (outcome,) = box.send(program(removed_tags=["Region"])).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "Required tags are mandatory" in outcome.message


def test_a_tag_that_cannot_be_set_by_itself_is_refused_until_a_person_confirmed_the_list(box):
    box.change_program(tags={"Product Line": "Cloud"})
    box.sandbox.instance.tag_call_adds = False
    record = program(tags={"Region": "EMEA"})
    (outcome,) = box.send(record).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "does not let this tag be set by itself" in outcome.message
    assert box.program.tags == {"Product Line": "Cloud"}
    (outcome,) = box.send(record, tags_by_list_confirmed=True).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert box.program.tags == {"Product Line": "Cloud", "Region": "EMEA"}


def test_an_instance_without_the_call_takes_the_list_with_every_other_tag_in_it(box):
    box.change_program(tags={"Product Line": "Cloud", "Region": "AMER"})
    box.script(RestFaultKind.ERROR, path=f"{TAG}/*", code="610", text="Requested resource not found")
    record = program(tags={"Business Unit": "Enterprise"}, removed_tags=["Region"])
    assert box.send(record, tags_by_list_confirmed=True).outcomes[0].status is OutcomeStatus.UPDATED
    assert box.program.tags == {"Product Line": "Cloud", "Business Unit": "Enterprise"}


def test_a_tag_that_marketo_took_and_does_not_show_is_no_success(box):
    box.change_program(tags={"Region": "AMER"})
    box.script(FaultKind.SLOW, path=f"{TAG}/*")
    box.script(RestFaultKind.EDIT, path=f"{TAG}/*", applied=True, program=PROGRAM, tag_type="Region", tag_value="APAC")
    (outcome,) = box.send(program(tags={"Region": "EMEA"})).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert "does not show what was sent of the tag “Region”" in outcome.message


def test_a_read_that_lags_behind_is_not_taken_for_a_tag_that_was_ignored(box):
    box.sandbox.store.clock.freeze(box.sandbox.store.clock.now())
    box.sandbox.instance.lag_seconds = 60
    assert box.send(program(tags={"Region": "EMEA"})).outcomes[0].status is OutcomeStatus.UPDATED


def test_the_channel_is_changed_by_the_update_of_the_program(box):
    (outcome,) = box.send(program(tags={"Channel": "Roadshow"})).outcomes
    assert outcome.status is OutcomeStatus.UPDATED
    assert box.program.channel == "Roadshow"
    assert box.made() == [UPDATE]


@pytest.mark.parametrize(
    ("way", "words"),
    [(ChannelChange.IGNORED, "left the channel “Webinar”"), (ChannelChange.REFUSED, "did not change the channel")],
)
def test_a_channel_that_the_instance_does_not_change_is_refused_in_words(box, way, words):
    box.sandbox.instance.channel_on_update = way
    (outcome,) = box.send(program(tags={"Channel": "Roadshow", "Region": "EMEA"}, costs=[new("2026-06", "5")])).outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert words in outcome.message
    assert "change it in Marketo" in outcome.message
    assert (box.program.channel, box.costs) == ("Webinar", [])


def test_a_channel_that_the_program_has_already_need_not_be_changed(box):
    box.sandbox.instance.channel_on_update = ChannelChange.REFUSED
    (outcome,) = box.send(program(tags={"Channel": "webinar"}, costs=[new("2026-06", "5")])).outcomes
    assert (outcome.status, outcome.message) == (OutcomeStatus.UPDATED, "")
    assert box.costs == [("2026-06", "5", "")]


def test_a_refusal_after_something_was_written_is_looked_up_first(box):
    record = program(tags={"Region": "EMEA", "Product Line": "Mars"})
    with pytest.raises(OutcomeUnknown, match=r"changed in part.*Mars"):
        box.send(record)
    assert box.program.tags["Region"] == "EMEA"


def test_a_denied_call_before_anything_was_written_stays_what_it_is(box):
    box.sandbox.instance.denied_rights = ["Read-Write Assets"]
    with pytest.raises(AuthError):
        box.send(program(tags={"Region": "EMEA"}))


def test_a_limit_reached_half_way_leaves_the_outcome_unknown_with_all_calls(box):
    box.script(RestFaultKind.ERROR, path=f"{TAG}/*", nth=2, code="606", text="Max rate limit exceeded")
    with pytest.raises(OutcomeUnknown) as failure:
        box.send(program(tags={"Region": "EMEA", "Product Line": "Cloud"}))
    assert failure.value.code == "606"
    assert failure.value.exchange is not None
    assert len(failure.value.exchange.earlier) == 1


def test_a_limit_reached_at_once_is_certainly_not_applied(box):
    box.script(RestFaultKind.ERROR, path=f"{TAG}/*", code="606", text="Max rate limit exceeded")
    with pytest.raises(Unavailable):
        box.send(program(tags={"Region": "EMEA", "Product Line": "Cloud"}))


def test_a_refusal_after_a_system_error_is_not_taken_for_nothing_done(box):
    box.script(RestFaultKind.ERROR, path=f"{TAG}/*", code="611", applied=True)
    box.script(RestFaultKind.ERROR, path=f"{TAG}/*", code="709", text="Locked")
    with pytest.raises(OutcomeUnknown, match="Locked"):
        box.send(program(tags={"Region": "EMEA"}))
