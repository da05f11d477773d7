"""What this project does about the theme of the admin's pages."""
