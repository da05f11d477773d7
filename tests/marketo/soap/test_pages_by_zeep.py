"""What Marketo holds as we read it, and as zeep does by the WSDL: the same, however the answer is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mobjects.marketo.soap import envelope, query_responses
from mobjects.marketo.soap.elements import InvalidResponse
from mobjects.marketo.types import (
    Exchange,
    ExternalKey,
    Kind,
    LinkTarget,
    MarketoQuery,
    OutgoingRecord,
    RecordAssociation,
)
from mobjects.sandbox import SandboxServer
from mobjects.sandbox.fields import OPPORTUNITY_KEY
from tests.contract.apis import SoapApi
from tests.contract.records import send
from tests.support import soap
from tests.support.zeep_reading import rewritten_by_zeep

NIL = ' xsi:nil="true"'
NAMESPACE = "http://www.marketo.com/mktows/"
UNKNOWN = [
    "<new>x</new>",
    "<audit><id>9</id><attribList><attrib><name>Name</name></attrib></attribList></audit>",
    '<m:id2 xmlns:m="urn:x">4</m:id2>',
    "<!-- no -->",
    "\n  ",
]
IDS = ["", "<id/>", f"<id{NIL}/>", "<id>0</id>", "<id>many</id>", "<id><![CDATA[12]]></id>", "<id>1<!-- -->2</id>"]
IDS += ["<id> 7 </id>", "<id>5</id><id>6</id>", f'<m:id xmlns:m="{NAMESPACE}">8</m:id>', "<id>-3</id>"]
TIMES = ["2026-02-14T14:26:45-06:00", "2026-02-14T14:26:45Z", "2026-02-14T14:26:45", "2026-02-14", "soon", " ", ""]
TEXTS = ["Fair", " a  b ", "&lt;b&gt;&amp;", "<![CDATA[<i>]]>", "한국", "2.50", "", "x<!-- no -->y", "line\nline"]

Ask = Callable[[etree._Element], Any]


def among_unknown(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The parts in any order, with what no schema knows between them."""
    others = st.lists(st.sampled_from(UNKNOWN), max_size=2)
    shuffled = st.tuples(st.tuples(*parts), others).flatmap(lambda both: st.permutations([*both[0], *both[1]]))
    return shuffled.map("".join)


