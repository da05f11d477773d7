"""Which installation this is, what of it stands outside the database, and whether the two still belong together."""
