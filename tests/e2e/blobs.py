"""Blobs as notebooks read and write them: lz4 of msgpack of a numpy array."""

import lz4.block
import msgpack
import msgpack_numpy


def decode(blob):
    return msgpack.unpackb(lz4.block.decompress(blob), object_hook=msgpack_numpy.decode)


def encode(array):
    return lz4.block.compress(msgpack.packb(array, default=msgpack_numpy.encode))
