#!/usr/bin/env python3
"""Makes a large capture of ordinary TDS traffic (pcap, Ethernet, IPv4) for measuring.

Theory of operation: a template of a few dozen conversations is built once, packet by packet. It is played again and
again, one period after the other; each playing gives its conversations other client addresses, ports and sequence
numbers. A conversation may last longer than a period: its later packets are then played in the following periods, so
that there is no seam, and as many conversations live at any time. Only the headers of a packet are made anew; the
checksums are sums (RFC 1071), so what the template's bytes contribute is summed once.

  bench/generate.py bench/data/bulk.pcap
  bench/generate.py --bytes 200000000 --small-packets bench/data/small.pcap
"""
import argparse
import pathlib
import random
import struct
import sys

LANES = 48                # conversations of the template
PERIOD_NS = 4_000_000_000
START_S = 1_700_000_000
SERVER_ADDRESS = 0x0A010005
SERVER_PORT = 1433
MSS = 1460
TDS_PACKET_BYTES = 8000
CHUNK_BYTES = 1 << 22
FIN, SYN, PSH, ACK = 1, 2, 8, 16
PRELOGIN, LOGIN7, BATCH, RPC, RESPONSE = 0x12, 0x10, 0x01, 0x03, 0x04

FILE_HEADER = struct.pack('<IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
HEADERS = struct.Struct('<IIII' '6s6s2s')                # pcap record, Ethernet
IP_AND_TCP = struct.Struct('!HHHHBBHII' 'HHIIHHHH')


class Template:
  """One packet that is played again and again."""
  __slots__ = ('time_ns', 'lane', 'from_client', 'seq', 'ack', 'flags', 'window', 'identification', 'tail', 'tail_sum')

  def __init__(self, time_ns, lane, from_client, seq, ack, flags, window, identification, tail):
    self.time_ns, self.lane, self.from_client, self.seq, self.ack = time_ns, lane, from_client, seq, ack
    self.flags, self.window, self.identification, self.tail = flags, window, identification, tail
    padded = tail + b'\0' * (len(tail) % 2)
    self.tail_sum = sum(struct.unpack(f'!{len(padded) // 2}H', padded))


def tds_message(kind, body, spid):
  """Cut into TDS packets ([MS-TDS] 2.2.3)."""
  room = TDS_PACKET_BYTES - 8
  pieces = [body[start:start + room] for start in range(0, len(body), room)] or [b'']
  message = b''
  for number, piece in enumerate(pieces, 1):
    message += struct.pack('!BBHHBB', kind, number == len(pieces), len(piece) + 8, spid, number % 256, 0) + piece
  return message


def prelogin():
  """VERSION, ENCRYPTION (not supported: what follows is in clear), INSTOPT, THREADID, MARS."""
  values = [(0, bytes([16, 0, 4, 0, 0, 0])), (1, b'\x02'), (2, b'\0'), (3, b'\0\0\x12\x34'), (4, b'\0')]
  offset, table, data = 5 * len(values) + 1, b'', b''
  for token, value in values:
    table += struct.pack('!BHH', token, offset + len(data), len(value))
    data += value
  return table + b'\xff' + data


def login7(number):
  """LOGIN7 ([MS-TDS] 2.2.6.4)."""
  words = [f'CLIENT{number:02}', 'app', 'secret', 'Order Entry', 'sqlserver', '', 'ODBC', '', 'orders']
  offset, table, data = 94, b'', b''
  for index, word in enumerate(words):
    encoded = word.encode('utf-16-le')
    if index == 2:
      encoded = bytes((((byte << 4 | byte >> 4) & 255) ^ 0xA5) for byte in encoded)
    table += struct.pack('<HH', offset + len(data), len(word))
    data += encoded
  table += b'\x02\0\0\0\0' + bytes([number])                                # ClientID
  table += struct.pack('<HHHHHHI', *[offset + len(data), 0] * 3, 0)         # SSPI, AtchDBFile, ChangePassword
  fixed = struct.pack('<IIIIIBBBBiI', 0x74000004, TDS_PACKET_BYTES, 7, 4711, 0, 0xE0, 3, 0, 0, 0, 0x0409)
  return struct.pack('<I', 94 + len(data)) + fixed + table + data


def done(rows):
  return struct.pack('<BHHQ', 0xFD, 0x10, 0xC1, rows)


def login_answer():
  """ENVCHANGE (database, packet size), LOGINACK, DONE."""
  def change(kind, new, old):
    body = bytes([kind]) + b''.join(bytes([len(word)]) + word.encode('utf-16-le') for word in (new, old))
    return struct.pack('<BH', 0xE3, len(body)) + body

  program = 'Microsoft SQL Server'
  loginack = struct.pack('>BI', 1, 0x74000004) + bytes([len(program)]) + program.encode('utf-16-le') + bytes([16, 0, 16, 0])
  return (change(1, 'orders', 'master') + change(4, str(TDS_PACKET_BYTES), '4096') +
          struct.pack('<BH', 0xAD, len(loginack)) + loginack + done(0))


def all_headers():
  return struct.pack('<IIHQI', 22, 18, 2, 0, 1)


def batch(choice):
  columns = ', '.join(f'o.Column{index}' for index in range(choice.randint(1, 14)))
  sql = f'SELECT {columns} FROM dbo.Orders AS o WHERE o.CustomerId = {choice.randint(1, 99999)}'
  return all_headers() + sql.encode('utf-16-le')


def rpc(choice):
  """sp_executesql by its number, with one statement."""
  sql = f'EXEC dbo.FindOrder @p{choice.randint(1, 9)} = {choice.randint(1, 9 ** 9)}'.encode('utf-16-le')
  return (all_headers() + struct.pack('<HHH', 0xFFFF, 10, 0) + struct.pack('<BBBH', 0, 0, 0xE7, 8000) +
          b'\x09\x04\xd0\0\x34' + struct.pack('<H', len(sql)) + sql)


def rows(choice, size):
  """COLMETADATA (an int, an nvarchar), ROWs, DONE: about size bytes."""
  answer = struct.pack('<BH', 0x81, 2) + b'\0\0\0\0\x08\0\x38\x02' + 'Id'.encode('utf-16-le')
  answer += b'\0\0\0\0\x09\0\xe7\x40\x1f\x09\x04\xd0\0\x34\x04' + 'Text'.encode('utf-16-le')
  count = 0
  while True:
    words = ('order %d of customer %d ' % (choice.randint(1, 10 ** 9), choice.randint(1, 10 ** 6))) * choice.randint(1, 4)
    value = words.encode('utf-16-le')
    answer += struct.pack('<BiH', 0xD1, count, len(value)) + value
    count += 1
    if len(answer) >= size:
      return answer + done(count)


class Conversation:
  """Writes one conversation as templates; seq and ack count from the ISN."""

  def __init__(self, lane, choice):
    self.lane, self.choice = lane, choice
    self.time_ns = lane * PERIOD_NS // LANES
    self.sent = {True: 0, False: 0}
    self.unacked = {True: 0, False: 0}
    self.identification = {True: choice.randrange(60000), False: choice.randrange(60000)}
    self.packets = []

  def wait_us(self, low, high):
    self.time_ns += self.choice.randint(low, high) * 1000

  def packet(self, from_client, flags, payload=b'', options=b''):
    self.identification[from_client] = (self.identification[from_client] + 1) % 65536
    window = 1026 if from_client else 8212
    self.packets.append(Template(self.time_ns, self.lane, from_client, self.sent[from_client],
                                 self.sent[not from_client] if flags & ACK else 0, flags,
                                 64240 if flags & SYN else window, self.identification[from_client], options + payload))
    self.packets[-1].flags |= (5 + len(options) // 4) << 12
    self.sent[from_client] += len(payload) + bool(flags & (SYN | FIN))
    self.unacked[not from_client] = 0

  def message(self, from_client, data):
    """As segments; the other side acknowledges every second one, and later the last with its own data."""
    for start in range(0, len(data), MSS):
      piece = data[start:start + MSS]
      self.wait_us(1, 12)
      self.packet(from_client, ACK | (PSH if start + MSS >= len(data) else 0), piece)
      self.unacked[from_client] += 1
      if self.unacked[from_client] == 2:
        self.wait_us(1, 12)
        self.packet(not from_client, ACK)

  def exchange(self, request, kind, answer):
    self.message(True, tds_message(kind, request, 0))
    self.wait_us(200, 4000)
    self.message(False, tds_message(RESPONSE, answer, 51 + self.lane))
    if self.unacked[False]:
      self.wait_us(40, 400)
      self.packet(True, ACK)

  def open(self):
    options = bytes.fromhex('020405b40103030801010402')
    self.packet(True, SYN, options=options)
    self.wait_us(200, 900)
    self.packet(False, SYN | ACK, options=options)
    self.wait_us(20, 200)
    self.packet(True, ACK)
    self.exchange(prelogin(), PRELOGIN, prelogin())
    self.exchange(login7(self.lane), LOGIN7, login_answer())

  def close(self):
    for from_client in (True, False):
      self.wait_us(30, 900)
      self.packet(from_client, FIN | ACK)
      self.wait_us(30, 900)
      self.packet(not from_client, ACK)


def answer_size(choice, small):
  if small:
    return choice.randint(40, 300)
  return choice.choice((300, 900, 2500, 5200, 5200, 7700, 15000))


def make_template(bytes_each, small):
  """The packets of all lanes, in order of their time within a period: (packet, periods later)."""
  packets = []
  for lane in range(LANES):
    choice = random.Random(lane + 1)
    conversation = Conversation(lane, choice)
    conversation.open()
    written = 0
    counted = 0
    while written < bytes_each:
      conversation.wait_us(1000, 60000)
      if choice.random() < 0.5:
        conversation.exchange(batch(choice), BATCH, rows(choice, answer_size(choice, small)))
      else:
        conversation.exchange(rpc(choice), RPC, rows(choice, answer_size(choice, small)))
      written += sum(70 + len(packet.tail) for packet in conversation.packets[counted:])
      counted = len(conversation.packets)
    conversation.close()
    packets += conversation.packets
  placed = [(packet, packet.time_ns // PERIOD_NS) for packet in packets]
  placed.sort(key=lambda place: place[0].time_ns % PERIOD_NS)
  return placed


def identity(lane, playing):
  """Client address and port, and both ISNs, of a lane's conversation in a playing."""
  number = playing * LANES + lane
  mixed = (number * 2654435761 + 12345) & 0xFFFFFFFF
  return (0x0A020000 + 1 + lane, 49152 + (playing * 7 + lane) % 16384, mixed, (mixed * 40503 + 977) & 0xFFFFFFFF)


def fold(total):
  while total >> 16:
    total = (total & 0xFFFF) + (total >> 16)
  return ~total & 0xFFFF


def packet_bytes(packet, playing, base_ns):
  """Record, Ethernet, IP and TCP header of a packet in a playing; the packet's tail follows."""
  address, port, client_isn, server_isn = identity(packet.lane, playing)
  if packet.from_client:
    source, destination, source_port, destination_port = address, SERVER_ADDRESS, port, SERVER_PORT
    seq, ack = client_isn + packet.seq, server_isn + packet.ack
  else:
    source, destination, source_port, destination_port = SERVER_ADDRESS, address, SERVER_PORT, port
    seq, ack = server_isn + packet.seq, client_isn + packet.ack
  seq &= 0xFFFFFFFF
  ack = ack & 0xFFFFFFFF if packet.flags & ACK else 0
  tcp_bytes = 20 + len(packet.tail)
  addresses = (source >> 16) + (source & 0xFFFF) + (destination >> 16) + (destination & 0xFFFF)
  ip_sum = fold(0x4500 + 20 + tcp_bytes + packet.identification + 0x4000 + 0x8006 + addresses)
  tcp_sum = fold(addresses + 6 + tcp_bytes + source_port + destination_port + (seq >> 16) + (seq & 0xFFFF) +
                 (ack >> 16) + (ack & 0xFFFF) + packet.flags + packet.window + packet.tail_sum)
  time_us = (base_ns + packet.time_ns % PERIOD_NS) // 1000
  wire = 34 + tcp_bytes
  macs = (b'\x02\0\0\0\0\x02', b'\x02\0\0\0\0\x01')
  return (HEADERS.pack(START_S + time_us // 1_000_000, time_us % 1_000_000, wire, wire, macs[not packet.from_client],
                       macs[packet.from_client], b'\x08\0') +
          IP_AND_TCP.pack(0x4500, 20 + tcp_bytes, packet.identification, 0x4000, 0x80, 6, ip_sum, source, destination,
                          source_port, destination_port, seq, ack, packet.flags, packet.window, tcp_sum, 0))


def write(path, wanted_bytes, conversations, small):
  playings = max(1, round(conversations / LANES))
  template = make_template(wanted_bytes // (playings * LANES), small)
  last_delay = max(delay for _, delay in template)
  packets = size = 0
  unfinished = path.with_suffix('.unfinished')
  with open(unfinished, 'wb') as file:
    chunk = [FILE_HEADER]
    for period in range(playings + last_delay):
      for packet, delay in template:
        playing = period - delay
        if 0 <= playing < playings:
          chunk.append(packet_bytes(packet, playing, period * PERIOD_NS))
          chunk.append(packet.tail)
          packets += 1
      block = b''.join(chunk)
      size += file.write(block)
      chunk = []
  unfinished.replace(path)
  print(f'{path}: {size} bytes, {packets} packets of {size / packets - 16:.0f} bytes on average, '
        f'{playings * LANES} conversations', file=sys.stderr)


def main():
  options = argparse.ArgumentParser(description='Makes a large capture of ordinary TDS traffic.')
  options.add_argument('file', type=pathlib.Path)
  options.add_argument('--bytes', type=int, default=1_050_000_000, help='about this large (default: %(default)s)')
  options.add_argument('--conversations', type=int, help='how many (default: one for each 150 KB)')
  options.add_argument('--small-packets', action='store_true', help='short answers: about 220 bytes a packet')
  options = options.parse_args()
  conversations = options.conversations or max(1, options.bytes // 150_000)
  options.file.parent.mkdir(parents=True, exist_ok=True)
  write(options.file, options.bytes, conversations, options.small_packets)


if __name__ == '__main__':
  main()
