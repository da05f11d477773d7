"""Setting up a second factor, its recovery codes, removing it; allauth's pages in the site's frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import ReauthenticateView as ConfirmByCode
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class FramedPage:
    """A page with the site's menu around it, below "Your sign-in"."""

    title: StrOrPromise = ""
    request: Any

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page shows, with its frame."""
        self.request.current_app = admin.site.name
        above = ((_("Dashboard"), reverse("admin:index")), (_("Your sign-in"), reverse("mobjects:sign-in")))
        shown = super().get_context_data(**kwargs)  # type: ignore[misc]  # of the view that stands behind
        return {**admin.site.each_context(self.request), "title": self.title, "crumbs": above, **shown}


class EnrolPage(FramedPage, ActivateTOTPView):
    title = gettext_lazy("Set up a second factor")
    template_name = "mobjects/account/enrol.html"


class RemovePage(FramedPage, DeactivateTOTPView):
    title = gettext_lazy("Remove the second factor")
    template_name = "mobjects/account/remove.html"


class RecoveryCodesPage(FramedPage, ViewRecoveryCodesView):
    title = gettext_lazy("Recovery codes")
    template_name = "mobjects/account/recovery_codes.html"


class NewCodesPage(FramedPage, GenerateRecoveryCodesView):
    title = gettext_lazy("New recovery codes")
    template_name = "mobjects/account/new_codes.html"


class ConfirmByPasswordPage(FramedPage, ReauthenticateView):
    title = gettext_lazy("Confirm that it is you")
    template_name = "mobjects/account/confirm.html"


class ConfirmByCodePage(FramedPage, ConfirmByCode):
    title = gettext_lazy("Confirm that it is you")
    template_name = "mobjects/account/confirm.html"
