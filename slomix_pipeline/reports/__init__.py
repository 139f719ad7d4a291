"""What is read for people outside Discord: evidence, receipts, exports, the audit, what-ifs.

Belongs here: putting stored results into documents, and the words they share. Reports never decide and never write.
Does not belong here: what Discord is told (``discord``), metrics (``sql/views``).
"""
