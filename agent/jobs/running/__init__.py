"""How a recipe is run: its steps, one after the other, through the gate."""
