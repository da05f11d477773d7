"""The admin pages. Importing the package registers them."""

from mobjects.admin import conflicts, imports, marketo_metadata, opportunities, programs, schedules, sync_history, users  # noqa: F401
