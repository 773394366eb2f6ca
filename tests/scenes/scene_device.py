"""A device between the two ends that changes what passes it: sequence numbers, the MSS of a SYN, payload; or forgets to."""

import struct
from dataclasses import dataclass, field, replace

OTHER = {'client': 'server', 'server': 'client'}
MSS, SACK, TIMESTAMPS = 2, 5, 8
RELAYED = {'client': 0x1234567, 'server': 0x7654321}  # how much greater the numbers of a relay's own connection are


@dataclass
class Device:
  """What it does; the packets of a scene are as the client's side of it has them, but for what it does to the server's."""

  renumbered: dict = field(default_factory=dict)  # side -> how much greater its sequence numbers are at the server
  leaves_sack: bool = False                       # it does not translate the numbers inside SACK blocks
  clamp: int = 0                                  # the most that a SYN's MSS says once it has passed; 0: as it was
  relays: bool = False                            # it ends the client's connection and opens its own to the server
  scrubbed: tuple = ()                            # vantages whose capture had all payload overwritten


def each_option(options):
  """(kind, begin, end) of each TCP option that is more than a byte."""
  at = 0
  while at < len(options) and options[at] != 0:
    if options[at] == 1:
      at += 1
      continue
    yield options[at], at, at + options[at + 1]
    at += options[at + 1]


def shifted_sack(options, by):
  out = bytearray(options)
  for kind, begin, end in each_option(options):
    for at in range(begin + 2, end, 4) if kind == SACK else ():
      out[at : at + 4] = struct.pack('!I', (struct.unpack('!I', options[at : at + 4])[0] + by) & 0xFFFFFFFF)
  return bytes(out)


def restamped(options, own, by):
  """With the time stamps of another machine in place of the client's."""
  out = bytearray(options)
  for kind, begin, _ in each_option(options):
    at = begin + (2 if own else 6)
    if kind == TIMESTAMPS and out[at : at + 4] != bytes(4):
      out[at : at + 4] = struct.pack('!I', (struct.unpack('!I', options[at : at + 4])[0] + by) & 0xFFFFFFFF)
  return bytes(out)


def clamped(options, most):
  out = bytearray(options)
  for kind, begin, _ in each_option(options):
    if kind == MSS:
      out[begin + 2 : begin + 4] = struct.pack('!H', min(most, *struct.unpack('!H', options[begin + 2 : begin + 4])))
  return bytes(out)


def as_seen(packet, vantage, device):
  """The packet as the capture at vantage has it."""
  arrived = packet.sender != vantage
  own, other = device.renumbered.get(packet.sender, 0), device.renumbered.get(OTHER[packet.sender], 0)
  seq, ack, options, payload = packet.seq, packet.ack, packet.options, packet.payload
  if device.relays and vantage == 'server':
    options = restamped(options, packet.sender == 'client', RELAYED['client'])
    packet = replace(packet, ip_id=(packet.ip_id + 0x4000) & 0xFFFF)
  if vantage == 'server':
    seq = (seq + own) & 0xFFFFFFFF
    ack = (ack + other) & 0xFFFFFFFF if packet.ack else 0
  # Who sends SACK blocks counts in the numbers of his own end; what is not translated arrives as it was.
  counted_at = packet.sender if device.leaves_sack else vantage
  if counted_at == 'server':
    options = shifted_sack(options, other)
  if device.clamp and arrived:
    options = clamped(options, device.clamp)
  if vantage in device.scrubbed or (packet.altered and arrived):
    payload = bytes(byte ^ 0x55 for byte in payload)
  return replace(packet, seq=seq, ack=ack, options=options, payload=payload, bad_checksum=packet.bad_checksum and arrived)
