"""What is asked for under one key is done once, whoever waits for whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection
from django.utils import timezone

from mobjects.db.done_once import KeyReusedError, do_once, done_before
from mobjects.models import IdempotencyKey, Opportunity
from tests import factories


def make(name):
    return factories.opportunity(name=name)


def name_of(opportunity):
    return str(opportunity.pk)


@pytest.mark.django_db
def test_the_second_hears_what_the_first_made():
    made, name = do_once("ann", "key", lambda: make("EMEA"), name_of)
    assert (name, done_before("ann", "key")) == (str(made.pk), str(made.pk))
    assert do_once("ann", "key", lambda: make("APAC"), name_of) == (None, name)
    assert Opportunity.objects.get() == made


@pytest.mark.django_db
def test_others_may_have_the_same_key():
    do_once("ann", "key", lambda: make("EMEA"), name_of)
    assert done_before("bob", "key") == ""
    do_once("bob", "key", lambda: make("APAC"), name_of)
    assert Opportunity.objects.count() == 2


@pytest.mark.django_db
def test_what_broke_off_or_came_to_nothing_may_be_asked_for_again():
    with pytest.raises(ValueError, match="no"):
        do_once("ann", "key", lambda: int("no"), name_of)
    assert do_once("ann", "key", lambda: make("EMEA"), lambda _: "")[1] == ""
    assert not IdempotencyKey.objects.exists()
    assert do_once("ann", "key", lambda: make("APAC"), name_of)[0].name == "APAC"


@pytest.mark.django_db
def test_a_key_is_not_for_two_requests():
    do_once("ann", "key", lambda: make("EMEA"), name_of, asked="EMEA")
    with pytest.raises(KeyReusedError):
        do_once("ann", "key", lambda: make("APAC"), name_of, asked="APAC")
    assert Opportunity.objects.get().name == "EMEA"


@pytest.mark.django_db
def test_what_was_made_too_long_ago_is_made_again():
    do_once("ann", "key", lambda: make("EMEA"), name_of)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert do_once("ann", "key", lambda: make("APAC"), name_of, within=timedelta(minutes=3))[0] is None
    made, name = do_once("ann", "key", lambda: make("APAC"), name_of, within=timedelta(minutes=1))
    assert (made.name, name, done_before("ann", "key")) == ("APAC", str(made.pk), str(made.pk))
    assert do_once("ann", "key", lambda: make("LATAM"), name_of, within=timedelta(minutes=1)) == (None, name)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="on SQLite whoever writes waits for all who do, at once")
@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_waits():
    inside, second_asked = Event(), Event()

    def first():
        def make_slowly():
            inside.set()
            assert second_asked.wait(20)
            return make("EMEA")

        return run(make_slowly)

    def second():
        assert inside.wait(20)
        second_asked.set()
        return run(lambda: make("APAC"))

    def run(make_it):
        try:
            return do_once("ann", "key", make_it, name_of)[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        names = [future.result() for future in (pool.submit(first), pool.submit(second))]
    assert names == [str(Opportunity.objects.get().pk)] * 2
