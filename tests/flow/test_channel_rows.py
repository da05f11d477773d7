"""A file of tags with rows of type Channel, from its upload to Marketo, and back again by an undo."""

from __future__ import annotations

import pytest

from mobjects.models import Program
from tests import factories
from tests.imports.running import as_csv, checked, undone, written

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("marketo_settings")]

BEFORE, AFTER = "Webinar", "Roadshow"


def test_a_channel_of_a_file_is_sent_and_taken_back(sandbox):
    here = [factories.program(marketo_id=number, channel=BEFORE) for number in (1001, 1002, 1003)]
    factories.sync(*here)

    def in_marketo() -> list[str]:
        return [sandbox.store.programs[program.marketo_id].channel for program in here]

    assert in_marketo() == [BEFORE] * 3
    rows = [(1001, "channel", AFTER), (1002, "Region", "Korea"), (1003, "CHANNEL", AFTER)]
    columns = ("Program ID", "Type", "Value")
    file = as_csv([dict(zip(columns, row, strict=True)) for row in rows])
    imported = written(checked(file, kind="program-tags"))
    assert imported.written == {"created": 1, "changed": 2, "left": 0, "channels": 2}
    assert set(Program.objects.dirty()) == set(here)
    assert factories.sync().counts == {"UPDATED": 3}
    assert in_marketo() == [AFTER, BEFORE, AFTER]

    undone(imported)
    assert {name: imported.undone[name] for name in ("restored", "removed", "left")} == {
        "restored": 2,
        "removed": 0,
        "left": 1,  # Marketo has the tag by now.
    }
    assert set(Program.objects.dirty()) == {here[0], here[2]}
    assert factories.sync().counts == {"UPDATED": 2}
    assert in_marketo() == [BEFORE] * 3
    assert imported.changes.filter(record_id=None, owner_id=here[0].pk, undone="restored").exists()
