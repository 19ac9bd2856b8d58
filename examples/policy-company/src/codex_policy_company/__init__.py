"""Rules of a company that go before those of the user."""
