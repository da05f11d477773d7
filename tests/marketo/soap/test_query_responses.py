"""Answers to getMObjects, getTags and getChannels: canonical values, every way to say nothing, nothing dropped."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mobjects.marketo.errors import Unavailable
from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, MarketoQuery, RecordAssociation, RemoteCost, TagValue
from tests.support import soap
from tests.support.soap import exchange_of, transport


def answer(*objects, count=None, more="false", position="cG9z"):
    """A page of getMObjects, its count right unless given."""
    parts = [
        f"<returnCount>{len(objects) if count is None else count}</returnCount>",
        f"<hasMore>{more}</hasMore><newStreamPosition>{position}</newStreamPosition>",
        f"<mObjectList>{''.join(objects)}</mObjectList>",
    ]
    return soap.success("GetMObjects", "".join(parts))


def attribs(pairs):
    return "".join(f"<attrib><name>{name}</name><value>{value}</value></attrib>" for name, value in pairs.items())


def mobject(kind, id=7, values=None, more=""):
    """``more`` goes behind the attributes."""
    return f"<mObject><type>{kind}</type><id>{id}</id><attribList>{attribs(values or {})}</attribList>{more}</mObject>"


def program(*details):
    """A program with type attributes, each as its type and its pairs."""
    inner = "".join(
        f"<typeAttrib><attrType>{kind}</attrType><attrList>{attribs(pairs)}</attrList></typeAttrib>"
        for kind, pairs in details
    )
    return mobject(Kind.PROGRAM, 1970, {"Name": "P"}, f"<typeAttribList>{inner}</typeAttribList>")


def links(*inner):
    parts = "".join(f"<mObjAssociation>{one}</mObjAssociation>" for one in inner)
    return f"<associationList>{parts}</associationList>"


def find(server, body, query=None):
    server.answer(body)
    return transport(server.endpoint).find(query or MarketoQuery(Kind.OPPORTUNITY))


def only(server, xml, kind=Kind.OPPORTUNITY):
    """The one object of a page that holds nothing else."""
    (found,) = find(server, answer(xml), MarketoQuery(kind)).found
    return found


def only_of(page):
    (found,) = page.found
    return found.values


def test_program_with_costs_and_tags(server):
    """After the sample of Adobe's getMObjects page, with the raw HTML that it holds inside a token."""
    xml = """
      <mObject><type>Program</type><id>1970</id>
        <createdAt>2013-02-14T14:26:45-06:00</createdAt><updatedAt>2013-02-15T14:26:45-06:00</updatedAt>
        <attribList>
          <attrib><name>Name</name><value>Programm &lt;7&gt; 계약</value></attrib>
          <attrib><name>Is Archived</name><value>false</value></attrib>
          <attrib><name>Start Date</name><value>2011-08-01 11:00:00</value></attrib>
          <attrib><name>CRM Id</name><value/></attrib>
        </attribList>
        <typeAttribList>
          <typeAttrib><attrType>Tag</attrType><attrList>
            <attrib><name>Type</name><value>Channel</value></attrib><attrib><name>Value</name><value>Web</value></attrib>
          </attrList></typeAttrib>
          <typeAttrib><attrType>Cost</attrType><attrList>
            <attrib><name>Month</name><value>2011-07-01</value></attrib>
            <attrib><name>Amount</name><value>3000</value></attrib>
            <attrib><name>Id</name><value>153</value></attrib><attrib><name>Note</name><value>a &amp; b</value></attrib>
          </attrList></typeAttrib>
          <typeAttrib><attrType>Token</attrType><attrList>
            <attrib><name>Name</name><value>{{my.x}}</value></attrib>
            <attrib><name>Value</name><value><p>Hello <b>you</b></p></value></attrib>
          </attrList></typeAttrib>
        </typeAttribList>
      </mObject>"""
    page = find(server, answer(xml, position="a" * 5500), MarketoQuery(Kind.PROGRAM, details=True))
    (found,) = page.found
    assert (found.kind, found.marketo_id) == (Kind.PROGRAM, 1970)
    assert found.values == {"Name": "Programm <7> 계약", "Is Archived": "false", "Start Date": "2011-08-01 11:00:00"}
    assert found.costs == (RemoteCost(153, date(2011, 7, 1), Decimal("3000.00"), "a & b"),)
    assert found.tags == (TagValue("Channel", "Web"),)
    assert found.created_at == datetime(2013, 2, 14, 20, 26, 45, tzinfo=UTC)
    assert found.updated_at == datetime(2013, 2, 15, 20, 26, 45, tzinfo=UTC)
    assert (page.more, page.position) == (False, "a" * 5500)
    assert "successGetMObjects" in page.exchange.response


