"""Admin pages that overwrite nothing unseen, and keep what they change: locks, questions, old and new values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mobjects import timeline
from mobjects.admin.import_export import TransferAdmin
from mobjects.db.done_once import KEPT
from mobjects.db.edit_context import edit
from mobjects.forms.merging import FieldClash, fingerprint
from mobjects.marketo.attributes import entry_name
from mobjects.models import EditSource, Kind, OpportunityPersonRole, SyncedRecord, records_of_kind
from mobjects.views.pressed_once import lead_to_made, make_once, press_key

SEEN = "seen"
"""The input of a page that asks before it deletes: stands for what the page showed."""
_SAME_PRESS = timedelta(minutes=1)
_ADD_BUTTONS = ("_save", "_continue", "_addanother")
CHANGED_SINCE = _("Something of this was changed since the page was opened. It shows how it stands now; look again.")


class GuardedAdmin(TransferAdmin):
    """Base of the pages of records and of their parts.

    A row is a synced record or belongs to one, whose row is the lock for all that belongs to it: forms, imports, pulls
    and decisions hold it before they look.
    """

    change_form_before_template = "mobjects/sync/record/clashes.html"
    delete_confirmation_template = "mobjects/marketo/delete/confirmation.html"

    @property
    def owner_kind(self) -> Kind:
        """The kind of the synced records that rows belong to, or are."""
        return self.model.KIND  # type: ignore[no-any-return]

    def owner_ids(self, rows: Iterable[Any]) -> set[int]:
        """Our ids of the synced records that rows belong to."""
        return {row.pk for row in rows}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row; if it may be written, as it is once it is locked."""
        row = super().get_object(request, object_id, from_field)
        if row is not None and request.method == "POST":
            self._lock([row])
            row = super().get_object(request, object_id, from_field)
        return row

    def _lock(self, rows: Iterable[Any]) -> None:
        """Hold rows, and first what they belong to, in the order of ids, until the transaction ends."""
        owners, own = self.owner_ids(rows), [row.pk for row in rows]
        for model, ids in ((records_of_kind(self.owner_kind).model, owners), (self.model, own)):
            held = model._base_manager.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
            list(held.values_list("pk"))

    # --- saving ---

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        answer = super().changeform_view
        if request.method != "POST":
            return answer(request, object_id, *args, **kwargs)

        def save() -> Any:
            with edit(EditSource.FORM, request.user):
                return answer(request, object_id, *args, **kwargs)

        key = press_key(request, but=() if object_id else _ADD_BUTTONS)
        # Of what is there the same may be wanted again, from a page that the browser kept: not at once, though.
        saved = make_once(request, save, self._saved_address, key, within=_SAME_PRESS if object_id else KEPT)
        return lead_to_made(request, key) if saved is None else saved

    def _saved_address(self, saved: Any) -> str:
        """Where a form that was saved leads to; in a window of its own, which would close, to what it made."""
        if made := (getattr(saved, "context_data", None) or {}).get("popup_response_data"):
            name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
            return f"{reverse(name, args=[json.loads(made)['value']])}?{IS_POPUP_VAR}=1"
        return saved.get("Location", "")  # type: ignore[no-any-return]

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_list(request, super().response_post_save_add(request, obj))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_list(request, super().response_post_save_change(request, obj))

    def _to_list(self, request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        """Back to the list as it was, with each of its conditions: Django keeps one of several under the same name."""
        kept = QueryDict(request.GET.get("_changelist_filters", ""))
        address = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")
        if kept and answer.get("Location", "").partition("?")[0] == address:
            return redirect(f"{address}?{kept.urlencode()}")
        return answer

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        merged = [words for part in (form, *formsets) for words in getattr(part, "merged", ())]
        if merged:
            messages.info(
                request,
                gettext("Somebody else changed this meanwhile, and it was kept: %(merged)s.")
                % {"merged": ", ".join(merged)},
            )

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Nothing where nothing was changed."""
        return super().log_change(request, obj, message) if message else None

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if row := context["original"]:
            parts = [context["adminform"].form, *(each.formset for each in context["inline_admin_formsets"])]
            clashes = [clash for part in parts for clash in part.clashes]
            context["clashes"] = [(clash, self._changed_by(row, clash)) for clash in clashes]
        return super().render_change_form(request, context, *args, **kwargs)

    def _changed_by(self, row: Any, clash: FieldClash) -> str:
        """Who made a field what it is now, in words; "" if that is not known."""
        (owner,) = self.owner_ids([row])
        entry = clash.entry if isinstance(row, SyncedRecord) else row.content_key
        return timeline.last_author(self.owner_kind, owner, entry_name(self.owner_kind, entry.removeprefix("custom_")))

    # --- deleting ---

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask; delete only what was shown."""
        with edit(EditSource.DELETED, request.user) if request.method == "POST" else transaction.atomic():
            row = self.get_object(request, object_id)
            seen = self._fingerprint([row]) if row is not None else ""
            if row is not None and request.method == "POST" and request.POST.get(SEEN) != seen:
                messages.warning(request, CHANGED_SINCE)
                return redirect(request.get_full_path())
            context = {**(extra_context or {}), SEEN: seen}
            return super().delete_view(request, object_id, context)  # type: ignore[no-any-return]

    def _fingerprint(self, rows: Iterable[Any]) -> str:
        """Stands for all that would be deleted, as it is now."""
        pks = sorted(row.pk for row in rows)
        columns = ("revision",) if issubclass(self.model, SyncedRecord) else self.model.content_fields
        going: list[Any] = list(self.model._base_manager.filter(pk__in=pks).order_by("pk").values_list("pk", *columns))
        if self.owner_kind is Kind.OPPORTUNITY:
            roles = OpportunityPersonRole.objects.filter(opportunity__in=pks).order_by("pk")
            going += roles.values_list("pk", "revision")
        return fingerprint(json.dumps(going, default=str))
