"""An element that the WSDL does not know, at every position of every answer, changes nothing or makes it unreadable.

Marketo added elements to its answers from version to version. zeep's tolerant mode gives None for every known element
behind an unknown one, without an error; one of its settings spares the answers that are read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import etree

from mobjects.marketo.errors import OutcomeUnknown, Unavailable
from mobjects.marketo.soap.transport import SoapTransport
from mobjects.marketo.types import Kind, MarketoQuery, Operation, OutgoingBatch, OutgoingRecord
from tests.support import soap
from tests.support.soap import row, sync_answer, transport

RECORDS = [OutgoingRecord(Kind.OPPORTUNITY, values={"Name": name}) for name in "ab"]
PAIRS = "<attrib><name>Name</name><value>Fair</value></attrib><attrib><name>Note</name><value/></attrib>"
COST = "<attrib><name>Month</name><value>2026-11</value></attrib><attrib><name>Amount</name><value>5</value></attrib>"
MOBJECT = f"""<mObject><type>Opportunity</type><id>7</id>
<externalKey><name>K</name><value>A-1</value></externalKey>
<createdAt>2026-02-14T14:26:45-06:00</createdAt><updatedAt>2026-02-15T14:26:45-06:00</updatedAt>
<attribList>{PAIRS}</attribList>
<associationList><mObjAssociation><mObjType>Company</mObjType><id>3</id></mObjAssociation></associationList></mObject>"""
PROGRAM = f"""<mObject><type>Program</type><id>8</id><attribList>{PAIRS}</attribList>
<typeAttribList><typeAttrib><attrType>Cost</attrType><attrList>{COST}</attrList></typeAttrib></typeAttribList></mObject>"""
FIELD = "<field><name>Name</name><displayName>Name</displayName><dataType>string</dataType><size>255</size>"
FIELD += "<isReadonly>false</isReadonly><isUpdateBlocked>true</isUpdateBlocked><isCustom>true</isCustom></field>"


def page(*objects: str) -> str:
    head = (
        f"<returnCount>{len(objects)}</returnCount><hasMore>true</hasMore><newStreamPosition>next</newStreamPosition>"
    )
    return soap.success("GetMObjects", f"{head}<mObjectList>{''.join(objects)}</mObjectList>")


Ask = Callable[[SoapTransport], Any]

ANSWERS: dict[str, tuple[str, Ask]] = {
    "sync": (
        sync_answer(row("CREATED", 11, key=("K", "A-1")), row("FAILED", error="no")),
        lambda marketo: marketo.send(OutgoingBatch(Operation.UPSERT, RECORDS)).outcomes,
    ),
    "delete": (
        soap.success("DeleteMObjects", f"<mObjStatusList>{row('DELETED', 5)}{row('UNCHANGED', 6)}</mObjStatusList>"),
        lambda marketo: marketo.delete(Kind.OPPORTUNITY, [5, 6]).outcomes,
    ),
    "find": (page(MOBJECT, MOBJECT), lambda marketo: found(marketo.find(MarketoQuery(Kind.OPPORTUNITY)))),
    "find programs": (page(PROGRAM), lambda marketo: found(marketo.find(MarketoQuery(Kind.PROGRAM)))),
    "describe": (
        soap.success("DescribeMObject", f"<metadata><name>Opportunity</name><fieldList>{FIELD}</fieldList></metadata>"),
        lambda marketo: marketo.describe(Kind.OPPORTUNITY).fields,
    ),
    "tags": (
        soap.success(
            "GetTags",
            "<tagList><tag><type>Region</type><values><stringItem>EMEA</stringItem><stringItem>APAC</stringItem></values>"
            "</tag></tagList>",
        ),
        lambda marketo: marketo.tags().values,
    ),
    "channels": (
        soap.success("GetChannels", "<tags><tagStatus><tagValue>Webinar</tagValue></tagStatus></tags>"),
        lambda marketo: marketo.channels().values,
    ),
}
UNKNOWN = {
    "text": "<lastChangedBy>someone</lastChangedBy>",
    "nested": "<audit><by>someone</by><status>FAILED</status></audit>",
    "of Marketo's namespace": '<m:audit xmlns:m="http://www.marketo.com/mktows/">x</m:audit>',
}


def found(page: Any) -> Any:
    return page.found, page.more, page.position


def with_element(answer: str, element: str) -> Iterator[tuple[str, bytes]]:
    """The answer with the element put at each position of the message in turn, and where that was."""
    root = etree.fromstring(answer.encode())
    (message,) = root[0]
    places = [(node, place) for node in message.iter() if len(node) for place in range(len(node) + 1)]
    for node, place in places:
        added = etree.fromstring(element)
        node.insert(place, added)
        yield f"{node.tag}[{place}]", etree.tostring(root)
        node.remove(added)


@pytest.mark.parametrize("element", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("name", ANSWERS)
def test_an_unknown_element_changes_nothing_of_what_is_known(server, name, element):
    answer, ask = ANSWERS[name]
    marketo = transport(server.endpoint)
    server.answer(answer)
    expected = ask(marketo)
    assert expected
    assert "[]" not in str(expected)
    wrong, unreadable = [], []
    for place, changed in with_element(answer, element):
        server.answer(changed.decode())
        try:
            heard = ask(marketo)
        except (OutcomeUnknown, Unavailable):
            unreadable.append(place)  # Which is no blank.
            continue
        if heard != expected:
            wrong.append((place, heard))
    assert wrong == []
    assert unreadable == []


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_without_its_result_is_unreadable(server, name):
    answer, ask = ANSWERS[name]
    root = etree.fromstring(answer.encode())
    (message,) = root[0]
    message.remove(message[0])
    server.answer(etree.tostring(root).decode())
    with pytest.raises((OutcomeUnknown, Unavailable), match="without its result"):
        ask(transport(server.endpoint))
