#!/usr/bin/python3
"""Prints the golden blobs of test_codec.c, made by the real Python packages (Debian: python3-lz4,
python3-msgpack-numpy). Run it and paste its output between
"clang-format off" and "on" in test_codec.c."""

import lz4.block
import msgpack
import msgpack_numpy
import numpy as np

GOLDEN = {
    "halves_2d": np.array([[0, 1, -2], [0.1, 65504, 6e-8]], dtype="<f2"),
    "floats_1d": np.array([0.5, 4.5, -1e30], dtype="<f4"),
    "doubles_1d": np.array([3.141592653589793], dtype="<f8"),
    "ints_1d": (np.arange(300) // 100).astype("<i4"),
    "longs_2d": np.array([[-1], [2**62]], dtype="<i8"),
    "empty_1d": np.array([], dtype="<i4"),
    "no_rows_2d": np.zeros((0, 50), dtype="<f2"),
}


def main():
    for name, array in GOLDEN.items():
        blob = lz4.block.compress(msgpack.packb(array, default=msgpack_numpy.encode))
        print(f"static const unsigned char {name}[] = {{")
        for i in range(0, len(blob), 16):
            print("    " + ", ".join(f"0x{byte:02x}" for byte in blob[i:i + 16]) + ",")
        print("};")


if __name__ == "__main__":
    main()
