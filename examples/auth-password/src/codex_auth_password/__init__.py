"""An authenticator that lets in who knows a password."""
