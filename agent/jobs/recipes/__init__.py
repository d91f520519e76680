"""What a recipe is: plain data, read from a file or told by a function's signature."""
