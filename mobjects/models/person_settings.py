"""What a person chose for the pages they see."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class PersonSettings(models.Model):
    """The choices of one user; without a row, or with an empty value, the browser's hold."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="person_settings"
    )
    time_zone = models.CharField(max_length=50, blank=True, help_text="Name of a zone, such as Asia/Seoul.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Settings of {self.user}"
