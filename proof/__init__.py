"""The long proofs of what the product promises; `./run proof` writes what came out into docs/proof.md.

A proof is either a test marked `proof` (counts go through `record_property("races", 1000)`) or a module here
whose docstring's first line is the promise and whose `prove()` yields results: dictionaries with `claim`
(one sentence), `tries` and `unexpected` (numbers), and optionally `note`. Zero unexpected is a pass. Every
result goes into proof/results.jsonl with the time and the commit; docs/proof.md shows the latest of each.
"""
