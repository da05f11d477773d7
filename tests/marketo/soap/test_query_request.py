"""Queries and deletions as requests: equal to goldens written from the contract; what Marketo cannot be asked."""

from datetime import UTC, datetime, timedelta

import pytest

from mobjects.marketo.errors import Rejected
from mobjects.marketo.types import ExternalKey, Kind, LinkTarget, MarketoQuery, RecordAssociation, TagValue
from tests.support import soap
from tests.support.soap import NOW, row, transport
from tests.support.xml import golden, tree

KEY = ExternalKey("ExternalOpportunityId", "OPP-7")
OPPORTUNITY = RecordAssociation(LinkTarget.OPPORTUNITY, id=64)
NOTHING = soap.success(
    "GetMObjects", "<returnCount>0</returnCount><hasMore>false</hasMore><newStreamPosition/><mObjectList/>"
)
GOLDENS = {
    "programs-get": (
        MarketoQuery(
            Kind.PROGRAM,
            name="계약 <7> & 갱신",
            created_since=NOW,
            tag=TagValue("Channel", "Web Form"),
            workspace="Default",
            archived=True,
            details=True,
        ),
        "AbC+/= 1",
    ),
    "changed-opportunities-get": (
        MarketoQuery(
            Kind.OPPORTUNITY,
            updated_since=NOW,
            # Rounded up, or what changed within this last second would be left out.
            updated_until=datetime(2013, 8, 5, 23, 59, 59, 1, tzinfo=UTC),
            archived=True,
            details=True,
        ),
        "",
    ),
    "opportunity-get-by-key": (MarketoQuery(Kind.OPPORTUNITY, key=KEY), ""),
    "roles-get": (MarketoQuery(Kind.ROLE, opportunity=OPPORTUNITY), ""),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_query_equals_golden(server, name):
    server.answer(NOTHING)
    transport(server.endpoint).find(*GOLDENS[name])
    assert tree(server.calls[0].body) == tree(golden(name))


def test_query_by_id_and_by_the_key_of_an_opportunity(server):
    server.answer(NOTHING)
    server.answer(NOTHING)
    marketo = transport(server.endpoint)
    marketo.find(MarketoQuery(Kind.PROGRAM, id=1970))
    marketo.find(MarketoQuery(Kind.ROLE, opportunity=RecordAssociation(LinkTarget.OPPORTUNITY, key=KEY)))
    by_id, by_key = (call.body for call in server.calls)
    assert b"<type>Program</type><id>1970</id></" in by_id
    assert b"<mObjType>Opportunity</mObjType><externalKey><name>ExternalOpportunityId</name>" in by_key


def test_everything_is_asked_for_without_tags_or_channels_named(server):
    server.answer(soap.success("GetTags", "<tagList/>"))
    server.answer(soap.success("GetChannels", "<tags/>"))
    marketo = transport(server.endpoint)
    marketo.tags()
    marketo.channels()
    tags, channels = (tree(call.body)[3][1][3][0] for call in server.calls)
    assert (tags[0], tags[3]) == ("{http://www.marketo.com/mktows/}paramsGetTags", [])
    assert (channels[0], channels[3]) == ("{http://www.marketo.com/mktows/}paramsGetChannels", [])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (MarketoQuery(Kind.PROGRAM, key=KEY), "programs like this: it finds only opportunities by an external key"),
        (MarketoQuery(Kind.ROLE, key=KEY), "only opportunities by an external key"),
        (MarketoQuery(Kind.ROLE, name="x"), "only programs and opportunities by a name"),
        (MarketoQuery(Kind.OPPORTUNITY, opportunity=OPPORTUNITY), "only person roles by their opportunity"),
        (MarketoQuery(Kind.OPPORTUNITY, tag=TagValue("Region", "Korea")), "only programs by a tag"),
        (MarketoQuery(Kind.ROLE, workspace="Default"), "only programs by a workspace"),
        (MarketoQuery(Kind.OPPORTUNITY, id=1, key=KEY), "an ID or an external key, not both"),
        (MarketoQuery(Kind.ROLE, opportunity=RecordAssociation(LinkTarget.LEAD, id=1)), "a Lead is not an opportunity"),
        (MarketoQuery(Kind.PROGRAM, id=0), "ID 0 is not between 1 and 2147483647"),
        (
            MarketoQuery(Kind.ROLE, opportunity=RecordAssociation(LinkTarget.OPPORTUNITY, id=2**31)),
            "ID 2147483648 is not between",
        ),
        (MarketoQuery(Kind.PROGRAM, created_since=datetime(2026, 1, 1)), "a time has no time zone"),
        (MarketoQuery(Kind.PROGRAM, updated_until=datetime(2026, 1, 1)), "a time has no time zone"),
        (
            MarketoQuery(Kind.PROGRAM, tag=TagValue("a", "b"), updated_since=NOW),
            "a tag or a time of the last change, not both",
        ),
        (
            MarketoQuery(Kind.PROGRAM, tag=TagValue("a", "b"), updated_until=NOW),
            "a tag or a time of the last change, not both",
        ),
        (MarketoQuery(Kind.PROGRAM, name="a\x01"), r"name: character 2 is U\+0001"),
        (MarketoQuery(Kind.PROGRAM, workspace="\x01"), r"workspace: character 1 is U\+0001"),
        (MarketoQuery(Kind.PROGRAM, tag=TagValue("a", "\x01")), r"tag value: character 1 is U\+0001"),
        (MarketoQuery(Kind.OPPORTUNITY, key=ExternalKey("K", "\x01")), r"external key: character 1 is U\+0001"),
    ],
)
def test_what_marketo_cannot_be_asked_is_refused_before_sending(server, query, words):
    with pytest.raises(Rejected, match=words):
        transport(server.endpoint).find(query)
    assert server.calls == []


def test_deletion_equals_golden(server):
    rows = row("DELETED", 800001) + row("DELETED", 800002)
    server.answer(soap.success("DeleteMObjects", f"<mObjStatusList>{rows}</mObjStatusList>"))
    transport(server.endpoint).delete(Kind.ROLE, [800001, 800002])
    assert tree(server.calls[0].body) == tree(golden("roles-delete"))


@pytest.mark.parametrize(
    ("kind", "ids", "words"),
    [
        (Kind.PROGRAM, [1001], "cannot delete programs"),
        (Kind.ROLE, [], "nothing to delete"),
        (Kind.ROLE, range(1, 102), "at most 100 objects in a call; this one has 101"),
        (Kind.OPPORTUNITY, [5, 0], "Marketo ID 0 is not between"),
        (Kind.OPPORTUNITY, [2**31], "Marketo ID 2147483648 is not between"),
    ],
)
def test_what_marketo_does_not_delete_is_refused_before_sending(server, kind, ids, words):
    with pytest.raises(Rejected, match=words):
        transport(server.endpoint).delete(kind, ids)
    assert server.calls == []


def test_range_of_times_is_sent_in_whole_seconds_that_lose_nothing(server):
    server.answer(NOTHING)
    later = NOW + timedelta(milliseconds=999)
    transport(server.endpoint).find(MarketoQuery(Kind.ROLE, updated_since=later, updated_until=NOW))
    assert server.calls[0].body.count(b"2013-08-05T14:22:45-07:00</attrValue>") == 2
