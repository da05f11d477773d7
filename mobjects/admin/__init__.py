"""The admin pages. Importing the package registers them."""

from mobjects.admin import history, opportunity, people, program

__all__ = ["history", "opportunity", "people", "program"]
