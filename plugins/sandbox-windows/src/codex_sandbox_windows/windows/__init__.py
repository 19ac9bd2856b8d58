"""What the runner and its parent need of Windows itself, through ctypes; imported on Windows only."""
