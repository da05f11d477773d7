"""``identify_mobjects``: the same job as the page's, told by exit codes."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from mobjects.marketo.registry import TRANSPORTS
from mobjects.models import Opportunity, OpportunityPersonRole, SyncJob
from tests import factories
from tests.support import identify_transport
from tests.support.guids import deal, guid, part
from tests.support.identify_transport import Wire

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_url")]


@pytest.fixture
def wire(settings):
    """The site over an API that calls objects by GUIDs, and what stands there."""
    wire = Wire(deal(1, "E-1", OldKey="K-1"), part(2, "E-1"))
    TRANSPORTS["wire"] = identify_transport.entry(wire)
    settings.MARKETO = {**settings.MARKETO, "TRANSPORT": "wire", "WIRE_AT": "https://wire.example"}
    yield wire
    del TRANSPORTS["wire"]


def run(capsys, *arguments):
    """Exit code and output."""
    with pytest.raises(SystemExit) as end:
        call_command("identify_mobjects", *arguments)
    return end.value.code, capsys.readouterr().out


@pytest.mark.usefixtures("wire")
def test_ids_of_both_kinds_are_looked_up(capsys):
    factories.role(factories.opportunity(external_id="E-1"))
    code, output = run(capsys, "--inline")
    assert code == 0
    assert "2 records looked up; 2 taken from Marketo" in output
    assert (Opportunity.objects.get().marketo_guid, OpportunityPersonRole.objects.get().marketo_guid) == (
        guid(1),
        guid(2),
    )


@pytest.mark.usefixtures("wire")
def test_what_is_not_found_is_exit_code_1(capsys):
    factories.opportunity(external_id="E-9")
    assert run(capsys, "--kind", "opportunities", "--inline")[0] == 1


@pytest.mark.usefixtures("wire")
def test_a_custom_field_and_records_can_be_named(capsys):
    record, _ = factories.opportunity(external_id="K-1"), factories.opportunity(external_id="K-2")
    options = ("--kind", "opportunities", "--ids", str(record.pk), "--key-field", "OldKey", "--inline")
    assert run(capsys, *options)[0] == 0
    assert SyncJob.objects.get().counts == {"TAKEN": 1}


@pytest.mark.usefixtures("wire")
def test_ids_of_several_kinds_are_refused():
    with pytest.raises(CommandError, match="name opportunities or roles") as refused:
        call_command("identify_mobjects", "--ids", "1")
    assert refused.value.returncode == 2


def test_an_api_with_numbers_has_nothing_to_look_up():
    with pytest.raises(CommandError, match="there is nothing to look up") as refused:
        call_command("identify_mobjects")
    assert refused.value.returncode == 2
