"""Servers that tests talk to: exec-servers, the Responses API, web and network."""
