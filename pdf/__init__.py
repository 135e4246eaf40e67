"""Frozen values in, bytes out: certificates, their annexes and the written notices, with no session and no network."""
