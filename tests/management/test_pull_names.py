"""Naming what ``pull_mobjects`` reads, where Marketo cannot list it."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from mobjects.marketo.registry import TRANSPORTS
from mobjects.models import SyncJob
from tests.support import guid_reading
from tests.support.guid_reading import GuidMemory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture(autouse=True)
def _over_guids(settings):
    TRANSPORTS["guids"] = guid_reading.entry(GuidMemory())
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "guids", "GUIDS_AT": "https://guids.example"}
    yield
    del TRANSPORTS["guids"]


def test_names_come_from_a_text_file(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text("E-1\nE-2\n", encoding="utf-8-sig")
    with pytest.raises(SystemExit):
        call_command("pull_mobjects", kind="roles", named_by="opportunity", names_from=file)
    kept = SyncJob.objects.get().selection
    assert (kept["named_by"], kept["names"]) == ("opportunity", ["E-1", "E-2"])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"none\.txt"):
        call_command("pull_mobjects", kind="roles", names_from=tmp_path / "none.txt")
