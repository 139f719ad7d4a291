"""Slash commands: Discord calls an address of the site, which answers at once of what its pages show.

Belongs here: who may call, which commands there are, what each is answered with. Does not belong here: words and
numbers, which are those of posts and pages; the site as a whole (``app``); telling Discord of the commands
(``actions.registering``).
"""
