"""What was removed because its period was over, and what of a person was erased."""
