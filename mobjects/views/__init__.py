"""The pages around syncing; each is an admin page without a model of its own."""
