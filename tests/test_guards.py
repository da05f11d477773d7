"""The table of guards does not rot: each of them can still be broken, and the tests that notice are still there."""

from __future__ import annotations

import re
from collections import Counter

from bench.guards import DATABASES, Guard, load
from tests.files import ROOT

GUARDS = load()


def missing(test: str) -> bool:
    file, *names = test.split("::")
    path = ROOT / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return not text or any(not re.search(rf"^(?:def|class) {re.escape(name)}\b", text, re.MULTILINE) for name in names)


def stands_once(guard: Guard) -> bool:
    path = ROOT / guard.file
    return path.is_file() and path.read_text(encoding="utf-8").count(guard.old) == 1


def test_what_is_to_be_broken_stands_in_its_file_exactly_once():
    assert [guard.id for guard in GUARDS if not stands_once(guard)] == []


def test_the_tests_that_notice_are_there():
    assert [(guard.id, test) for guard in GUARDS for test in guard.tests if missing(test)] == []


def test_every_guard_is_named_once_and_says_what_it_guards():
    assert [name for name, times in Counter(guard.id for guard in GUARDS).items() if times > 1] == []
    assert [guard.id for guard in GUARDS if not (guard.guards.endswith(".") and guard.tests)] == []


def test_every_guard_is_broken_on_a_database_there_is():
    assert [guard.id for guard in GUARDS if guard.database not in DATABASES or guard.old == guard.new] == []
