"""Temperature controllers, ovens, chambers and baths."""
