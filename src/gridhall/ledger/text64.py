"""Base64 (RFC 4648, section 4) with one text for each value: what decodes alike but reads otherwise is refused."""

import base64
import binascii

from gridhall.ledger.malformed import Malformed


def to_text64(data: bytes) -> str:
    """The text of some bytes."""
    return base64.b64encode(data).decode("ascii")


def from_text64(text: str) -> bytes:
    """The bytes of a text. Raises Malformed unless `to_text64` gives the same text back."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise Malformed("is no base64") from error
    if to_text64(data) != text:
        raise Malformed("is not in the one base64 form of its value")
    return data
