"""Lists of the admin that say what they are narrowed to, and that people keep views of."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from mobjects.filters.conditions import FilterRefused
from mobjects.views.lists.chips import find_narrowings
from mobjects.views.saved_views import default_query, refuse_view, shown_views


class ListOfViews(ModelAdmin):
    """A list with chips above it, saved views, and a view that a person opens it with.

    Such a page of the admin names its list in ``view_page``, see :data:`mobjects.views.saved_views.PAGES`.
    """

    view_page: str = ""
    list_before_template = "mobjects/lists/above.html"

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("mobjects/sync.css", "mobjects/filters.css")}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and not request.GET and (query := default_query(request, self.view_page)):
            return HttpResponseRedirect(f"?{query}")
        asked = request.GET
        try:
            response: Any = super().changelist_view(request, extra_context)
        except FilterRefused as error:
            request.GET = asked
            if request.method == "GET" and (elsewhere := refuse_view(request, self.view_page, str(error))):
                return elsewhere
            raise
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown:  # An action may have led elsewhere.
            shown["saved"] = shown_views(request, self.view_page)
            shown["chips"] = find_narrowings(request, shown["cl"])
            # Chips lead to all, and the foot says how many. Where these two differ the theme would say so again beside
            # the title, which leaves that no room.
            shown["cl"].full_result_count = shown["cl"].result_count
        return response  # type: ignore[no-any-return]
