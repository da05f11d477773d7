"""The settings of production, but for one refusal: Marketo is a host of the bench's own, reached without TLS."""

from marketo_admin.settings import *  # noqa: F403

SILENCED_SYSTEM_CHECKS = ["mobjects.E003"]
