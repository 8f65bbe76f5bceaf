"""A SAS transport file (version 5) written by hand, since pandas reads but does not write them.

SAS Institute. The record layout of a SAS version 5 or 6 data set in SAS transport format. Technical support document
TS-140.
"""

import math
import struct


def _ibm(value):
    """A number in IBM's hexadecimal floating point; a full stop first for a missing value."""
    if math.isnan(value):
        return b"." + b"\0" * 7
    if value == 0:
        return b"\0" * 8
    sign, value = (0x80, -value) if value < 0 else (0, value)
    exponent = 64
    while value >= 1:
        value, exponent = value / 16, exponent + 1
    while value < 1 / 16:
        value, exponent = value * 16, exponent - 1
    return bytes([sign | exponent]) + int(value * 2**56).to_bytes(7, "big")


def _header(kind, numbers="0" * 30):
    return f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{numbers}  ".encode()


def written(name, columns):
    """The bytes of a data set; `columns` maps names to lists of text or of numbers."""
    when = b"01JAN20:00:00:00"
    head = b"SAS     " + f"{name:<8}".encode() + b"SASDATA 9.4     X64_10  " + b" " * 24 + when
    parts = [
        _header("LIBRARY"),
        b"SAS     SAS     SASLIB  9.4     X64_10  " + b" " * 24 + when,
        when.ljust(80),
        _header("MEMBER", "000000000000000001600000000140"),
        _header("DSCRPTR"),
        head,
        when.ljust(80),
        _header("NAMESTR", f"000000{len(columns):04d}00000000000000000000"),
    ]
    names, widths, place = b"", [], 0
    for k, (column, values) in enumerate(columns.items(), start=1):
        text = isinstance(values[0], str)
        width = max(map(len, values)) or 1 if text else 8
        names += struct.pack(
            ">hhhh8s40s8shhh2s8shhl52s", 2 if text else 1, 0, width, k, column.encode().ljust(8), b" " * 40, b" " * 8,
            0, 0, 0, b"  ", b" " * 8, 0, 0, place, b"\0" * 52,
        )  # fmt: skip
        widths.append(width if text else None)
        place += width
    rows = b""
    for row in zip(*columns.values(), strict=True):
        for value, width in zip(row, widths, strict=True):
            rows += value.encode().ljust(width) if width else _ibm(float(value))
    padded = [part.ljust(-(-len(part) // 80) * 80, b" ") for part in (names, rows)]
    return b"".join([*parts, padded[0], _header("OBS"), padded[1]])
