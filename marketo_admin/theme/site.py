"""The admin's site with our menu, which needs no list of all tables."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite


class MenuSite(UnfoldAdminSite):
    """The theme's site. What its own menu would list is looked up only for the page of an app."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The tables of an app that the user may see; of all apps none, as no page of ours shows them."""
        return super().get_app_list(request, app_label) if app_label else []

    def _get_colors(self, key: str, *args: Any) -> dict[str, Any]:
        """None to write into each page: ``frame.css`` has them."""
        return {}
