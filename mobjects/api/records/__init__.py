"""Programs, opportunities and roles: reading and writing them."""
