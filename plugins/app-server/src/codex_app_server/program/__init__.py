"""Methods about the program: models, account, features, lists, and what is not available."""
