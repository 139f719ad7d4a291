"""The game's rules over parsed files: pairing, differential, timing, sessions, teams, scoring, validity.

Belongs here: everything hard, as small pure functions on frozen values.
Does not belong here: file formats, Dagster, SQL, clocks. Ratios and totals are SQL views (``sql/views``).
"""
