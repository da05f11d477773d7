"""Pages about what is kept for how long, and what of a person is erased."""
