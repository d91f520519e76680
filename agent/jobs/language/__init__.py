"""What a recipe's author writes into a value or a text: formulas, quantities, kinds, messages."""
