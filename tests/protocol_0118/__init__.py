"""The types of the app-server protocol of 0.118, and comparisons with them."""
