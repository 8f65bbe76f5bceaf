"""A bitmap as PNG, in a fifth of the time that Pillow takes for a figure.

Pillow tries five filters for each row. On figures, large areas of one colour, the difference from the row above (filter
2 of the PNG specification, https://www.w3.org/TR/png/#9Filters) alone is about as small.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABOVE = 2
LEVEL = 3
"""Of zlib: level 6 makes files a third smaller in two and a half times the time."""

INCH = 0.0254


def png(pixels: NDArray[np.uint8], dots: float) -> bytes:
    """Write opaque pixels as a PNG file, the same bytes each time.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3 or more)
        Red, green and blue from 0 to 255; what follows, such as an alpha channel, is left out.
    dots : float
        Per inch, which the file states in dots per metre.
    """
    height, width = pixels.shape[:2]
    colours = pixels[:, :, :3].reshape(height, 3 * width)
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0] = ABOVE
    rows[0, 1:] = colours[0]
    np.subtract(colours[1:], colours[:-1], out=rows[1:, 1:])
    metre = round(dots / INCH)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in (
            (b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)),  # 8 bits, red green blue
            (b"pHYs", struct.pack(">2IB", metre, metre, 1)),
            (b"IDAT", zlib.compress(rows.tobytes(), LEVEL)),
            (b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
