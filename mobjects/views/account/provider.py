"""To the company's provider and back."""

from __future__ import annotations

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from requests import RequestException

from mobjects.accounts.provider_sign_in import SignedTokenAdapter, say_failed


def to_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider's login page; a link alone leads to ours."""
    if request.method != "POST":
        return redirect("account_login")
    return _run(OAuth2LoginView, request, provider_id)


def from_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in, or refuse in words, whom the provider sends back."""
    return _run(OAuth2CallbackView, request, provider_id)


def _run(view: type, request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        return view.adapter_view(SignedTokenAdapter(request, provider_id))(request)  # type: ignore[attr-defined, no-any-return]
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (RequestException, ValueError, KeyError):
        return say_failed(request)
