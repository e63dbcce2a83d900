"""What the programs of ``python -m mpegclient`` share.

=============  =======================================================================
``arguments``  the options that each of them has, and what makes a client of them
``watch``      the loop between a client and a view, and how it ended
``model``      what is to be shown of a stream and its ring, without saying how; pure
``advice``     what to say when something failed; pure
``words``      how numbers are written for a person; pure
=============  =======================================================================
"""
