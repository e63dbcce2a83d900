"""The checking program: every step in which the client puts a received frame into its buffer, live in the terminal.

=============  =======================================================================
``model``      what is to be shown, without saying how; pure
``lines``      the view without a terminal: one line a step
``terminal``   the view in a terminal, drawn by rich
``sheet``      the contact sheet of the extracted frames, made by Pillow
``advice``     what to say when something failed; pure
``watch``      the loop between a client and a view
``program``    arguments, and the order of it all
=============  =======================================================================
"""

from .program import main

__all__ = ["main"]
