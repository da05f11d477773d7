"""Programs, tags and channels, as Adobe's asset API has them."""
