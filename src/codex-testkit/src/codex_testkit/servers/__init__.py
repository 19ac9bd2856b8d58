"""Servers for tests: exec-servers, the Responses API, web sites, network namespaces."""
