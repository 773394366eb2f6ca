"""Writes Windows' event traces (ETL) with the packets of a capture: what `netsh trace` and `pktmon` leave behind.

Theory of operation: each packet becomes an event of its provider (or several: parts, appearances). Events are dealt out to
processors, packed into their buffers, and those are written, compressed or not, in an order in which no time is.
"""
import dataclasses
import struct
import uuid

NDIS = uuid.UUID('2ED6006E-4729-4609-B423-3EE7BCD678EF')
PKTMON = uuid.UUID('4D4F80D9-C8BD-4D73-BB5B-19C90402C5AC')
OTHER = uuid.UUID('11111111-2222-3333-4444-555555555555')
FILETIME_OF_1970 = 116444736000000000
FREQUENCY = 10_000_000
START, END, SEND, RECEIVE, CUT = 0x40000000, 0x80000000, 0x100000000, 0x200000000, 0x2000000
BUFFER_HEADER = 0x48
CLOCK_PERFORMANCE, CLOCK_SYSTEM = 1, 2
INDEX_VALID, COMPRESSED, LAST = 0x20, 0x40, 1
CARD, LAYER_ABOVE = 12, 15
MINIPORT, FILTER = 2, 3


@dataclasses.dataclass
class Packet:
  time_ns: int
  data: bytes
  wire: int
  sent: bool = False


@dataclasses.dataclass
class Event:
  time_ns: int
  provider: uuid.UUID
  number: int
  keyword: int
  payload: bytes
  processor: int = 0


@dataclasses.dataclass
class Style:
  """How a trace is written."""
  processors: int = 1
  buffer_bytes: int = 8192
  compressed: bool = False
  wide: bool = True  # a 64-bit Windows
  clock: int = CLOCK_PERFORMANCE
  rotated: bool = False  # circular: the oldest buffers stand behind newer ones
  closed: bool = True
  items: bool = False  # events carry extended data
  chatter: bool = False  # events of other providers and kinds in between
  events_lost: int = 0
  build: int = 20348
  first_ticks: int = 5_000_000_000


# Plain LZ77 (MS-XCA 2.3)

class Compressor:
  def __init__(self):
    self.out = bytearray(4)
    self.flags_at, self.flags, self.bits = 0, 0, 0
    self.half_at = None

  def flag(self, bit):
    if self.bits == 32:
      struct.pack_into('<I', self.out, self.flags_at, self.flags)
      self.flags_at, self.flags, self.bits = len(self.out), 0, 0
      self.out += bytes(4)
    self.flags |= bit << (31 - self.bits)
    self.bits += 1

  def half(self, value):
    if self.half_at is None:
      self.half_at = len(self.out)
      self.out.append(value)
    else:
      self.out[self.half_at] |= value << 4
      self.half_at = None

  def match(self, distance, length):
    self.flag(1)
    length -= 3
    self.out += struct.pack('<H', (distance - 1) << 3 | min(length, 7))
    if length < 7:
      return
    self.half(min(length - 7, 15))
    if length - 7 < 15:
      return
    if length - 22 < 255:
      self.out.append(length - 22)
    elif length < 1 << 16:
      self.out += struct.pack('<BH', 255, length)
    else:
      self.out += struct.pack('<BHI', 255, 0, length)

  def finish(self):
    self.flags |= (1 << (32 - self.bits)) - 1
    struct.pack_into('<I', self.out, self.flags_at, self.flags)
    return bytes(self.out)


def compress(data):
  made, seen, at = Compressor(), {}, 0
  while at < len(data):
    key = data[at:at + 3]
    before = seen.get(key)
    seen[key] = at
    if len(key) < 3 or before is None or at - before > 8192:
      made.flag(0)
      made.out.append(data[at])
      at += 1
      continue
    length = 3
    while at + length < len(data) and data[before + length] == data[at + length]:
      length += 1
    made.match(at - before, length)
    at += length
  return made.finish()


# Packets as events

