"""What a record holds is the same in whatever language it is looked at."""

from __future__ import annotations

import pytest
from django.utils import translation

from mobjects.sync.content.payload import KeyFields, record_difference
from tests import factories

pytestmark = pytest.mark.django_db


def test_tags_of_a_program_are_not_removed_by_looking_at_it_in_korean():
    program = factories.program(channel="Webinar", accepted={"Channel": "Webinar", "Tag Region": "EMEA"})
    factories.tag(program, type="Region", value="EMEA")
    with translation.override("ko"):
        assert record_difference(program, KeyFields("", "", "")) == []
