"""Deciding many conflicts at once: asked, previewed, carried out in the background, taken back."""
