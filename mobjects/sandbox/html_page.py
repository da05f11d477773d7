"""The page at ``/``: what arrived, what was answered, what is held. For people only."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from mobjects.sandbox import control_api
from mobjects.sandbox.call_log import LoggedCall
from mobjects.sandbox.fault_injection import SOAP_API
from mobjects.sandbox.http_answer import HTML_TYPE, HttpAnswer

if TYPE_CHECKING:
    from mobjects.sandbox.app import Sandbox

SHOWN_CALLS = 100
_BAD_WORDS = {"FAILED", "SKIPPED", "skipped"}
_CALL_PATH = re.compile(r"/calls/([0-9]{1,9})")

_STYLE = """
:root { color-scheme: light dark; --line: #767676; --link: #0b57d0; --bad: #a50e0e; --good: #0b6b2b; }
@media (prefers-color-scheme: dark) { :root { --line: #9a9a9a; --link: #8ab4f8; --bad: #f6aea9; --good: #81c995; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; }
a { color: var(--link); }
table { border-collapse: collapse; width: 100%; }
caption { font-weight: bold; padding: .5rem 0; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; text-align: left; vertical-align: top; }
.narrow td { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.bad { color: var(--bad); }
.good { color: var(--good); }
pre { border: 1px solid var(--line); overflow-x: auto; padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.narrow { width: auto; }
"""

_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def answer_page(sandbox: Sandbox, path: str) -> HttpAnswer:
    """Answer a GET of one of the pages, or 404."""
    if path == "/":
        return _html(200, "Marketo sandbox", _overview(sandbox))
    if path == "/style.css":
        return HttpAnswer(200, "text/css; charset=utf-8", _STYLE.encode())
    match = _CALL_PATH.fullmatch(path)
    call = sandbox.journal.find_call(int(match[1])) if match else None
    if call is None:
        return _html(404, "Not found", f"<p>There is nothing at {escape(path)}. {_BACK}</p>")
    return _html(200, f"Call {call.sequence}", _detail(call))


_BACK = '<a href="/">Back to the overview</a>'


def _html(status: int, title: str, body: str) -> HttpAnswer:
    return HttpAnswer(status, HTML_TYPE, _FRAME.format(title=escape(title), body=body).encode())


def _overview(sandbox: Sandbox) -> str:
    calls = sandbox.journal.list_calls()[-SHOWN_CALLS:][::-1]
    intro = (
        "<p>A strict local stand-in for Marketo's SOAP and REST APIs. SOAP: <code>/soap/mktows/2_7</code>, "
        '<a href="/soap/mktows/2_7?WSDL">WSDL</a>. REST: <code>/rest</code> and <code>/identity</code>. '
        f"Its clock says {escape(sandbox.http_date())}. Reload the page to see new calls.</p>"
    )
    load = {
        "calls": sandbox.journal.load.calls,
        "most calls within 20 s": sandbox.journal.load.busiest_window,
        "most calls at the same time": sandbox.journal.load.most_at_once,
    }
    held = _facts("What it holds", control_api.count_objects(sandbox.store))
    return intro + _render_calls(calls) + held + _facts("Load since the start", load)


def _render_calls(calls: list[LoggedCall]) -> str:
    heads = ("Call", "Time (UTC)", "API", "Operation", "Objects", "Signature or token", "Answer")
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(call))}</tr>" for call in calls)
    if not calls:
        rows = f'<tr><td colspan="{len(heads)}">Nothing has arrived yet.</td></tr>'
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Calls"><table>'
        f"<caption>What arrived and what was answered, newest first (at most {SHOWN_CALLS})</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cells(call: LoggedCall) -> tuple[str, ...]:
    return (
        f'<a href="/calls/{call.sequence}">Call {call.sequence}</a>',
        f"{call.at:%Y-%m-%d %H:%M:%S}",
        call.api,
        escape(f"{call.operation or 'unreadable'} {call.sync_operation}".strip()),
        escape(_objects(call)),
        _coloured(call.signature, good=call.signature == "ok"),
        _outcome(call),
    )


def _objects(call: LoggedCall) -> str:
    """How many of what; reading calls name a type and carry no objects."""
    count = f"{call.object_count} " if call.object_count else ""
    return count + ", ".join(call.types) or "none"


def _outcome(call: LoggedCall) -> str:
    """The answer in words: statuses with counts, a fault, or what the script did."""
    if not call.finished:
        return "being answered"
    words = [f"{call.statuses.count(status)} {status}" for status in dict.fromkeys(call.statuses)]
    if call.scripted:
        words.append(f"scripted: {call.scripted}")
    if call.fault:
        words.insert(0, f"{'fault' if call.api == SOAP_API else 'error'} {call.fault}")
    if call.http_status is None:
        words.insert(0, "connection cut")
    elif call.http_status != 200:
        words.insert(0, f"HTTP {call.http_status}")
    return _coloured(
        ", ".join(words) or "ok", good=call.http_status == 200 and not (call.fault or _BAD_WORDS & set(call.statuses))
    )


def _coloured(text: str, *, good: bool) -> str:
    return f'<span class="{"good" if good else "bad"}">{escape(text)}</span>'


def _facts(caption: str, facts: dict[str, int]) -> str:
    rows = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{value}</td></tr>' for name, value in facts.items())
    return f'<table class="narrow"><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table>'


def _detail(call: LoggedCall) -> str:
    facts = (
        ("Time (UTC)", f"{call.at:%Y-%m-%d %H:%M:%S}"),
        ("API", call.api),
        ("Operation", f"{call.operation or 'unreadable'} {call.sync_operation}".strip()),
        ("Objects", _objects(call)),
        ("User", call.user_id),
        ("Signed timestamp", call.timestamp),
        ("Signature or token", call.signature),
    )
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{escape(value)}</td></tr>' for name, value in facts)
    return (
        f"<p>{_BACK}</p>"
        f'<table class="narrow"><caption>What arrived</caption><tbody>{rows}'
        f'<tr><th scope="row">Answer</th><td>{_outcome(call)}</td></tr></tbody></table>'
        f"<h2>Request</h2><p>Signature, token and secret are masked.</p><pre>{escape(_broken_up(call.request))}</pre>"
        f"<h2>Response</h2><pre>{escape(_broken_up(call.response)) or 'none'}</pre>"
    )


def _broken_up(xml: str) -> str:
    """A line per element where they touch. Text inside elements stays as it was sent."""
    return xml.replace("><", ">\n<")
