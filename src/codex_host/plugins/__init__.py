"""Find, admit, register and call plugins."""
