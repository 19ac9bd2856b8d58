"""An environment written from the ground up: processes, files and HTTP of this machine."""
