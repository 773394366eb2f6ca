"""Captures of pairs changed: cut, moved, slewed, repeated as other connections, or as a third place would have them."""

import copy
import ipaddress
import pathlib
import struct
import sys
from dataclasses import dataclass, replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'scenes'), str(HERE.parent / 'property')]

import property_packets as packets
from desk import SIDES, ends_of

MIDDLE_NS = 20_000
LONG_TIMES, LONG_EVERY_NS = 60, 60 * 10**9


def from_time(capture, time_ns):
  return replace(capture, records=[r for r in capture.records if r.time_ns >= time_ns])


def without_time(capture, from_ns, to_ns):
  return replace(capture, records=[r for r in capture.records if not from_ns <= r.time_ns <= to_ns])


def until_time(capture, time_ns):
  return replace(capture, records=[r for r in capture.records if r.time_ns <= time_ns])


@dataclass
class Head:
  """What the tests ask of a TCP packet, cut short or not."""

  source: tuple
  destination: tuple
  flags: int
  payload: bool


def head_of(record, link_type):
  """None for what is no TCP."""
  frame = record.frame
  ip = frame[packets.link_header_bytes(link_type, frame) or 0:]
  if len(ip) < 40:
    return None
  if ip[0] >> 4 == 6:
    protocol, tcp, addresses = ip[6], ip[40:], (ip[8:24], ip[24:40])
    size = 40 + struct.unpack_from('!H', ip, 4)[0]
  else:
    protocol, tcp, addresses = ip[9], ip[(ip[0] & 15) * 4:], (ip[12:16], ip[16:20])
    size = struct.unpack_from('!H', ip, 2)[0]
  if protocol != 6 or len(tcp) < 20:
    return None
  ports = struct.unpack_from('!HH', tcp)
  ends = [(str(ipaddress.ip_address(bytes(address))), port) for address, port in zip(addresses, ports)]
  headers = len(ip) - len(tcp) + (tcp[12] >> 4) * 4
  return Head(ends[0], ends[1], tcp[13], size > headers)


def one_hop_on(record, capture, hops):
  """The frame with its time to live that many routers later; its checksum does not matter, and is left."""
  frame = bytearray(record.frame)
  at = packets.link_header_bytes(capture.interfaces[record.interface], record.frame) or 0
  ttl = at + (7 if frame[at] >> 4 == 6 else 8)
  frame[ttl] = min(frame[ttl] - hops, 255)
  return bytes(frame)


def middle_of(pair, near, clock_ns):
  """What a capture on the way would have next to that end: each packet as it stands there, MIDDLE_NS on its way."""
  clients = {tuple(label[near]['client'].values()) for label in pair.truth['connections'] if near in label['seen_in']}
  capture, records = pair.captures[near], []
  for record in capture.records:
    head = head_of(record, capture.interfaces[record.interface])
    if head:
      outward = (head.source in clients) == (near == 'client')
      records.append(replace(record, frame=one_hop_on(record, capture, 1 if outward else -1),
          time_ns=record.time_ns + clock_ns + (MIDDLE_NS if outward else -MIDDLE_NS)))
  return replace(capture, records=sorted(records, key=lambda r: r.time_ns))


def other_connections(capture, number):
  """The same packets of other connections, minutes later: other ports at the client, and other sequence numbers."""
  records = []
  for record in capture.records:
    head, frame = head_of(record, capture.interfaces[record.interface]), bytearray(record.frame)
    if not head or 1433 not in (head.source[1], head.destination[1]):
      continue
    at = packets.link_header_bytes(capture.interfaces[record.interface], record.frame) or 0
    tcp = at + (40 if frame[at] >> 4 == 6 else (frame[at] & 15) * 4)
    client = tcp + (0 if head.destination[1] == 1433 else 2)
    struct.pack_into('!H', frame, client, (struct.unpack_from('!H', frame, client)[0] + 97 * number) % 60000 + 2000)
    for field in (tcp + 4, *([tcp + 8] if head.flags & 16 else [])):
      struct.pack_into('!I', frame, field, (struct.unpack_from('!I', frame, field)[0] + 1000003 * number) % 2**32)
    records.append(replace(record, frame=bytes(frame), time_ns=record.time_ns + number * LONG_EVERY_NS))
  return records


def long_pair(pair):
  """An hour of it, over and over."""
  long = copy.copy(pair)
  long.captures = {side: replace(capture, records=[record for number in range(LONG_TIMES)
      for record in other_connections(capture, number)]) for side, capture in pair.captures.items()}
  return long


@dataclass
class Slewing:
  """From the one time to the other the server's clock goes too fast or too slow."""

  begin_ns: int
  end_ns: int
  rate: float

  def shift_ns(self, time_ns):
    return int((min(max(time_ns, self.begin_ns), self.end_ns) - self.begin_ns) * self.rate)

  def apply(self, capture):
    return replace(capture, records=[replace(r, time_ns=r.time_ns + self.shift_ns(r.time_ns)) for r in capture.records])


def slewed_pair(pair, begin, end, rate):
  """begin and end: shares of the server's capture; how it is slewed by the client's clock, and the server's capture then."""
  times = [r.time_ns for r in pair.captures['server'].records]
  first, length = min(times), max(times) - min(times)
  slewing = Slewing(first + int(length * begin), first + int(length * end), rate)
  ahead_ns = int(pair.truth['clock']['server_minus_client_s'] * 1e9)
  by_client = replace(slewing, begin_ns=slewing.begin_ns - ahead_ns, end_ns=slewing.end_ns - ahead_ns)
  return by_client, slewing.apply(pair.captures['server'])


def packets_with_data(captures, label):
  """Whether both captures have data of it in both directions."""
  for side, capture in captures.items():
    ends = ends_of(label[side])
    ways = {head.source for record in capture.records
        if (head := head_of(record, capture.interfaces[record.interface])) and head.payload and
        {head.source, head.destination} == set(ends)}
    if len(ways) < 2:
      return False
  return True
