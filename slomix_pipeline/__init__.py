"""slomix_pipeline: from the files of an ET:Legacy stopwatch server to results that players believe.

Import the submodules directly; nothing is wired or loaded here.
"""
