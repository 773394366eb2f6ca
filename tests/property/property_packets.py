"""Changes captures in ways that must not change what is found: other segments, a snaplen, duplicates, chained files."""

import pathlib
import random
import struct
import sys
from dataclasses import dataclass, replace

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / 'scenes'), str(TESTS)]

from scene_pcapng import Capture, Record, block, option, padded
from scene_tcp import ACK, FIN, PSH, RST, SYN, ones_complement_sum, tcp_checksum

LINK_HEADER_BYTES = {0: 4, 1: 14, 101: 0, 12: 0, 113: 16, 228: 0, 229: 0, 276: 20}
MAX_JOINED_BYTES = 60000


@dataclass
class Segment:
  """A TCP segment taken out of a frame, with what is needed to put it back."""

  record: Record
  link_header: bytes
  ip_header: bytes
  tcp_header: bytes
  payload: bytes

  @property
  def ends(self):
    at = 8 if self.ip_header[0] >> 4 == 6 else 12
    addresses = self.ip_header[at:]
    half = len(addresses) // 2 if self.ip_header[0] >> 4 == 6 else 4
    return addresses[:half] + self.tcp_header[:2], addresses[half : 2 * half] + self.tcp_header[2:4]

  @property
  def seq(self):
    return struct.unpack_from('!I', self.tcp_header, 4)[0]

  @property
  def flags(self):
    return self.tcp_header[13]


def link_header_bytes(link_type, frame):
  length = LINK_HEADER_BYTES.get(link_type)
  if link_type == 1:
    while frame[length - 2 : length] in (b'\x81\x00', b'\x88\xa8'):
      length += 4
  return length


def take_apart(record, link_type):
  """The frame's whole, unfragmented TCP segment; None for anything else."""
  frame = record.frame
  length = link_header_bytes(link_type, frame)
  if length is None or len(frame) != record.wire_bytes or len(frame) < length + 40:
    return None
  ip = frame[length:]
  if ip[0] >> 4 == 6:
    header, total, protocol = 40, 40 + struct.unpack_from('!H', ip, 4)[0], ip[6]
  elif ip[0] >> 4 == 4:
    header, total, protocol = (ip[0] & 15) * 4, struct.unpack_from('!H', ip, 2)[0], ip[9]
    if struct.unpack_from('!H', ip, 6)[0] & 0x3FFF:
      return None
  else:
    return None
  if protocol != 6 or total > len(ip) or total < header + 20:
    return None
  offset = (ip[header + 12] >> 4) * 4
  if offset < 20 or header + offset > total:
    return None
  return Segment(record, frame[:length], ip[:header], ip[header : header + offset], ip[header + offset : total])


def put_together(segment, payload, *, seq, flags, time_ns):
  """A frame like the segment's, with another payload."""
  tcp = bytearray(segment.tcp_header)
  struct.pack_into('!I', tcp, 4, seq & 0xFFFFFFFF)
  tcp[13] = flags
  struct.pack_into('!H', tcp, 16, 0)
  body = bytes(tcp) + payload
  ip = bytearray(segment.ip_header)
  if ip[0] >> 4 == 6:
    struct.pack_into('!H', ip, 4, len(body))
    source, destination = bytes(ip[8:24]), bytes(ip[24:40])
  else:
    struct.pack_into('!HH', ip, 2, len(ip) + len(body), struct.unpack_from('!H', ip, 4)[0])
    struct.pack_into('!H', ip, 10, 0)
    struct.pack_into('!H', ip, 10, ~ones_complement_sum(bytes(ip)) & 0xFFFF)
    source, destination = bytes(ip[12:16]), bytes(ip[16:20])
  checksum = tcp_checksum(source, destination, body)
  body = body[:16] + struct.pack('!H', checksum) + body[18:]
  frame = segment.link_header + bytes(ip) + body
  return Record(time_ns, frame, len(frame), segment.record.interface)


