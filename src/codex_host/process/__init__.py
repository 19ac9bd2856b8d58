"""The program as a process: its signals, its standard descriptors, its event loop, its end."""
