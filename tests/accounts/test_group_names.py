"""A group that a setting names and nobody made is said, where a person looks: else its people need no second factor."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

from mobjects.accounts.group_names import list_unknown_groups
from mobjects.checks import check_group_names
from mobjects.operations.service_checks import find_account_problems

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("groups")]


@pytest.fixture
def misspelt(settings):
    settings.ACCOUNTS = {
        **settings.ACCOUNTS,
        "SECOND_FACTOR_GROUPS": ["operators", "operator", "superusers", "everybody"],
        "OIDC_GROUPS": [("crm-ops", "operator"), ("crm-read", "reader")],
    }


def test_each_unknown_group_is_named_with_its_setting_and_the_one_that_may_be_meant(misspelt):
    first, second = list_unknown_groups()
    assert first.says == (
        "ACCOUNTS_SECOND_FACTOR_GROUPS names the group “operators”, which does not exist: "
        "nobody needs a second factor for it."
    )
    assert "Perhaps “operator” is meant." in first.advice
    assert second.says.startswith("ACCOUNTS_OIDC_GROUPS names the group “reader”")


def test_the_doctor_and_the_check_of_the_database_say_it(misspelt, capsys):
    assert [each.level for each in find_account_problems()] == ["bad", "bad"]
    call_command("check", databases=["default"])
    assert "mobjects.W004" in capsys.readouterr().err
    assert check_group_names(None) == []


def test_known_groups_are_no_matter(settings):
    settings.ACCOUNTS = {**settings.ACCOUNTS, "SECOND_FACTOR_GROUPS": ["operator", "superusers"]}
    assert [each.level for each in find_account_problems()] == ["ok"]


def test_a_database_that_does_not_answer_is_left_to_other_checks(misspelt):
    def refuse(*args):
        raise DatabaseError

    with connection.execute_wrapper(refuse):
        assert check_group_names(None, databases=["default"]) == []
