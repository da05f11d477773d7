"""Deleting many records here, in the background, and bringing them back."""
