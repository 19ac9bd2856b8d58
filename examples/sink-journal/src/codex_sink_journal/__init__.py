"""An analytics sink that appends facts to a file."""
