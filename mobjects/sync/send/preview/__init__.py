"""What a sending would do, said before it is done: record by record, counted, and kept as a dry run."""
