"""What the agent says to people, in the languages of the lab: English in the code, Korean beside it."""