def inside(name: str, content: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return content.map(lambda inner: f"<{name}>{inner}</{name}>")


def listing(list_name: str, items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A list, full or empty, nil or not there."""
    full = st.lists(items, max_size=3).map("".join)
    return inside(list_name, among_unknown(full)) | st.sampled_from(["", f"<{list_name}/>", f"<{list_name}{NIL}/>"])


def pair(*names: str) -> st.SearchStrategy[str]:
    written = st.sampled_from([f"<name>{name}</name>" for name in names] + ["<name/>", "", "<name> Name </name>"])
    values = st.sampled_from([f"<value>{text}</value>" for text in TEXTS] + ["", f"<value{NIL}/>"])
    return among_unknown(written, values)


def moment(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", f"<{name}{NIL}/>", *(f"<{name}>{text}</{name}>" for text in TIMES)])


KEY = inside("externalKey", pair("K")) | st.sampled_from(["", f"<externalKey{NIL}/>"])
LINKED = st.sampled_from(["<mObjType>Company</mObjType>", "<mObjType>Lead</mObjType>", "<mObjType/>", ""])
LINK = inside("mObjAssociation", among_unknown(LINKED, st.sampled_from(IDS), KEY))
DETAIL_TYPES = st.sampled_from([f"<attrType>{name}</attrType>" for name in ("Cost", "Tag", " Tag ", "Token", "")])
DETAIL = inside(
    "typeAttrib",
    among_unknown(DETAIL_TYPES, listing("attrList", inside("attrib", pair("Type", "Value", "Month", "Amount", "Id")))),
)
OBJECT = inside(
    "mObject",
    among_unknown(
        st.just("<type>Opportunity</type>"),
        st.sampled_from(IDS),
        KEY,
        moment("createdAt"),
        moment("updatedAt"),
        listing("attribList", inside("attrib", pair("Name", "Amount", "Stage", "CompanyId"))),
        listing("typeAttribList", DETAIL),
        listing("associationList", LINK),
    ),
)
FACTS = ["<hasMore>true</hasMore>", "<hasMore> 1 </hasMore>", "<hasMore>false</hasMore>", "<hasMore/>", ""]
POSITIONS = ["<newStreamPosition>a+/= </newStreamPosition>", "<newStreamPosition/>", ""]


@st.composite
def pages(draw: st.DrawFn) -> str:
    objects = draw(st.lists(OBJECT, max_size=3))
    count = draw(st.sampled_from([f"<returnCount>{len(objects)}</returnCount>"] * 9 + ["<returnCount/>", ""]))
    head = [st.just(count), st.sampled_from(FACTS), st.sampled_from(POSITIONS)]
    held = inside("mObjectList", among_unknown(*map(st.just, objects)))
    return soap.success("GetMObjects", draw(among_unknown(*head, held)))


def read(ask: Ask, result: etree._Element) -> Any:
    """What was read, or why it is refused."""
    try:
        return ask(result)
    except InvalidResponse as error:
        return str(error)


def assert_read_as_zeep_reads(operation: str, answer: str, ask: Ask) -> Any:
    ours = read(ask, envelope.find_result(operation, envelope.parse_envelope(answer.encode())))
    assert ours == read(ask, rewritten_by_zeep(operation, answer))
    return ours


def objects_of(kind: Kind, result: etree._Element) -> Any:
    page = query_responses.parse_page(MarketoQuery(kind), result, Exchange(""))
    return page.found, page.more, page.position


@given(pages())
def test_pages_are_read_as_zeep_reads_them(answer: str) -> None:
    assert_read_as_zeep_reads("getMObjects", answer, partial(objects_of, Kind.OPPORTUNITY))


TAG = inside(
    "tag",
    among_unknown(
        st.sampled_from(["<type>Region</type>", "<type> Channel </type>", "<type/>", ""]),
        listing("values", st.sampled_from([f"<stringItem>{text}</stringItem>" for text in TEXTS])),
    ),
)
STATUS = inside(
    "tagStatus",
    among_unknown(
        st.sampled_from(["<tagValue>Web</tagValue>", "<tagValue> 한국 </tagValue>", "<tagValue/>", ""]),
        st.sampled_from(["", "<statusList/>", "<statusList><progressionStatusItem/></statusList>"]),
    ),
)
NUMBERS = ["<size>255</size>", "<size> 9 </size>", f"<size{NIL}/>", "<size>big</size>", ""]
FIELD = inside(
    "field",
    among_unknown(
        st.sampled_from(["<name>Amount</name>", "<name> K </name>", "<name/>", ""]),
        st.sampled_from(["<displayName>Amount of it</displayName>", f"<displayName{NIL}/>", ""]),
        st.sampled_from(["<dataType>string</dataType>", "<dataType/>", ""]),
        st.sampled_from(NUMBERS),
        st.sampled_from(["<isReadonly>true</isReadonly>", "<isReadonly>0</isReadonly>", "<isReadonly/>", ""]),
        st.sampled_from(["<isUpdateBlocked> 1 </isUpdateBlocked>", ""]),
        st.sampled_from(["<isCustom>true</isCustom>", "<isCustom>no</isCustom>", ""]),
    ),
)


def values_of(parse: Callable[..., Any], result: etree._Element) -> Any:
    return parse(result, Exchange("")).values


def fields_of(result: etree._Element) -> Any:
    return query_responses.parse_description(result, Exchange("")).fields


@given(inside("tagList", among_unknown(st.lists(TAG, min_size=1, max_size=3).map("".join))))
def test_tags_are_read_as_zeep_reads_them(inner: str) -> None:
    ask = partial(values_of, query_responses.parse_tags)
    assert_read_as_zeep_reads("getTags", soap.success("GetTags", inner), ask)


@given(inside("tags", among_unknown(st.lists(STATUS, min_size=1, max_size=3).map("".join))))
def test_channels_are_read_as_zeep_reads_them(inner: str) -> None:
    ask = partial(values_of, query_responses.parse_channels)
    assert_read_as_zeep_reads("getChannels", soap.success("GetChannels", inner), ask)


@given(inside("metadata", among_unknown(listing("fieldList", FIELD), st.just("<name>Opportunity</name>"))))
def test_fields_are_read_as_zeep_reads_them(inner: str) -> None:
    assert_read_as_zeep_reads("describeMObject", soap.success("DescribeMObject", inner), fields_of)


def test_the_sandboxs_answers_are_read_as_zeep_reads_them(sandbox: SandboxServer) -> None:
    api = SoapApi()
    marketo = api.connect(sandbox)
    company = RecordAssociation(LinkTarget.COMPANY, id=3)
    values = {"Name": " Grün <&> 계약 ", "Amount": "12.50", "IsWon": "true", "CloseDate": "2026-11-30"}
    key = ExternalKey(OPPORTUNITY_KEY, "A-1")
    deals = [
        OutgoingRecord(Kind.OPPORTUNITY, values=values, external_key=key, associations=(company,)),
        OutgoingRecord(Kind.OPPORTUNITY, values={"Name": "x"}),
    ]
    first, second = send(marketo, *deals)
    person = RecordAssociation(LinkTarget.LEAD, id=1)
    roles = [
        OutgoingRecord(Kind.ROLE, values={"Role": "Evaluator"}, associations=(_to_deal(deal), person))
        for deal in (first, second)
    ]
    send(marketo, *roles)
    programs = MarketoQuery(Kind.PROGRAM, details=True, archived=True)
    for query in (programs, MarketoQuery(Kind.OPPORTUNITY), MarketoQuery(Kind.ROLE), MarketoQuery(Kind.ROLE, id=999)):
        page = marketo.find(query)
        read_page = assert_read_as_zeep_reads("getMObjects", page.exchange.response, partial(objects_of, query.kind))
        assert read_page == (page.found, page.more, page.position)
        assert bool(page.found) == (query.id is None)
    parsers = {"getTags": query_responses.parse_tags, "getChannels": query_responses.parse_channels}
    for operation, heard in (("getTags", marketo.tags()), ("getChannels", marketo.channels())):
        ask = partial(values_of, parsers[operation])
        assert assert_read_as_zeep_reads(operation, heard.exchange.response, ask) == heard.values
    described = marketo.describe(Kind.OPPORTUNITY)
    assert assert_read_as_zeep_reads("describeMObject", described.exchange.response, fields_of) == described.fields
    api.close()


def _to_deal(number: int) -> RecordAssociation:
    return RecordAssociation(LinkTarget.OPPORTUNITY, id=number)
