"""Company rules, which take precedence over those of the user."""
