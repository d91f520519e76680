"""What is kept of jobs beyond the life of the process, and what the next start makes of it."""
