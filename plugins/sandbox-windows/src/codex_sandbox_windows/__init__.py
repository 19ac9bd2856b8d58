"""The sandbox of Windows: a runner process that starts commands with a restricted token."""
