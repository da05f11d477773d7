"""Moving to another API of Marketo's: what records lack for the one in use, and the look-up of their ids."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mobjects.forms.moving import IdentifyForm, known_fields
from mobjects.models import SyncJobAction
from mobjects.sync import marketo_settings
from mobjects.sync.content.gaps import RecordGap, kinds_without_numbers, list_gaps
from mobjects.sync.content.payload import KeyFields
from mobjects.sync.pull.identify.task import IdentifySelection, records_to_identify
from mobjects.sync.rate_limits.limiter import RedisRateLimiter
from mobjects.sync.transport_factory import key_fields, target, transport_label
from mobjects.views.base import render_page, require_permission
from mobjects.views.sync.job_actions import start_job


@dataclass(frozen=True, slots=True)
class GapLine:
    """A gap, how many records have it, and where they are listed."""

    gap: RecordGap
    count: int
    address: str


@require_http_methods(["GET", "POST"])
@require_permission("mobjects.pull_records")
def moving_page(request: HttpRequest) -> HttpResponse:
    """Say what records lack; on "Look up IDs", make the job and go to its page."""
    keys = key_fields()
    if request.method == "GET":
        kinds = [kind.value for kind in kinds_without_numbers(keys)]
        field = marketo_settings.opportunity_key_field() or keys.opportunity
        return _show(request, IdentifyForm({"kinds": kinds, "key_field": field}, keys), keys, status=200)
    form = IdentifyForm(request.POST, keys)
    if not form.is_valid():
        return _show(request, form, keys, status=400)
    asked, reason = form.cleaned_data["look_up"], form.cleaned_data["reason"]
    return start_job(
        request, SyncJobAction.IDENTIFY, asked.kind_of_job, asked.to_json(), reason, _("Nothing was looked up.")
    )


def _show(request: HttpRequest, form: IdentifyForm, keys: KeyFields, *, status: int) -> HttpResponse:
    lines = [GapLine(gap, gap.count_rows(), _list_address(gap)) for gap in list_gaps(keys)]
    calls = _count_calls(keys)
    usage = RedisRateLimiter.from_settings(target()).read_usage()
    return render_page(
        request,
        "marketo/moving.html",
        _("Moving to %(transport)s") % {"transport": transport_label()},
        status=status,
        form=form,
        lines=lines,
        transport=transport_label(),
        id_word=next((keys.traits.id_kind(kind).value for kind in kinds_without_numbers(keys)), ""),
        fields=known_fields(),
        usage={"calls": calls, "now": usage, "warning": usage.quota_warning(calls) if usage and calls else ""},
    )


def _list_address(gap: RecordGap) -> str:
    return f"{reverse(f'admin:mobjects_{gap.model._meta.model_name}_changelist')}?gap={gap.name}"


def _count_calls(keys: KeyFields) -> int:
    """How many calls looking up all ids takes at least."""
    kinds = kinds_without_numbers(keys)
    counts = [records_to_identify(kind, IdentifySelection(), keys.id_column(kind)).count() for kind in kinds]
    return sum(-(-count // keys.traits.named_to_a_query) for count in counts)
