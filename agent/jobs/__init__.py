"""What a station does without being asked each time: recipes, their checks, and the jobs that run them."""
