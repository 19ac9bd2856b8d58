"""What sandbox launchers share: policies that are enforced, their transforms, denials, system call filters."""
