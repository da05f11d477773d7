"""The admin pages. Importing the package registers them."""

from mobjects.admin import catalog, conflict, history, imports, opportunity, people, program, schedule

__all__ = ["catalog", "conflict", "history", "imports", "opportunity", "people", "program", "schedule"]