def test_standard_attributes_are_canonical_and_others_as_written(server):
    given = {
        "Name": " two  spaces ",
        "Amount": "3000",
        "Quantity": "2.50",
        "Probability": "80%",
        "IsWon": "1",
        "CloseDate": "soon",
        "ExternalCreatedDate": "2014-10-24T10:00:00-07:00",
        "ContractMonths__c": " 012 ",
        "Stage": "",
        "Id": "7",
    }
    assert only(server, mobject(Kind.OPPORTUNITY, values=given)).values == {
        "Name": " two  spaces ",
        "Amount": "3000.00",
        "Quantity": "2.5",
        "Probability": "80",
        "IsWon": "true",
        "CloseDate": "soon",
        "ExternalCreatedDate": "2014-10-24T17:00:00+00:00",
        "ContractMonths__c": " 012 ",
    }


def test_key_that_stands_only_by_itself_is_a_value_too(server):
    key = "<externalKey><name>K</name><value>OPP-7</value></externalKey>"
    assert only(server, mobject(Kind.OPPORTUNITY, more=key)).values == {"K": "OPP-7"}


@pytest.mark.parametrize(
    ("kind", "xml", "values", "expected"),
    [
        (Kind.ROLE, "", {"OpportunityId": "64", "PersonId": " 19 "}, [("Opportunity", 64), ("Lead", 19)]),
        (Kind.OPPORTUNITY, "", {"CompanyId": "5"}, [("Company", 5)]),
        (Kind.ROLE, links("<mObjType>Opportunity</mObjType><id>64</id>"), {}, [("Opportunity", 64)]),
        (
            Kind.ROLE,
            links("<mObjType>Opportunity</mObjType><id>64</id>", "<mObjType>Lead</mObjType><id>19</id>"),
            {"OpportunityId": "64", "PersonId": "19"},
            [("Opportunity", 64), ("Lead", 19)],
        ),
        (
            Kind.ROLE,
            links("<mObjType>Lead</mObjType><externalKey><name>K</name><value>P-1</value></externalKey>"),
            {},
            [("Lead", ExternalKey("K", "P-1"))],
        ),
        (
            Kind.ROLE,
            links("<mObjType>Lead</mObjType><externalKey><name>K</name><value>P-1</value></externalKey>"),
            {"PersonId": "19"},
            [("Lead", 19)],
        ),
        (Kind.ROLE, links('<mObjType>Lead</mObjType><id xsi:nil="true"/>', "", "<mObjType>List</mObjType>"), {}, []),
        (Kind.ROLE, "<associationList/>", {"PersonId": "", "OpportunityId": "0"}, []),
    ],
)
def test_links_are_associations_however_they_are_written(server, kind, xml, values, expected):
    found = only(server, mobject(kind, values=values, more=xml), kind)
    wanted = [
        RecordAssociation(LinkTarget(name), key=to)
        if isinstance(to, ExternalKey)
        else RecordAssociation(LinkTarget(name), id=to)
        for name, to in expected
    ]
    assert list(found.associations) == wanted


def test_link_that_is_no_id_stays_among_the_values(server):
    assert only(server, mobject(Kind.ROLE, values={"PersonId": "x9"}), Kind.ROLE).values == {"PersonId": "x9"}


BARE = "<type>Opportunity</type><id>7</id>"
NO_PAIRS = "<attrib/><attrib><name/><value>x</value></attrib><attrib><name>Stage</name></attrib>"


@pytest.mark.parametrize(
    "xml",
    [
        BARE,
        "<new/><id> 7 </id><type> Opportunity </type><attribList/><typeAttribList/><associationList/>",
        f"{BARE}<externalKey xsi:nil='true'/><createdAt/><attribList>{NO_PAIRS}</attribList>",
        f"{BARE}<createdAt>2013-02-14T14:26:45</createdAt><updatedAt>yesterday</updatedAt>",
    ],
    ids=["nothing but the id", "empty lists, another order", "empty parts", "times without zone or sense"],
)
def test_every_way_to_say_nothing_of_an_object(server, xml):
    found = only(server, f"<mObject>{xml}</mObject>")
    assert (found.marketo_id, found.values, found.associations, found.costs) == (7, {}, (), ())
    assert (found.created_at, found.updated_at) == (None, None)


