"""Methods that read and change the configuration."""
