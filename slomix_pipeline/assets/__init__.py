"""The stages as Dagster's assets: what each is called, described, grouped and partitioned by, and what it waits for.

Belongs here: one module per kind of partition, declarations alone. Does not belong here: any work (``stages``).
"""