def ndis_events(packets, trailer=False, parts=1, layers=(CARD,)):
  """Event 1001: parts of each packet, at each layer."""
  for number, packet in enumerate(packets):
    for layer in layers:
      size = -(-len(packet.data) // parts)
      for part in range(parts):
        data = packet.data[part * size:(part + 1) * size]
        keyword = 1 | (SEND if packet.sent else RECEIVE) | (CUT if packet.wire > len(packet.data) else 0)
        keyword |= (START if part == 0 else 0) | (END if part == parts - 1 else 0)
        payload = struct.pack('<III', CARD, layer, len(data)) + data + (bytes(16) if trailer else b'')
        yield Event(packet.time_ns, NDIS, 1001, keyword, payload, number)


def pktmon_events(packets, appearances=1, counted=True, drops=()):
  """Events 160: each packet at several components; those of components come last, as pktmon writes them. drops: (packet, reason)."""
  last_ns = 0
  for number, packet in enumerate(packets):
    for appearance in range(appearances):
      component = 20 + (appearances - 1 - appearance if packet.sent else appearance)
      payload = struct.pack('<QHHHHHHHIIHH', number if counted else number * 100 + appearance, 1, appearance + 1 if counted else 0,
                            2 if packet.sent else 1, 1, component, 1, 0, 0, 0, packet.wire, len(packet.data)) + packet.data
      yield Event(packet.time_ns, PKTMON, 160, 0x10, payload, number)
    last_ns = packet.time_ns
  for number, (packet, reason) in enumerate(drops):
    payload = struct.pack('<QHHHHHHHIIHH', 9_000_000 + number, 1, 0, 2 if packet.sent else 1, 1, 20, 0, 0, reason, 0xE0004100, packet.wire,
                          len(packet.data)) + packet.data
    yield Event(packet.time_ns + 20_000, PKTMON, 170, 0x10, payload, number)
  for appearance in range(appearances):
    kind = MINIPORT if appearance == 0 else FILTER
    name = 'card\0'.encode('utf-16-le') * 2
    yield Event(last_ns + 10_000_000, PKTMON, 20, 1, struct.pack('<HH', 20 + appearance, kind) + name, 0)


# Events into buffers

def ticks_of(style, start_ns, time_ns):
  if style.clock == CLOCK_SYSTEM:
    return FILETIME_OF_1970 + time_ns // 100
  return style.first_ticks + (time_ns - start_ns) * FREQUENCY // 1_000_000_000


def event_bytes(style, start_ns, event):
  items = b''
  if style.items:  # a related activity, then a stack
    items = struct.pack('<HHHH', 24, 1, 1, 16) + bytes(16) + struct.pack('<HHHH', 24, 6, 0, 16) + bytes(16)
  kind = 0x13 if style.wide else 0x12
  size = 0x50 + len(items) + len(event.payload)
  head = struct.pack('<HBBHHIIq', size, kind, 0xC0, 1 if items else 0, 0, 4, 4, ticks_of(style, start_ns, event.time_ns))
  head += event.provider.bytes_le + struct.pack('<HBBBBHQII', event.number, 0, 16, 4, 0, 0, event.keyword, 0, 0) + bytes(16)
  return head + items + event.payload


def chatter(style, start_ns, time_ns):
  """A PERFINFO event, a classic one, a message of WPP, and one of another provider."""
  ticks = ticks_of(style, start_ns, time_ns)
  yield struct.pack('<HBBHHq', 2, 0x11, 0xC0, 24, 0x529, ticks) + bytes(8)
  yield struct.pack('<HBBBBHIIq', 0x34, 0x14, 0xC0, 0, 4, 0, 4, 4, ticks) + bytes(16 + 8) + b'abcd'
  yield struct.pack('<HBBHH', 27, 0, 0x90, 1, 2) + bytes(19)
  yield event_bytes(style, start_ns, Event(time_ns, OTHER, 1, 0, b'nothing'))


def buffer_bytes(content, number, processor, flags, kind=0, size=0, packed=None):
  stored = packed if packed is not None else content
  length = size or BUFFER_HEADER + len(stored)
  head = struct.pack('<IIIIqqQHHIIHH', length, BUFFER_HEADER + len(content), 0, 0, 0, number, 0, processor, 0, 3,
                     BUFFER_HEADER + len(content), flags, kind) + bytes(16)
  return (head + stored).ljust(length, b'\xff')


def head_buffer(style, start_ns, buffers):
  pointers = bytes(16 if style.wide else 8)
  start = FILETIME_OF_1970 + start_ns // 100
  mode = 0x04010001 if style.compressed else 2 if style.rotated else 1
  body = struct.pack('<IBBBBII', style.buffer_bytes, 10, 0, 1, 5, style.build, style.processors)
  body += struct.pack('<QIIIIIIII', start + 100_000_000 if style.closed else 0, 156250, 0, mode, buffers + 1, 1, 8 if style.wide else 4,
                      style.events_lost, 2600) + pointers + bytes(0xAC + 4)
  body += struct.pack('<QQQII', start - 1_000_000, FREQUENCY, start, style.clock, 0)
  body += 'NetTrace\0C:\\trace.etl\0'.encode('utf-16-le')
  kind = 2 if style.wide else 1
  event = struct.pack('<HBBHHIIq', 2, kind, 0xC0, 0x20 + len(body), 0, 4, 4, ticks_of(style, start_ns, start_ns)) + bytes(8) + body
  return buffer_bytes(event, 0, 0, LAST, kind=4, size=1024 if style.compressed else style.buffer_bytes)


def packed_events(style, start_ns, events):
  """The content of buffers, by processor."""
  streams = {processor: [b''] for processor in range(style.processors)}
  for number, event in enumerate(sorted(events, key=lambda event: event.time_ns)):
    contents = streams[event.processor % style.processors]
    pieces = [event_bytes(style, start_ns, event)]
    if style.chatter and number % 7 == 3:
      pieces = [*chatter(style, start_ns, event.time_ns), *pieces]
    for piece in pieces:
      piece = piece.ljust(-(-len(piece) // 8) * 8, b'\0')
      if contents[-1] and BUFFER_HEADER + len(contents[-1]) + len(piece) > style.buffer_bytes:
        contents.append(b'')
      contents[-1] += piece
  return streams


def etl(events, style, start_ns):
  """The bytes of a trace. Buffers of one processor follow each other, those of the last one first."""
  buffers = []
  for processor, contents in reversed(packed_events(style, start_ns, events).items()):
    for number, content in enumerate(contents):
      if style.compressed:
        buffers.append(buffer_bytes(content, number + 1, processor, INDEX_VALID | COMPRESSED, packed=compress(content)))
      else:
        size = max(style.buffer_bytes, BUFFER_HEADER + len(content))
        buffers.append(buffer_bytes(content, number + 1, processor, INDEX_VALID, size=-(-size // style.buffer_bytes) * style.buffer_bytes))
  if style.closed and buffers:
    last = bytearray(buffers[-1])
    last[0x34] |= LAST
    buffers[-1] = bytes(last)
  if style.rotated:
    middle = len(buffers) // 2
    buffers = buffers[middle:] + buffers[:middle]
  return head_buffer(style, start_ns, len(buffers)) + b''.join(buffers)
