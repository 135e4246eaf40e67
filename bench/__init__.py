"""What the product costs, measured beside its peers; `./run bench` writes it into docs/performance.md.

A bench is a module of this package: its docstring's first line is the heading, and `measure()` returns the
results as Markdown (a table, then what it says). Peers and ours run interleaved in one run, so that a busy
machine disturbs both alike. A name that begins with an underscore is not a bench.
"""
