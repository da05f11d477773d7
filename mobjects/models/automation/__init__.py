"""What lets other programs in."""
