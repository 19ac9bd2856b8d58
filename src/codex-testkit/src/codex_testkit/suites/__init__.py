"""Contract suites: test classes for implementations of ports."""
