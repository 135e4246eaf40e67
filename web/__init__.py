"""The ways in: pages, the JSON interface and the command line."""
