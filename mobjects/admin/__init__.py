"""The admin pages. Importing the package registers them."""

from mobjects.admin import (  # noqa: F401
    approvals,
    conflicts,
    deletions,
    imports,
    marketo_metadata,
    opportunities,
    programs,
    schedules,
    sync_history,
    users,
)
