"""Parts in memory: environments, files, HTTP, thread store, model, analytics sink."""
