"""What the commands of ``slomix`` do that changes something: import, decide, name teams, post, deploy, play the demo.

Belongs here: one module per command. Does not belong here: arguments and exit codes (``cli``), what is only read
(``reports``).
"""