def cut(segment, sizes):
  """The segment as several, of these sizes; FIN and PSH stay with the last."""
  out, at = [], 0
  for number, size in enumerate(sizes):
    last = number == len(sizes) - 1
    flags = segment.flags if last else segment.flags & ~(FIN | PSH)
    part = segment.payload[at : at + size]
    time_ns = segment.record.time_ns + number
    out.append(put_together(segment, part, seq=segment.seq + at, flags=flags, time_ns=time_ns))
    at += size
  return out


def sizes_of(total, pieces_of, chance):
  """Random sizes that add up to `total`, each within 1..pieces_of."""
  sizes = []
  while total > 0:
    size = min(total, chance.randint(1, pieces_of))
    sizes.append(size)
    total -= size
  return sizes


def split_segments(capture, *, largest, until_bytes=None, seed=1):
  """Cuts each segment into random pieces of at most `largest` bytes (only a direction's first `until_bytes`)."""
  chance = random.Random(seed)
  used, out = {}, []
  for record in capture.records:
    segment = take_apart(record, capture.interfaces[record.interface])
    if segment is None or not segment.payload or segment.flags & (SYN | RST):
      out.append(record)
      continue
    before = used.get(segment.ends, 0)
    used[segment.ends] = before + len(segment.payload)
    if until_bytes is not None and before >= until_bytes or len(segment.payload) < 2:
      out.append(record)
    else:
      out += cut(segment, sizes_of(len(segment.payload), largest, chance))
  return replace(capture, records=out)


def join_segments(capture):
  """Merges segments that follow each other in a conversation without a word of the other side between them."""
  out, waiting = [], {}

  def conversation_of(segment):
    return frozenset(segment.ends)

  def flush(key):
    group = waiting.pop(key, None)
    if group is None:
      return
    index, first, last, payload = group
    if first is last:
      return
    merged = replace(last, record=first.record)
    out[index] = put_together(merged, payload, seq=first.seq, flags=last.flags, time_ns=first.record.time_ns)

  for record in capture.records:
    segment = take_apart(record, capture.interfaces[record.interface])
    if segment is None:
      out.append(record)
      continue
    key = conversation_of(segment)
    group = waiting.get(key)
    plain = not segment.flags & (SYN | RST) and len(segment.payload) > 1
    if group and plain and fits(group, segment):
      waiting[key] = (group[0], group[1], segment, group[3] + segment.payload)
      if segment.flags & FIN:
        flush(key)
      continue
    flush(key)
    out.append(record)
    if plain and not segment.flags & FIN:
      waiting[key] = (len(out) - 1, segment, segment, segment.payload)
  for key in list(waiting):
    flush(key)
  return replace(capture, records=out)


def fits(group, segment):
  _, first, last, payload = group
  follows = (first.seq + len(payload)) & 0xFFFFFFFF == segment.seq
  return follows and first.ends == segment.ends and len(payload) + len(segment.payload) <= MAX_JOINED_BYTES


def truncate(capture, snaplen):
  records = [replace(r, frame=r.frame[:snaplen]) for r in capture.records]
  return replace(capture, records=records)


def duplicate(capture, after_ns=1000):
  """Each frame twice; never later than the frame that follows it."""
  out = []
  for number, record in enumerate(capture.records):
    limit = capture.records[number + 1].time_ns if number + 1 < len(capture.records) else record.time_ns + after_ns
    out += [record, replace(record, time_ns=max(record.time_ns, min(record.time_ns + after_ns, limit)))]
  return replace(capture, records=out)


def repeat(capture, times, after_ns=3600 * 10**9):
  """All of it again and again, each time an hour later."""
  return replace(capture, records=[replace(record, time_ns=record.time_ns + number * after_ns)
                                   for number in range(times) for record in capture.records])


