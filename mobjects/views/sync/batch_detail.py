"""The page of one batch, and its request and response as files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET
from lxml import etree

from mobjects import selectors
from mobjects.audit.events import record_event
from mobjects.marketo.signature_check import SignedCall, SignedPart
from mobjects.marketo.transport_traits import IdKind
from mobjects.models import EarlierCall, EventKind, Kind, SyncBatch
from mobjects.presentation import job_text
from mobjects.presentation.history.opportunity_names import link_in_results
from mobjects.presentation.job_titles import job_title
from mobjects.presentation.vocabulary import removed_text
from mobjects.sync.transport_factory import verify_signature
from mobjects.views.base import history_crumb, may_see_kind, render_page, require_permission

PARTS = ("request", "response")


@require_GET
@require_permission("mobjects.view_syncbatch")
def batch_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One call to Marketo: what went out, what came back, row by row."""
    batch = get_object_or_404(SyncBatch.objects.select_related("job"), pk=pk)
    attempts, halves, wholes = selectors.related_batches(batch)
    members = list(batch.results.select_related("job").order_by("position", "pk"))
    before, after = selectors.neighbour_ids(batch)
    may_see_payload = request.user.has_perm("mobjects.view_payload")
    calls = _list_calls(batch)
    if may_see_payload:
        record_event(EventKind.PAYLOAD_READ, on=batch, words=_name_batch(batch))
    return render_page(
        request,
        "sync/batch/page.html",
        str(batch),
        crumbs=(
            history_crumb(),
            (job_title(batch.job), reverse("admin:mobjects_syncjob_change", args=[batch.job_id])),
        ),
        batch=batch,
        sentence=job_text.batch_sentence(batch, Counter(member.status for member in members)),
        attempts=attempts if len(attempts) > 1 else [],
        halves=halves,
        wholes=wholes,
        conflicts=selectors.open_conflicts(members),
        members=members,
        id_word=IdKind.GUID if any(member.marketo_guid for member in members) else IdKind.NUMBER,
        existing=selectors.existing_records(members),
        value_names=link_in_results(members, linked=may_see_kind(request, Kind.OPPORTUNITY)),
        before=before,
        after=after,
        calls=calls,
        signature=_check_signatures(batch, calls) if may_see_payload and "verify" in request.GET else None,
        is_signed=bool(batch.signature_digest),
        may_see_payload=may_see_payload,
    )


@require_GET
@require_permission("mobjects.view_payload")
def batch_payload(request: HttpRequest, pk: int, part: str) -> HttpResponse:
    """The request or the response of a batch as a text file, exactly as it was kept.

    With ``?call=1`` those of the first of the calls that were made before the last one for the same batch, and so on.
    """
    if part not in PARTS:
        raise Http404
    batch = get_object_or_404(SyncBatch, pk=pk)
    number = request.GET.get("call", "")
    call = get_object_or_404(EarlierCall, batch=batch, position=_position(number)) if number else batch
    said = {"part": part} | ({"call": call.position} if isinstance(call, EarlierCall) else {})
    record_event(EventKind.PAYLOAD_DOWNLOADED, on=batch, words=_name_batch(batch), detail=said)
    text = getattr(call, part) or removed_text(batch.job.payloads_removed_at, batch.job.finished_at)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    attempt = f"-attempt-{batch.attempt}" if batch.attempt > 1 else ""
    which = f"-call-{call.position}" if isinstance(call, EarlierCall) else ""
    name = f"{str(batch.job_id)[:8]}-batch-{batch.sequence}{attempt}{which}-{part}.txt"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _name_batch(batch: SyncBatch) -> str:
    """What a batch is called where its job is not seen."""
    return f"batch {batch.sequence}, attempt {batch.attempt}, of job {batch.job_id}"


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """What came of checking the signature of one call.

    Args:
        title: which call; "" where there is one only.
        valid: whether it is the one that was sent.
        differing: the parts that are not what they were, in words.
    """

    title: str
    valid: bool
    differing: Sequence[object]


