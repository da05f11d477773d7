"""What runs beside the web server: the workers, the scheduler that wakes them, and how both are."""
