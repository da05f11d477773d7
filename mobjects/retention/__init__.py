"""What goes when its period is over. docs/retention.md says what each period is about."""
