"""Nights that go wrong: a simulated evening through everything real, while a seeded schedule does harm.

``harms``: what is done when, a pure function of the seed. ``supervised``: ``slomix run`` as a service manager runs it,
and how its processes are found and killed. ``playing``: files that appear as they should not. ``night``: the stage and
who does the harm. ``verdict``: what has to be so in the end. ``python -m slomix_pipeline_tests.chaos`` (``make chaos``)
plays many nights, ``test_chaos`` one.
"""
