"""Where files come from: the game server's folders, over SFTP or as a local folder.

Belongs here: listing and reading those folders, and telling failures that pass from failures that stay.
Does not belong here: what the files mean (``formats``), when to look (``sensors``), storing them (``warehouse``).
"""
