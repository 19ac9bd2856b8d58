"""The thread and turn protocol (app-server v2) over an in-process transport."""
