"""The criteria of getMObjects: which exist for which object, and what they match.

Names: Adobe's getMObjects page. Created At, Updated At and Id take all comparisons, the rest EQ and NE.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from mobjects.sandbox.fields import OPPORTUNITY, PROGRAM, ROLE
from mobjects.sandbox.soap.envelope import text_of
from mobjects.sandbox.soap.programs import CHANNEL
from mobjects.sandbox.soap.soap_fault import SoapFault
from mobjects.sandbox.state import StoredObject, StoredProgram
from mobjects.sandbox.values import InvalidValue, read_datetime, read_integer

SandboxObject = StoredProgram | StoredObject
ObjectTest = Callable[[SandboxObject], bool]

# Any: the operators want comparable operands, and each test below compares like with like.
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "LT": operator.lt,
    "LE": operator.le,
    "GT": operator.gt,
    "GE": operator.ge,
}
_EQUALITY = ("EQ", "NE")

_TEXTS = {
    PROGRAM: {"Name": "name", "Type": "type", "CRM Id": "crm_id", "Workspace Name": "workspace_name"},
    OPPORTUNITY: {"Name": "Name", "Type": "Type", "Stage": "Stage"},
    ROLE: {"Role": "Role"},
}
_NUMBERS: dict[str, dict[str, str]] = {PROGRAM: {"Id": "id", "Workspace Id": "workspace_id"}}
_UPDATED = "Updated At"
_TIMES = {"Created At": "created_at", _UPDATED: "updated_at"}
_TAG_TYPE, _TAG_VALUE, _ARCHIVE = "Tag Type", "Tag Value", "Include Archive"
_ONCE = (_TAG_TYPE, _TAG_VALUE, "Workspace Name", "Workspace Id", _ARCHIVE)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion as sent."""

    name: str
    comparison: str
    value: str


def read_criteria(message: etree._Element) -> list[Criterion]:
    """All criteria of a schema-valid getMObjects call."""
    return [
        Criterion(text_of(element, "attrName"), text_of(element, "comparison"), text_of(element, "attrValue"))
        for element in message.iterfind("mObjCriteriaList/mObjCriteria")
    ]


def compile_tests(kind: str, criteria: Iterable[Criterion], *, by_id: bool) -> list[ObjectTest]:
    """What an object has to pass.

    Args:
        kind: type of the objects.
        criteria: all of them have to hold.
        by_id: an id is asked for, so an archived program is shown too.

    Raises:
        SoapFault: 20110 for a criterion that does not exist for the type, a value it cannot have, or two that
            exclude each other.
    """
    criteria = list(criteria)
    names = [criterion.name for criterion in criteria]
    for name in _ONCE:
        if names.count(name) > 1:
            raise SoapFault("20110", f"Criterion {name!r} is allowed once")
    if _TAG_TYPE in names and _UPDATED in names:
        # "Updated At or Tag Type (only one can be specified)", says Adobe's page.
        raise SoapFault("20110", f"Only one of the criteria {_UPDATED!r} and {_TAG_TYPE!r} is allowed")
    tag_type = next((item.value for item in criteria if (item.name, item.comparison) == (_TAG_TYPE, "EQ")), None)
    tests = [_test(kind, criterion, tag_type) for criterion in criteria]
    archived_too = by_id or any(item.name == _ARCHIVE and item.value in ("true", "1") for item in criteria)
    if kind == PROGRAM and not archived_too:
        tests.append(lambda item: isinstance(item, StoredProgram) and not item.is_archived)
    return tests


def _test(kind: str, criterion: Criterion, tag_type: str | None) -> ObjectTest:
    name, compare = criterion.name, _COMPARISONS[criterion.comparison]
    if name in _TIMES:
        moment = _value(criterion, read_datetime)
        return lambda item: compare(getattr(item, _TIMES[name]), moment)
    if name in _NUMBERS.get(kind, {}):
        number = _value(criterion, read_integer)
        return lambda item: compare(getattr(item, _NUMBERS[kind][name]), number)
    if criterion.comparison not in _EQUALITY:
        raise SoapFault("20110", f"Criterion {name!r} supports EQ and NE, not {criterion.comparison}")
    if name in _TEXTS[kind]:
        return lambda item: compare(_text(item, _TEXTS[kind][name]), criterion.value)
    if kind == PROGRAM and name in (_TAG_TYPE, _TAG_VALUE, _ARCHIVE):
        return _program_test(criterion, tag_type)
    raise SoapFault("20110", f"There is no criterion {name!r} for {kind}")


def _program_test(criterion: Criterion, tag_type: str | None) -> ObjectTest:
    wanted = criterion.comparison == "EQ"

    def test_program(item: SandboxObject) -> bool:
        tags = {**item.tags, CHANNEL: item.channel} if isinstance(item, StoredProgram) else {}
        if criterion.name == _ARCHIVE:
            return True
        if criterion.name == _TAG_TYPE:
            return (criterion.value in tags) is wanted
        held = tags.values() if tag_type is None else [tags.get(tag_type)]
        return (criterion.value in held) is wanted

    return test_program


def _text(item: SandboxObject, name: str) -> str:
    return str(getattr(item, name)) if isinstance(item, StoredProgram) else item.values.get(name, "")


def _value(criterion: Criterion, read: Callable[[str], object]) -> object:
    try:
        return read(criterion.value)
    except InvalidValue as bad:
        raise SoapFault("20110", f"Criterion {criterion.name!r}: {criterion.value!r} is not {bad}") from bad
