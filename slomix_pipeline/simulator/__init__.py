"""A game evening on demand, and the servers it needs, for the demo, tests and benchmarks.

Belongs here: stand-ins for what lives outside, speaking the real protocols.
Does not belong here: anything the pipeline itself needs to work.
"""
