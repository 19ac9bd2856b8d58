"""Scripts that play a model: steps, the events they become, and who plays them."""
