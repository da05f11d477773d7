"""The theme as this site uses it."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import sites
from unfold.apps import BasicAppConfig

from marketo_admin.theme.site import MenuSite


class ThemeConfig(BasicAppConfig):
    """The theme, with our own site in place of its own."""

    default = True

    def ready(self) -> None:
        admin.site = sites.site = MenuSite()
