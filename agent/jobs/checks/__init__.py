"""Is this recipe right, here? Answered before anything moves."""
