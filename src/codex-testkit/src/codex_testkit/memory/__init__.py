"""In-memory implementations of ports: environments, files, HTTP, thread store, model, analytics sink."""
