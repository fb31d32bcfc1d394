"""What is said of bytes that are not what they should be."""


class Malformed(Exception):
    """Bytes from outside break a format of this room; the text says in half a sentence how."""
