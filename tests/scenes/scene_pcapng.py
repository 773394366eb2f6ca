"""Capture files: link layers around IP packets, pcapng written, pcap and pcapng read.

Follows draft-ietf-opsawg-pcapng and https://www.tcpdump.org/linktypes.html.
"""

import struct
from dataclasses import dataclass, field

LINK_TYPES = {'null': 0, 'ethernet': 1, 'raw': 101, 'cooked': 113, 'cooked2': 276}

CLIENT_MAC = bytes.fromhex('02005e100001')
SERVER_MAC = bytes.fromhex('02005e200001')
GATEWAY_MAC = bytes.fromhex('02005e00fffe')
ETHERNET_MINIMUM_BYTES = 60


@dataclass
class Record:
  """One frame of a capture file."""

  time_ns: int
  frame: bytes
  wire_bytes: int
  interface: int = 0


@dataclass
class Capture:
  """A capture file in memory: link type and resolution of each interface, and the frames."""

  interfaces: list = field(default_factory=list)
  records: list = field(default_factory=list)


def ether_type(ip_packet):
  return 0x86DD if ip_packet[0] >> 4 == 6 else 0x0800


def wrap_in_link_layer(ip_packet, link, *, vantage, outgoing, vlan=None):
  """The frame that a capture taken at `vantage` holds for this IP packet."""
  protocol = ether_type(ip_packet)
  if link == 'raw':
    return ip_packet
  if link == 'null':
    family = 30 if protocol == 0x86DD else 2
    return struct.pack('<I', family) + ip_packet
  own = CLIENT_MAC if vantage == 'client' else SERVER_MAC
  sender = own if outgoing else GATEWAY_MAC
  if link == 'cooked':
    return struct.pack('!HHH8sH', 4 if outgoing else 0, 1, 6, sender + b'\0\0', protocol) + ip_packet
  if link == 'cooked2':
    return struct.pack('!HHIHBB8s', protocol, 0, 2, 1, 4 if outgoing else 0, 6, sender + b'\0\0') + ip_packet
  receiver = GATEWAY_MAC if outgoing else own
  tag = b'' if vlan is None else struct.pack('!HH', 0x8100, vlan)
  frame = receiver + sender + tag + struct.pack('!H', protocol) + ip_packet
  if not outgoing:
    frame = frame.ljust(ETHERNET_MINIMUM_BYTES, b'\0')
  return frame


def padded(data):
  return data + b'\0' * (-len(data) % 4)


def block(block_type, body, order='<'):
  total = 12 + len(body)
  return struct.pack(order + 'II', block_type, total) + body + struct.pack(order + 'I', total)


def option(code, value, order='<'):
  return struct.pack(order + 'HH', code, len(value)) + padded(value)


def write_pcapng(path, link, records, *, snaplen=0, drops=0, big_endian=False, microseconds=False):
  """Writes records (nanoseconds) as one section with one interface; a snaplen of 0 is no limit. drops: what its statistics own
  up to. The interface says that it counts nanoseconds; microseconds are the default, and it says nothing
  (draft-ietf-opsawg-pcapng, 4.2)."""
  order = '>' if big_endian else '<'
  resolution = b'' if microseconds else option(9, b'\x09', order)

  def counted(time_ns):
    ticks = time_ns // 1000 if microseconds else time_ns
    return ticks >> 32, ticks & 0xFFFFFFFF

  out = [
    block(0x0A0D0D0A, struct.pack(order + 'IHHq', 0x1A2B3C4D, 1, 0, -1), order),
    block(1, struct.pack(order + 'HHI', LINK_TYPES[link], 0, snaplen) + resolution + option(0, b'', order), order),
  ]
  for record in records:
    frame = record.frame[:snaplen] if snaplen else record.frame
    head = struct.pack(order + 'IIIII', 0, *counted(record.time_ns), len(frame), record.wire_bytes)
    out.append(block(6, head + padded(frame), order))
  if drops:
    body = struct.pack(order + 'III', 0, *counted(records[-1].time_ns))
    body += option(5, struct.pack(order + 'Q', drops), order) + option(0, b'', order)
    out.append(block(5, body, order))
  with open(path, 'wb') as file:
    file.write(b''.join(out))


def link_name(number):
  for name, value in LINK_TYPES.items():
    if value == number:
      return name
  return None


def read_pcap(data):
  magic = data[:4]
  order = '<' if magic in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
  unit_ns = 1 if magic in (b'\x4d\x3c\xb2\xa1', b'\xa1\xb2\x3c\x4d') else 1000
  capture = Capture(interfaces=[struct.unpack_from(order + 'I', data, 20)[0] & 0xFFFF])
  at = 24
  while at + 16 <= len(data):
    seconds, fraction, captured, wire = struct.unpack_from(order + 'IIII', data, at)
    at += 16
    capture.records.append(Record(seconds * 10**9 + fraction * unit_ns, data[at : at + captured], wire))
    at += captured
  return capture


def interface_ticks(order, body):
  """Ticks per second that an interface description block's body states."""
  at = 8
  while at + 4 <= len(body):
    code, length = struct.unpack_from(order + 'HH', body, at)
    if code == 0:
      break
    if code == 9 and length >= 1:
      exponent = body[at + 4]
      return 2 ** (exponent & 0x7F) if exponent & 0x80 else 10**exponent
    at += 4 + length + (-length % 4)
  return 10**6


def pcapng_blocks(data):
  """Yields (offset, byte order, type, body) of each whole block."""
  order, at = '<', 0
  while at + 12 <= len(data):
    if data[at : at + 4] == b'\x0a\x0d\x0d\x0a':
      order = '<' if data[at + 8 : at + 12] == b'\x4d\x3c\x2b\x1a' else '>'
    block_type, total = struct.unpack_from(order + 'II', data, at)
    if total < 12 or at + total > len(data):
      return
    yield at, order, block_type, data[at + 8 : at + total - 4]
    at += total


def read_pcapng(data):
  capture, ticks = Capture(), []
  for _, order, block_type, body in pcapng_blocks(data):
    if block_type == 0x0A0D0D0A:
      first_of_section = len(capture.interfaces)
    elif block_type == 1:
      capture.interfaces.append(struct.unpack_from(order + 'H', body)[0])
      ticks.append(interface_ticks(order, body))
    elif block_type == 6:
      interface, high, low, captured, wire = struct.unpack_from(order + 'IIIII', body)
      interface += first_of_section
      time_ns = ((high << 32) | low) * 10**9 // ticks[interface]
      capture.records.append(Record(time_ns, body[20 : 20 + captured], wire, interface))
  return capture


def read_capture(path):
  """Reads a pcap or pcapng file; None when it is neither."""
  with open(path, 'rb') as file:
    data = file.read()
  if data[:4] == b'\x0a\x0d\x0d\x0a':
    return read_pcapng(data)
  if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1', b'\xa1\xb2\xc3\xd4', b'\xa1\xb2\x3c\x4d'):
    return read_pcap(data)
  return None


def block_borders(data):
  """File offsets at which a block or record of a capture begins."""
  if data[:4] == b'\x0a\x0d\x0d\x0a':
    return [at for at, _, _, _ in pcapng_blocks(data)]
  order = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
  borders, at = [0], 24
  while at + 16 <= len(data):
    borders.append(at)
    at += 16 + struct.unpack_from(order + 'I', data, at + 8)[0]
  return borders
