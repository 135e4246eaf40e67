"""The ways of doing the ten-step reference case that bench/engine compares, each served by a process of its own.

`python -m bench.peers.NAME URL` opens the database at URL (sqlite:///FILE or postgresql://...), makes what it needs and
then answers lines on its standard input: a number of cases to do. See `bench.peers.pace`.
"""