@pytest.mark.parametrize("listing", ["<mObjectList/>", ""])
def test_every_way_to_find_nothing(server, listing):
    body = answer(position="").replace("<mObjectList></mObjectList>", listing)
    page = find(server, body)
    assert (list(page.found), page.more) == ([], False)


@pytest.mark.parametrize(
    ("pairs", "cost"),
    [
        ({"Month": "2013-06", "Amount": "12.5"}, RemoteCost(None, date(2013, 6, 1), Decimal("12.50"))),
        ({"Month": "2013-06-15", "Amount": "1E3", "Id": "0"}, RemoteCost(None, date(2013, 6, 1), Decimal("1000.00"))),
        (
            {"Month": "2013-06-01T00:00:00Z", "Amount": "0", "Id": " 9 "},
            RemoteCost(9, date(2013, 6, 1), Decimal("0.00")),
        ),
        ({"Month": "2013-06", "Amount": "1.005", "Note": ""}, RemoteCost(None, date(2013, 6, 1), Decimal("1.005"))),
    ],
)
def test_forms_of_a_cost(server, pairs, cost):
    (found,) = only(server, program(("Cost", pairs)), Kind.PROGRAM).costs
    assert found == cost
    assert str(found.amount) == str(cost.amount)


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (
            ("Cost", {"Month": "June", "Amount": "1"}),
            "Program 1970 has a cost that cannot be read: Month “June”, Amount",
        ),
        (("Cost", {"Month": "2013-06", "Amount": "$1"}), "a cost that cannot be read"),
        (("Cost", {"Month": "2013-06", "Amount": "NaN"}), "a cost that cannot be read"),
        (("Cost", {"Month": "2013-06", "Amount": "1E999999"}), "a cost that cannot be read"),
        (("Cost", {"Month": "2013-06", "Amount": "1", "Id": "x"}), "a cost that cannot be read"),
        (("Cost", {"Month": "2013-06"}), "a cost that cannot be read"),
        (("Cost", {}), "a cost that cannot be read: nothing"),
        (("Tag", {"Value": "x"}), "Program 1970 has a tag without a type"),
    ],
)
def test_detail_that_cannot_be_read_is_not_dropped(server, detail, words):
    with pytest.raises(Unavailable, match=words.replace("$", r"\$")) as caught:
        find(server, answer(program(detail)), MarketoQuery(Kind.PROGRAM))
    assert "successGetMObjects" in exchange_of(caught.value).response


@pytest.mark.parametrize("value", ["Hello <b>you</b> there", "<new/>Fair", "Fair<new/>", "Fair<?new?>", "<p>Fair</p>"])
def test_value_with_elements_in_it_is_not_half_a_value(server, value):
    with pytest.raises(Unavailable, match="elements where the text of “value” belongs") as caught:
        find(server, answer(mobject(Kind.OPPORTUNITY, values={"Name": value})))
    assert value in exchange_of(caught.value).response


def test_list_in_pieces_is_read_whole(server):
    more = f"<attribList>{attribs({'Stage': 'Won'})}</attribList>"
    assert only(server, mobject(Kind.OPPORTUNITY, values={"Name": "x"}, more=more)).values == {
        "Name": "x",
        "Stage": "Won",
    }


def test_instructions_and_comments_between_elements_are_passed_over(server):
    body = answer(mobject(Kind.OPPORTUNITY, values={"Name": "x"})).replace("><", "><?new one?><!-- two --><")
    assert only_of(find(server, body)) == {"Name": "x"}


DEAL = mobject(Kind.OPPORTUNITY)


