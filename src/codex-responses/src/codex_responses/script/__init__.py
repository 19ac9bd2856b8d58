"""Scripts of the offline model: steps, events and player."""
