"""Django's PostgreSQL backend with a quicker way to empty the tables between tests."""