@pytest.mark.parametrize(
    ("body", "query", "words"),
    [
        (answer(DEAL, count=2), None, "announced 2 objects, but gave 1"),
        (answer(DEAL, count=0), None, "announced 0 objects, but gave 1"),
        (answer(count=3), None, "announced 3 objects, but gave 0"),
        (answer(DEAL, count=""), None, "did not say how many"),
        (answer(DEAL, more=""), None, "did not say how many"),
        (answer(DEAL, more="perhaps"), None, "did not say how many"),
        (answer(DEAL, more="<new/>true"), None, "elements where the text of “hasMore” belongs"),
        (soap.success("GetMObjects", ""), None, "did not say how many"),
        (answer(DEAL, more="true", position=" "), None, "there is more, but not where"),
        (answer(mobject(Kind.ROLE)), None, "Asked for opportunities, .* of the type “OpportunityPersonRole”"),
        (answer("<mObject/>"), None, "Asked for opportunities"),
        (answer(mobject(Kind.OPPORTUNITY, id="")), None, "one of the opportunities without its ID"),
        (answer(mobject(Kind.OPPORTUNITY, id="0")), None, "without its ID"),
        (answer(mobject(Kind.OPPORTUNITY, id="x7")), None, "without its ID"),
        (answer(DEAL), MarketoQuery(Kind.OPPORTUNITY, id=8), "Asked for ID 8, Marketo gave ID 7"),
    ],
)
def test_page_that_contradicts_itself_or_the_query_is_refused(server, body, query, words):
    with pytest.raises(Unavailable, match=words) as caught:
        find(server, body, query)
    assert exchange_of(caught.value).http_status == 200


def test_position_comes_back_untouched(server):
    page = find(server, answer(DEAL, more=" true ", position=" a+/=\n"))
    assert (page.more, page.position) == (True, " a+/=\n")


def _tag(name, *texts):
    return f"<tag>{name}<values>{''.join(f'<stringItem>{text}</stringItem>' for text in texts)}</values></tag>"


def test_tags_by_type_without_the_channel(server):
    server.answer(
        soap.success(
            "GetTags",
            "<tagList>"
            + _tag("<type> Region </type>", "한국", " R&amp;D ", "")
            + _tag("<type>Region</type>", "EMEA")
            + _tag("<type>Channel</type>", "Webinar")
            + "<tag><type>Empty</type></tag><tag><type>Emptier</type><values/></tag></tagList>",
        )
    )
    allowed = transport(server.endpoint).tags()
    assert allowed.values == {"Region": ["한국", "R&D", "EMEA"], "Empty": [], "Emptier": []}
    assert "successGetTags" in allowed.exchange.response


def test_channels_without_their_steps(server):
    step = f"<progressionStatus>{attribs({'Status': 'Sent', 'Step': '10'})}</progressionStatus>"
    tags = [
        f"<tagStatus><tagValue>{name}</tagValue><statusList><progressionStatusItem>{step}</progressionStatusItem></statusList></tagStatus>"
        for name in ("A", " B&amp;C ")
    ]
    server.answer(soap.success("GetChannels", f"<tags>{''.join(tags)}</tags>"))
    allowed = transport(server.endpoint).channels()
    assert allowed.values == {"Channel": ["A", "B&C"]}
    assert "successGetChannels" in allowed.exchange.response


@pytest.mark.parametrize("inner", ["<tagList/>", "<tagList></tagList>"])
def test_no_tags(server, inner):
    server.answer(soap.success("GetTags", inner))
    assert transport(server.endpoint).tags().values == {}


def test_no_channels(server):
    server.answer(soap.success("GetChannels", "<tags/>"))
    assert transport(server.endpoint).channels().values == {"Channel": []}


@pytest.mark.parametrize(
    ("call", "operation", "xml", "words"),
    [
        ("tags", "GetTags", f"<tagList>{_tag('', 'x')}</tagList>", "a tag without its type"),
        ("tags", "GetTags", "<tagList><tag/></tagList>", "a tag without its type"),
        ("tags", "GetTags", "", "gave no tagList"),
        ("tags", "GetTags", _tag("<type>Region</type>", "<b>x</b>"), "gave no tagList"),
        ("tags", "GetTags", f"<tagList>{_tag('<type>Region</type>', '<b/>x')}</tagList>", "the text of “stringItem”"),
        ("channels", "GetChannels", "<new/>", "gave no tags"),
        ("channels", "GetChannels", "<tags><tagStatus><tagValue/></tagStatus></tags>", "a channel without its name"),
        ("channels", "GetChannels", "<tags><tagStatus/></tags>", "a channel without its name"),
    ],
)
def test_list_that_is_absent_or_has_nameless_ones_is_refused(server, call, operation, xml, words):
    server.answer(soap.success(operation, xml))
    with pytest.raises(Unavailable, match=words):
        getattr(transport(server.endpoint), call)()
