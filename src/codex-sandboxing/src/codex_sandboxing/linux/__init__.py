"""What sandboxes of Linux share: mounts, system call filters, clean-up, the helper program's arguments."""
