"""Which views take files, from whom and how large: it is looked at before anything of a body is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest

from mobjects.imports.file_limits import MB, limits_for
from mobjects.models import ImportSource

AnyCallable = TypeVar("AnyCallable", bound=Callable[..., Any])

FORM_BYTES = MB
"""What a form may have beside its file."""


@dataclass(frozen=True, slots=True)
class UploadRule:
    """Who may send a file to a view. ``permissions``: one of them is enough."""

    permissions: tuple[str, ...]

    def allows(self, request: HttpRequest) -> bool:
        """Whether who asks may send a file."""
        return any(request.user.has_perm(permission) for permission in self.permissions)

    @property
    def most_bytes(self) -> int:
        """The longest body."""
        return limits_for(ImportSource.ADMIN).size + FORM_BYTES


def takes_upload(*permissions: str) -> Callable[[AnyCallable], AnyCallable]:
    """Say that a view takes files, from whoever has one of these permissions. All other bodies have to be small.

    Args:
        permissions: with the name of the app.
    """

    def decorate(view: AnyCallable) -> AnyCallable:
        view.upload_rule = UploadRule(permissions)  # type: ignore[attr-defined]
        return view

    return decorate


def find_upload_rule(view: object) -> UploadRule | None:
    """What a view says about files; ``None`` if it takes none. Wrappers of views carry it on."""
    rule = getattr(view, "upload_rule", None)
    return rule if isinstance(rule, UploadRule) else None
