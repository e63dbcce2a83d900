"""The checking program: every step in which the client puts a received frame into its buffer, live in the terminal.

=============  =======================================================================
``lines``      the view without a terminal: one line a step
``terminal``   the view in a terminal, drawn by rich
``sheet``      the contact sheet of the extracted frames, made by Pillow
``program``    its options, and the order of it all
=============  =======================================================================
"""
