"""The page for people."""

import pytest
import requests
from lxml import html

from tests.sandbox.wire import Fault, cost, opportunity, program


@pytest.fixture
def read(sandbox):
    def get(path="/"):
        response = requests.get(sandbox.url + path, timeout=5)
        return html.fromstring(response.content)

    return get


def test_empty_overview_says_so_and_counts_the_seed(read):
    text = read().text_content()
    assert "Nothing has arrived yet." in text
    assert "programs40" in text


def test_overview_shows_calls_newest_first(read, sandbox, wire):
    wire.sync("UPSERT", opportunity(Name="x"), opportunity(Amount="?"))
    with pytest.raises(Fault):
        wire.call("ListMObjects", requestSignature="x")
    sandbox.faults.add("cut_after")
    with pytest.raises(requests.ConnectionError):
        wire.sync("UPDATE", program(1001, cost()))
    rows = [
        " ".join(cell.text_content() for cell in row.iter("td"))
        for row in read().iter("tr")
        if row.find("td") is not None
    ]
    assert "syncMObjects UPDATE 1 Program ok connection cut, 1 UPDATED, scripted: cut_after" in rows[0]
    assert "refused HTTP 500, fault 20014" in rows[1]
    assert "syncMObjects UPSERT 2 Opportunity ok 1 CREATED, 1 FAILED" in rows[2]


def test_detail_shows_request_and_response(read, wire):
    wire.sync("INSERT", opportunity(Name="<script>alert(1)</script> 한글 🎉"))
    page = read("/calls/1")
    request, response = (block.text_content() for block in page.iter("pre"))
    assert "&lt;script&gt;alert(1)" in request
    assert "한글 🎉" in request or "&#54620;" in request
    assert "<status>CREATED</status>" in response
    assert list(page.iter("script")) == []


def test_pages_are_accessible_in_outline(read, wire):
    wire.call("ListMObjects")
    for path in ("/", "/calls/1", "/calls/7"):
        page = read(path)
        assert page.get("lang") == "en"
        assert len(list(page.iter("h1"))) == 1
        assert page.find(".//title").text
        assert all(table.find("caption") is not None for table in page.iter("table"))
        assert all(cell.get("scope") for cell in page.iter("th"))


def test_nothing_on_the_page_may_run(sandbox):
    response = requests.get(sandbox.url, timeout=5)
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert requests.get(f"{sandbox.url}/style.css", timeout=5).headers["Content-Type"].startswith("text/css")


def test_path_is_escaped_on_the_404_page(sandbox):
    response = requests.get(f"{sandbox.url}/<b>x</b>", timeout=5)
    assert response.status_code == 404
    assert "<b>" not in response.text
