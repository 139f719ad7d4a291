"""Pictures: Vega-Lite specifications made of facts (``facts``), and drawn without a browser (``render``).

Belongs here: how numbers look. Does not belong here: where they come from (``warehouse``), who is shown them
(``discord``). Nothing here but ``facts`` is loaded before a picture is made: Altair and vl-convert are heavy.
"""
