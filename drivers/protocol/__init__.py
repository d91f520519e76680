"""Messages: what the bytes on a link mean, the same for a hundred models."""
