"""The sandbox of Windows: a runner with a restricted token, spoken to in frames."""
