"""The site's addresses: the admin is the whole site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from mobjects.api.service import api_urls

handler400 = "marketo_admin.errors.bad_request"
handler403 = "marketo_admin.errors.not_allowed"
handler404 = "marketo_admin.errors.page_missing"
handler500 = "marketo_admin.errors.page_broken"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("api/v1/", api_urls()),
    path("admin/", include("mobjects.views.account.urls")),
    path("admin/", include("mobjects.urls")),
    path("admin/", admin.site.urls),
]
