"""The JSON API ``/api/v1``: the same things as on the pages, for programs. GET and HEAD only, for everybody.

Belongs here: a module per group of resources, each a route whose answer is a typed row; what all of them share
(``kit``), what is said when something is wrong (``problems``), who may ask how much (``door``), the application.
Does not belong here: numbers and words. They come from the readers that pages, posts and exports use: a resource is a
reader's row with the addresses of its page and of itself. How an answer is kept and when it is 304: ``site.answers``.

The addresses of resources are those of pages below ``/api/v1``. A resource is added as a function of ``kit.ROUTER``:
its docstring, parameters and response model are the documentation (``schema``, and the page ``/api`` made of that).
"""
