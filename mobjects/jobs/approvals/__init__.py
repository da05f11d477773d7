"""Work that waits until another person approves it."""
