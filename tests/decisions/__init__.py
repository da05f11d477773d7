"""Deciding many conflicts at once."""
