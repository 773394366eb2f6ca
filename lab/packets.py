"""Just enough of Ethernet, IP and TCP to steer and rewrite packets: parse, patch in place, checksums (RFC 791, 8200, 9293)."""

import socket
import struct

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
ETHERNET_BYTES = 14
IPV4, IPV6 = 0x0800, 0x86DD
ICMP, TCP = 1, 6


def ones_sum(data, start=0):
  """The ones' complement sum of 16-bit words, folded to 16 bits."""
  if len(data) % 2:
    data = bytes(data) + b'\0'
  total = start + sum(struct.unpack(f'!{len(data) // 2}H', data))
  while total >> 16:
    total = (total & 0xFFFF) + (total >> 16)
  return total


class Packet:
  """One IP packet in a mutable frame. `l3` is where IP begins; sizes are bytes. Only TCP has the fields below `sport`."""

  def __init__(self, frame, l3=ETHERNET_BYTES):
    self.frame, self.l3, self.is_tcp = bytearray(frame), l3, False
    self.version = self.frame[l3] >> 4 if len(frame) > l3 else 0
    if self.version == 4 and len(frame) >= l3 + 20:
      self.l4 = l3 + (self.frame[l3] & 15) * 4
      self.proto = self.frame[l3 + 9]
      self.ip_end = l3 + struct.unpack_from('!H', self.frame, l3 + 2)[0]
      self.src, self.dst = bytes(self.frame[l3 + 12:l3 + 16]), bytes(self.frame[l3 + 16:l3 + 20])
    elif self.version == 6 and len(frame) >= l3 + 40:
      self.l4 = l3 + 40
      self.proto = self.frame[l3 + 6]
      self.ip_end = self.l4 + struct.unpack_from('!H', self.frame, l3 + 4)[0]
      self.src, self.dst = bytes(self.frame[l3 + 8:l3 + 24]), bytes(self.frame[l3 + 24:l3 + 40])
    else:
      self.version = 0
      return
    if self.proto == TCP and len(frame) >= self.l4 + 20:
      self.is_tcp = True
      self.sport, self.dport, self.seq, self.ack = struct.unpack_from('!HHII', self.frame, self.l4)
      self.flags = self.frame[self.l4 + 13]
      self.l7 = self.l4 + (self.frame[self.l4 + 12] >> 4) * 4
      self.payload_bytes = max(0, self.ip_end - self.l7)

  @property
  def ends(self):
    """((address, port), (address, port)): from, to; addresses as packed bytes."""
    return (self.src, self.sport), (self.dst, self.dport)

  @property
  def next_seq(self):
    return (self.seq + self.payload_bytes + bool(self.flags & SYN) + bool(self.flags & FIN)) & 0xFFFFFFFF

  @property
  def ttl(self):
    return self.frame[self.l3 + (8 if self.version == 4 else 7)]

  def set_ttl(self, ttl):
    self.frame[self.l3 + (8 if self.version == 4 else 7)] = ttl

  def set_ends(self, source, target):
    """Rewrites addresses and ports, as a NAT does; call fix_checksums() after it."""
    at, size = (self.l3 + 12, 4) if self.version == 4 else (self.l3 + 8, 16)
    self.frame[at:at + size], self.frame[at + size:at + 2 * size] = source[0], target[0]
    struct.pack_into('!HH', self.frame, self.l4, source[1], target[1])
    (self.src, self.sport), (self.dst, self.dport) = source, target

  def set_numbers(self, seq, ack):
    struct.pack_into('!II', self.frame, self.l4 + 4, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF)
    self.seq, self.ack = seq & 0xFFFFFFFF, ack & 0xFFFFFFFF

  def options(self):
    """Yields (kind, offset in the frame, length) of each TCP option."""
    at = self.l4 + 20
    while at < min(self.l7, len(self.frame)):
      kind = self.frame[at]
      if kind == 0:
        return
      length = 1 if kind == 1 else self.frame[at + 1]
      if length < 1:
        return
      yield kind, at, length
      at += length

  def fix_checksums(self):
    """Writes the IP header's checksum, and for TCP the segment's, over what the frame holds."""
    if self.version == 4:
      self.frame[self.l3 + 10:self.l3 + 12] = b'\0\0'
      struct.pack_into('!H', self.frame, self.l3 + 10, ~ones_sum(self.frame[self.l3:self.l4]) & 0xFFFF)
    if self.is_tcp:
      self.frame[self.l4 + 16:self.l4 + 18] = b'\0\0'
      segment = self.frame[self.l4:self.ip_end]
      pseudo = ones_sum(self.src + self.dst + struct.pack('!II', len(segment), TCP))
      struct.pack_into('!H', self.frame, self.l4 + 16, ~ones_sum(segment, pseudo) & 0xFFFF)

  def fix_ip_checksum(self):
    if self.version == 4:
      self.frame[self.l3 + 10:self.l3 + 12] = b'\0\0'
      struct.pack_into('!H', self.frame, self.l3 + 10, ~ones_sum(self.frame[self.l3:self.l4]) & 0xFFFF)

  def set_ip_length(self, ip_bytes):
    """Sets the length field for an IP packet of this many bytes, headers included."""
    if self.version == 4:
      struct.pack_into('!H', self.frame, self.l3 + 2, ip_bytes)
    else:
      struct.pack_into('!H', self.frame, self.l3 + 4, ip_bytes - 40)
    self.ip_end = self.l3 + ip_bytes


