"""What a person has done to many records at once."""
