"""The probing program: all that is known of a stream, for a person or as JSON.

=============  =======================================================================
``measure``    what the frames of some seconds tell of rate, key frames and times; pure
``report``     what is known, section by section, as JSON and as text; pure
``program``    its options, and the order of it all
=============  =======================================================================
"""
