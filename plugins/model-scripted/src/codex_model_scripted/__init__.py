"""Offline model that plays a script; needs no account."""
