"""An authenticator that checks a password."""
