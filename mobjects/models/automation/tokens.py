"""Tokens by which other programs act for a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mobjects.models.fields import CreatedAtField


class ApiToken(models.Model):
    """A token of a person. What is kept cannot be turned back into it; it is revoked, not deleted: history names it."""

    name = models.CharField(_("name"), max_length=60)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    prefix = models.CharField(max_length=8, unique=True, help_text="Its beginning, to find it by.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of all of it.")
    scopes = models.JSONField(default=list, help_text="What of the person's rights it has; empty means all of them.")
    networks = models.JSONField(default=list, help_text="From where it may be used; empty means from anywhere.")
    created_at = CreatedAtField(_("created at"), auto_now_add=True)
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField()
    used_first_at = models.DateTimeField(null=True)
    used_last_at = models.DateTimeField(null=True)
    used_last_from = models.CharField(max_length=45, blank=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        default_permissions = ()
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
