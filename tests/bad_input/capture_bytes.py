"""Small captures as bytes, sound ones and what becomes of them: one TCP exchange, in pcap and pcapng.

Follows draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""
import struct

ETHERNET = 1
START_S = 1_700_000_000
FILE_HEADER_BYTES = 24
RECORD_HEADER_BYTES = 16
FIN, SYN, RST, ACK = 1, 2, 4, 16


def tcp_frame(source, destination, source_port, destination_port, seq, ack, flags, payload=b''):
  """Ethernet, IPv4, TCP; checksums of IP and TCP are left at 0, as a card that computes them would show."""
  tcp = struct.pack('!HHIIBBHHH', source_port, destination_port, seq, ack, 5 << 4, flags, 64240, 0, 0) + payload
  ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0, bytes(source), bytes(destination))
  return bytes.fromhex('020000000002020000000001') + b'\x08\x00' + ip + tcp


def exchange(client_port=50000):
  """Connect and close without a byte: seven packets."""
  client, server = (10, 0, 0, 1), (10, 0, 0, 2)

  def sent(flags, seq, ack):
    return tcp_frame(client, server, client_port, 1433, seq, ack, flags)

  def answered(flags, seq, ack):
    return tcp_frame(server, client, 1433, client_port, seq, ack, flags)

  return [sent(SYN, 1000, 0), answered(SYN | ACK, 5000, 1001), sent(ACK, 1001, 5001), sent(FIN | ACK, 1001, 5001),
          answered(ACK, 5001, 1002), answered(FIN | ACK, 5001, 1002), sent(ACK, 1002, 5002)]


def refusals(count):
  """Each SYN is answered with a reset."""
  client, server = (10, 0, 0, 1), (10, 0, 0, 2)
  frames = []
  for port in range(50000, 50000 + count):
    frames.append(tcp_frame(client, server, port, 1433, 1000, 0, SYN))
    frames.append(tcp_frame(server, client, 1433, port, 0, 1001, RST | ACK))
  return frames


def unanswered_syns():
  """One SYN, and its repetitions as time-outs double."""
  return [tcp_frame((10, 0, 0, 1), (10, 0, 0, 2), 50000, 1433, 1000, 0, SYN)] * 5


def pcap_header(link_type=ETHERNET):
  return struct.pack('<IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, 262144, link_type)


def pcap_record(frame, milliseconds, captured=None):
  return struct.pack('<IIII', START_S + milliseconds // 1000, milliseconds % 1000 * 1000,
                     len(frame) if captured is None else captured, len(frame)) + frame


def pcap(frames, link_type=ETHERNET, milliseconds=lambda number: number):
  return pcap_header(link_type) + b''.join(
    pcap_record(frame, milliseconds(number)) for number, frame in enumerate(frames))


def pcapng_block(kind, body, length=None):
  body += b'\0' * (-len(body) % 4)
  whole = len(body) + 12
  return struct.pack('<II', kind, whole if length is None else length) + body + struct.pack('<I', whole)


def pcapng_start(link_type=ETHERNET):
  section = pcapng_block(0x0A0D0D0A, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1))
  return section + pcapng_block(1, struct.pack('<HHI', link_type, 0, 262144))


def pcapng_packet(frame, milliseconds, interface=0, captured=None, length=None):
  ticks = START_S * 1_000_000 + milliseconds * 1000
  body = struct.pack('<IIIII', interface, ticks >> 32, ticks & 0xFFFFFFFF,
                     len(frame) if captured is None else captured, len(frame)) + frame
  return pcapng_block(6, body, length)


def pcapng(frames, link_type=ETHERNET):
  return pcapng_start(link_type) + b''.join(pcapng_packet(frame, number) for number, frame in enumerate(frames))