def split_giant(packet, segment_bytes):
  """The segments that a network card makes of one giant frame, as new Packets with whole checksums."""
  headers, payload = packet.frame[:packet.l7], packet.frame[packet.l7:packet.ip_end]
  pieces = []
  for start in range(0, len(payload), segment_bytes):
    piece = Packet(headers + payload[start:start + segment_bytes], packet.l3)
    last = start + segment_bytes >= len(payload)
    piece.set_ip_length(len(piece.frame) - packet.l3)
    piece.payload_bytes = piece.ip_end - piece.l7
    piece.set_numbers(packet.seq + start, packet.ack)
    if not last:
      piece.frame[piece.l4 + 13] &= ~(FIN | PSH)
      piece.flags = piece.frame[piece.l4 + 13]
    if packet.version == 4:
      ip_id = struct.unpack_from('!H', packet.frame, packet.l3 + 4)[0] + start // segment_bytes
      struct.pack_into('!H', piece.frame, piece.l3 + 4, ip_id & 0xFFFF)
    piece.fix_checksums()
    pieces.append(piece)
  return pieces


def build_tcp(source, target, *, seq, ack, flags, ttl, ip_id=0, window=0, options=b'', payload=b''):
  """A Packet from (packed address, port) to (packed address, port), in an Ethernet frame without addresses."""
  segment = struct.pack('!HHIIBBHHH', source[1], target[1], seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                        (20 + len(options)) // 4 << 4, flags, window, 0, 0) + options + payload
  if len(source[0]) == 4:
    header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(segment), ip_id, 0x4000, ttl, TCP, 0, source[0], target[0])
  else:
    header = struct.pack('!IHBB16s16s', 0x60000000, len(segment), TCP, ttl, source[0], target[0])
  ethertype = IPV4 if len(source[0]) == 4 else IPV6
  packet = Packet(bytes(12) + struct.pack('!H', ethertype) + header + segment)
  packet.fix_checksums()
  return packet


def build_icmp_unreachable(packet, source, code, mtu, ttl):
  """ICMP type 3 about an IPv4 packet, to its sender (RFC 792; the MTU of code 4 in RFC 1191)."""
  quoted = bytes(packet.frame[packet.l3:packet.l4 + 8])
  message = struct.pack('!BBHHH', 3, code, 0, 0, mtu) + quoted
  message = message[:2] + struct.pack('!H', ~ones_sum(message) & 0xFFFF) + message[4:]
  header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(message), 0, 0, ttl, ICMP, 0, source, packet.src)
  report = Packet(bytes(12) + struct.pack('!H', IPV4) + header + message)
  report.fix_ip_checksum()
  return report


def packed(address):
  return socket.inet_pton(socket.AF_INET6 if ':' in address else socket.AF_INET, address)


def unpacked(address):
  return socket.inet_ntop(socket.AF_INET6 if len(address) == 16 else socket.AF_INET, address)
