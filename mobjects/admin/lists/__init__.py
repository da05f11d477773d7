"""What the lists of the admin have in common: filters, conditions on any field, views that people keep."""
