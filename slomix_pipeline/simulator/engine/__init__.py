"""A stand-in for the game's engine that runs the Lua scripts of ``lua/``, and the truth about what is played on it.

Belongs here: what scripts see of the engine (``host``), what people do (``people``), the course of a match
(``game``), what was really played (``truth``) and what that comes to (``counting``).
Does not belong here: who plays what (the simulator's evenings, the tests).
"""
