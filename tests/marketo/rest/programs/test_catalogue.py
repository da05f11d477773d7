"""Tag types, channels, and the two vocabularies of program types."""

from __future__ import annotations

import pytest

from mobjects.marketo.errors import Unavailable
from mobjects.marketo.rest.programs import read_channels, read_tags
from mobjects.marketo.rest.programs.program_types import applicable_type, fits_program, read_list
from tests.support.rest_server import asset_success


def test_all_tag_types_with_their_values(box):
    answer = read_tags(box.calls)
    assert {name: list(values) for name, values in answer.values.items()} == box.sandbox.store.tags
    assert len(answer.exchange.earlier) + 1 == len(box.made()) == 1 + len(box.sandbox.store.tags)


def test_all_channels(box):
    answer = read_channels(box.calls)
    assert answer.values == {"Channel": list(box.sandbox.store.channels)}


def test_more_than_a_page_of_channels(box):
    for number in range(230):
        box.sandbox.store.channels[f"C{number}"] = []
    assert len(read_channels(box.calls).values["Channel"]) == len(box.sandbox.store.channels)


def test_an_instance_without_tags_has_none(server, make_calls):
    server.answer(asset_success(warnings=("No assets found for the given search criteria.",)))
    assert read_tags(make_calls()).values == {}


def test_a_type_without_a_name_is_refused(server, make_calls):
    server.answer(asset_success({"tagType": None}))
    with pytest.raises(Unavailable, match="without its name"):
        read_tags(make_calls())


def test_the_channel_is_no_tag_type(server, make_calls):
    server.answer(asset_success({"tagType": "Channel"}))
    assert read_tags(make_calls()).values == {}


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        ("[AMER, APAC]", ", ", ["AMER", "APAC"]),
        ("[Smith,Jones, Kim]", ", ", ["Smith,Jones", "Kim"]),
        ("[program,event]", ",", ["program", "event"]),
        ("[]", ", ", []),
        (None, ", ", []),
    ],
)
def test_lists_are_text_in_brackets(text, separator, parts):
    assert read_list(text, separator) == parts


@pytest.mark.parametrize(
    ("told", "applicable"),
    [("Default", "program"), ("Email", "email_batch"), ("Engagement", "nurture"), ("Event", "event"), ("New", "")],
)
def test_program_types_are_mapped(told, applicable):
    assert applicable_type(told) == applicable


def test_what_is_not_known_fits(box):
    assert fits_program("Event", ["event", "webinar"])
    assert not fits_program("Event", ["program"])
    assert fits_program("New", ["program"])
    assert fits_program("Event", ["something_new"])
    assert fits_program("Event", [])
