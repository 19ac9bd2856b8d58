"""Read configuration layers and give the effective value of a key."""
