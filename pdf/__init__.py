"""Frozen values in, bytes out; no session and no network."""
