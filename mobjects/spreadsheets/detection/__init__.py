"""What has to be found out before a table can be read: where its headers stand, and what its bytes mean."""
