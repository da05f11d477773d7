"""What those who run the site ask it: whether it is ready, its figures, and what is wrong with an installation."""
