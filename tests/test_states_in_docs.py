"""docs/data-flow.md prints which state may follow which."""

from __future__ import annotations

import re

import pytest

from mobjects.imports.lifecycle import IMPORT_CHANGES
from mobjects.jobs.lifecycle import JOB_CHANGES
from mobjects.models import ImportState, SyncJobState
from tests.files import ROOT


def printed(head: str) -> dict[str, list[str]]:
    text = (ROOT / "docs/data-flow.md").read_text(encoding="utf-8")
    rows = text.partition(f"| {head} | may become |\n|---|---|\n")[2].partition("\n\n")[0]
    return {old: following.split(", ") for old, following in re.findall(r"^\| (.*) \| (.*) \|$", rows, re.MULTILINE)}


@pytest.mark.parametrize(
    ("head", "states", "changes"),
    [("A job that is", SyncJobState, JOB_CHANGES), ("An import that", ImportState, IMPORT_CHANGES)],
)
def test_the_table_in_the_docs_is_that_of_the_code(head, states, changes):
    in_words = {states(old).label: [states(state).label for state in following] for old, following in changes.items()}
    assert printed(head) == in_words
