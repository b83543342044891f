"""What was guessed of a data set, and a first look at it."""
