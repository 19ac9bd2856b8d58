"""Hold sandbox policies with bubblewrap."""
