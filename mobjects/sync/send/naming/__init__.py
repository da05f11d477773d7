"""What records are called in Marketo: ids that it answered, keys under which they were sent, finding them by either."""
