"""Compresses bytes: gzip, bzip2, xz, zstd and lz4, the last two without making anything smaller."""
import bz2
import gzip
import lzma
import struct

ZSTD_BLOCK = 1 << 17
LZ4_BLOCK = 1 << 16
PRIMES = (2654435761, 2246822519, 3266489917, 668265263, 374761393)


def zstd(content):
  """RFC 8878: a frame of raw blocks."""
  blocks = [content[at:at + ZSTD_BLOCK] for at in range(0, len(content), ZSTD_BLOCK)] or [b'']
  frame = struct.pack('<IBB', 0xFD2FB528, 0, 7 << 3)
  for number, block in enumerate(blocks):
    frame += (len(block) << 3 | (number == len(blocks) - 1)).to_bytes(3, 'little') + block
  return frame


def xxh32_of_few(content):
  """xxHash's 32 bits of fewer than 4 bytes."""
  value = (PRIMES[4] + len(content)) & 0xFFFFFFFF
  for byte in content:
    value = (value + byte * PRIMES[4]) & 0xFFFFFFFF
    value = (value << 11 | value >> 21) * PRIMES[0] & 0xFFFFFFFF
  value = (value ^ value >> 15) * PRIMES[1] & 0xFFFFFFFF
  value = (value ^ value >> 13) * PRIMES[2] & 0xFFFFFFFF
  return value ^ value >> 16


def lz4(content):
  """The LZ4 frame format 1.6: blocks that are not compressed, without checksums."""
  descriptor = bytes((0x60, 0x40))  # version 1, blocks that do not rest on each other, of at most 64 KB
  frame = struct.pack('<I', 0x184D2204) + descriptor + bytes((xxh32_of_few(descriptor) >> 8 & 0xFF,))
  for at in range(0, len(content), LZ4_BLOCK):
    block = content[at:at + LZ4_BLOCK]
    frame += struct.pack('<I', len(block) | 1 << 31) + block
  return frame + bytes(4)


def gz(content):
  return gzip.compress(content, mtime=0)


def members(content):
  """As pigz and bgzip write it: one member of gzip after the other, and zeros behind the last."""
  return b''.join(gz(content[at:at + 1000]) for at in range(0, len(content) or 1, 1000)) + bytes(512)


PACKINGS = {'gz': gz, 'members.gz': members, 'bz2': bz2.compress, 'xz': lzma.compress, 'zst': zstd, 'lz4': lz4,
            'gz.xz.gz': lambda content: gz(lzma.compress(gz(content)))}