def fragment_ip(record, link_type):
  """The IPv4 packet as two fragments; alone where it is none, or too short."""
  length = link_header_bytes(link_type, record.frame)
  if length is None or len(record.frame) != record.wire_bytes or record.frame[length] >> 4 != 4:
    return [record]
  link, ip = record.frame[:length], record.frame[length:]
  header, total, flags = (ip[0] & 15) * 4, struct.unpack_from('!H', ip, 2)[0], struct.unpack_from('!H', ip, 6)[0]
  first = (total - header) // 2 & ~7
  if first < 8 or flags & 0x3FFF or total > len(ip):
    return [record]
  out = []
  for at, end, more in ((header, header + first, 0x2000), (header + first, total, 0)):
    part = bytearray(ip[:header])
    struct.pack_into('!H', part, 2, header + end - at)
    struct.pack_into('!HH', part, 4, record.time_ns // 1000 & 0xFFFF, more | (at - header) // 8)
    struct.pack_into('!H', part, 10, 0)
    struct.pack_into('!H', part, 10, ~ones_complement_sum(bytes(part)) & 0xFFFF)
    out.append(link + bytes(part) + ip[at:end])
  return [replace(record, frame=frame, wire_bytes=len(frame)) for frame in out]


def fragment(capture):
  return replace(capture, records=[part for record in capture.records
                                   for part in fragment_ip(record, capture.interfaces[record.interface])])


def thin(capture, share, seed=1):
  """Each frame left out with that probability, as by a capture that cannot keep up."""
  chance = random.Random(seed)
  return replace(capture, records=[r for r in capture.records if chance.random() >= share])


def shuffle(capture, within_ns, seed=1):
  """Each frame recorded up to within_ns later, as by a card with several queues: neighbours may change places."""
  chance = random.Random(seed)
  late = [replace(r, time_ns=r.time_ns + chance.randrange(within_ns)) for r in capture.records]
  return replace(capture, records=sorted(late, key=lambda r: r.time_ns))


def unsorted(capture, within_ns, seed=1):
  """Each frame stands in the file as if it was recorded up to within_ns later, with its own time: nobody has sorted several buffers."""
  chance = random.Random(seed)
  late = [(r.time_ns + chance.randrange(within_ns), r) for r in capture.records]
  return replace(capture, records=[r for _, r in sorted(late, key=lambda pair: pair[0])])


def without_first_fins(capture):
  """The first FIN of each connection was not captured."""
  out, closed = [], set()
  for record in capture.records:
    segment = take_apart(record, capture.interfaces[record.interface])
    if segment is not None and segment.flags & FIN and not segment.payload:
      connection = frozenset(segment.ends)
      if connection not in closed:
        closed.add(connection)
        continue
    out.append(record)
  return replace(capture, records=out)


def parts(capture, count):
  """The capture as `count` captures, one after the other in time."""
  records = sorted(capture.records, key=lambda r: r.time_ns)
  size = -(-len(records) // count)
  return [replace(capture, records=records[i : i + size]) for i in range(0, len(records), size)]


def follow_each_other(captures):
  """Whether each begins after the one before has ended; two that overlap in time are two points of capture."""
  spans = [[record.time_ns for record in capture.records] for capture in captures]
  return all(max(before) <= min(after) for before, after in zip(spans, spans[1:]))


def write_capture(path, capture: Capture, of_section=(), of_interface=()):
  """pcapng with one interface for each of the capture's, in nanoseconds, and further options: (code, text)."""
  named = [b''.join(option(code, text.encode()) for code, text in options) for options in (of_section, of_interface)]
  out = [block(0x0A0D0D0A, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1) + (named[0] and named[0] + option(0, b'')))]
  for link_type in capture.interfaces:
    out.append(block(1, struct.pack('<HHI', link_type, 0, 0) + named[1] + option(9, b'\x09') + option(0, b'')))
  for record in capture.records:
    head = struct.pack(
      '<IIIII', record.interface, record.time_ns >> 32, record.time_ns & 0xFFFFFFFF, len(record.frame),
      record.wire_bytes,
    )
    out.append(block(6, head + padded(record.frame)))
  pathlib.Path(path).write_bytes(b''.join(out))


def has_acknowledgements(capture):
  """Whether the capture holds any TCP segment that this module can take apart."""
  for record in capture.records:
    segment = take_apart(record, capture.interfaces[record.interface])
    if segment is not None and segment.flags & ACK:
      return True
  return False
