"""Methods for files: the file system of the default environment."""