PART_WORDS = {
    SignedPart.USER_SENT: gettext_lazy("The user ID in the request is not the one that signed."),
    SignedPart.TIME_SENT: gettext_lazy("The time in the request is not the one that was signed."),
    SignedPart.USER_NOW: gettext_lazy("The settings name another user ID by now, whose key cannot prove it."),
    SignedPart.KEY_NOW: gettext_lazy(
        "The encryption key of the settings does not give this signature: it was changed since, or was another then."
    ),
}


def _check_signatures(batch: SyncBatch, calls: list[KeptCall]) -> list[SignatureCheck]:
    """Make the signature of each signed call of a batch anew, and compare."""
    found = []
    for number, (call, _parts) in enumerate(calls, start=1):
        kept = call or batch
        verdict = None
        if kept.signature_digest:
            signed = SignedCall(kept.request, kept.identity, kept.signature_digest)
            verdict = verify_signature(batch.job.transport, signed)
        if verdict is not None:
            title = _("Call %(number)d of %(count)d") % {"number": number, "count": len(calls)}
            words = [PART_WORDS[part] for part in verdict.differing]
            found.append(SignatureCheck(title if len(calls) > 1 else "", verdict.valid, words))
    return found


@dataclass(frozen=True, slots=True)
class CallPart:
    """The request or the response of one call, as the page shows it.

    Args:
        name: ``request`` or ``response``.
        title: as a heading; names the call where there are several.
        text: indented for reading.
        query: what leads to it as a file.
        anchor: its id on the page.
        headers: of HTTP, by name.
    """

    name: str
    title: str
    text: str
    query: str
    anchor: str
    headers: Mapping[str, str]


KeptCall = tuple[EarlierCall | None, list[CallPart]]
"""A call and its two parts; ``None`` stands for the batch's own."""


def _list_calls(batch: SyncBatch) -> list[KeptCall]:
    """All calls of a batch in their order, each with its two parts; the last one is the batch's own."""
    earlier = list(batch.earlier_calls.all())
    before: list[KeptCall] = [(call, [_build_part(call, part, len(earlier)) for part in PARTS]) for call in earlier]
    return [*before, (None, [_build_part(batch, part, len(earlier)) for part in PARTS])]


def _build_part(call: SyncBatch | EarlierCall, part: str, earlier: int) -> CallPart:
    number = call.position if isinstance(call, EarlierCall) else earlier + 1
    words = _("Request") if part == "request" else _("Response")
    numbered = {"number": number, "count": earlier + 1, "part": words}
    title = _("Call %(number)d of %(count)d: %(part)s") % numbered if earlier else words
    own = number == earlier + 1
    query, anchor = ("", part) if own else (f"?call={number}", f"{part}-{number}")
    return CallPart(part, title, pretty_body(getattr(call, part)), query, anchor, call.headers.get(part, {}))


def _position(number: str) -> int:
    if not (number.isascii() and number.isdecimal() and len(number) < 5):
        raise Http404
    return int(number)


def pretty_body(text: str) -> str:
    """Indent a request or an answer for reading, whether it is XML or ends with JSON.

    Anything else stays as it is, and so does JSON that would not read the same in every character of its values.
    """
    start = 0 if text.startswith("{") else text.find("\n\n{") + 2
    if text[start : start + 1] != "{":
        return pretty_xml(text)
    try:
        body = json.loads(text[start:])
    except (ValueError, RecursionError):
        return text
    if json.dumps(body, ensure_ascii=False, separators=(",", ":")) != text[start:]:
        return text
    return text[:start] + json.dumps(body, ensure_ascii=False, indent=2)


def pretty_xml(text: str) -> str:
    """Indent XML for reading. Text that is not XML, or that declares a DTD, comes back as it is."""
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        return text
    docinfo: Any = root.getroottree().docinfo  # the stubs know none of its fields
    return text if docinfo.doctype else etree.tostring(root, pretty_print=True, encoding="unicode")
