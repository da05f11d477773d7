"""What stands above a list: what it is narrowed to, which columns it has, and the views that were saved of it."""
