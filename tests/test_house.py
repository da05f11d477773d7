"""What keeps the code findable: small folders, one meaning for a name, the field's words, few arrows."""

from __future__ import annotations

import pytest

from tests import house

MODULES_IN_A_FOLDER = 15
ARROWS_IN_SYNC = 40
SHARE_OF_ONE_WORD = 0.45
HOME_MADE = frozenset({"beside", "insist", "insisting", "settle", "settled", "settling", "take", "told", "wish"})
"""Words that once meant several things each; docs/decisions/0025 says which ones stand in their place."""


def test_no_folder_is_too_full():
    # Django finds commands in this folder only, a module for each.
    counted = {
        name: count for name, count in house.modules_by_folder().items() if name != "mobjects/management/commands"
    }
    assert [each for each in counted.items() if each[1] > MODULES_IN_A_FOLDER] == []


def test_a_class_name_means_one_class():
    assert {name: paths for name, paths in house.classes_by_name().items() if len(paths) > 1} == {}


def test_most_functions_say_what_they_do_to_what():
    assert house.share_of_one_word() <= SHARE_OF_ONE_WORD


def test_the_parts_of_sync_know_few_others():
    assert len(house.arrows("mobjects.sync")) <= ARROWS_IN_SYNC


def test_no_name_is_made_of_a_word_that_the_field_does_not_know():
    assert [(str(path), name) for path, name in house.named() if HOME_MADE.intersection(house.words(name))] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("next_at", ["next", "at"]), ("SyncJobState", ["sync", "job", "state"]), ("_TOLD", ["told"]), ("run", ["run"])],
)
def test_a_name_is_taken_apart_into_its_words(name, words):
    assert house.words(name) == words
