"""All that became of one record, from whatever kept it, as one list: reading it, and bringing old values back."""

from mobjects.timeline.authors import last_author

__all__ = ["last_author"]
