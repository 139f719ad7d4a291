"""The assets, one module per stage, in the order of the flow.

Belongs here: fetch, call the rules, store, report. Each stage works on the partitions of its run, one or many.
Does not belong here: rules, SQL, and anything that decides that a stage has to run (``sensors``).
"""
