"""Contract suites: tests that every implementation of a port passes."""
