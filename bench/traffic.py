"""Conversations of TDS as packets: what the captures of the bench are made of. seq and ack count from the ISN."""
import struct

SERVER_ADDRESS = 0x0A010005
SERVER_PORT = 1433
START_S = 1_700_000_000
MSS = 1460
TDS_PACKET_BYTES = 8000
RETRANSMISSION_US = (200_000, 400_000)
FIN, SYN, PSH, ACK = 1, 2, 8, 16
PRELOGIN, LOGIN7, BATCH, RPC, RESPONSE = 0x12, 0x10, 0x01, 0x03, 0x04

FILE_HEADER = struct.pack('<IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
HEADERS = struct.Struct('<IIII' '6s6s2s')                # pcap record, Ethernet
IP_AND_TCP = struct.Struct('!HHHHBBHII' 'HHIIHHHH')
MACS = (b'\x02\0\0\0\0\x02', b'\x02\0\0\0\0\x01')


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


def execute(choice):
  """sp_execute by its number: the handle of a prepared statement and a parameter, both integers."""
  parameter = b'\0\0\x26\x04\x04'
  return (all_headers() + struct.pack('<HHH', 0xFFFF, 12, 0) + parameter + struct.pack('<I', 7) + parameter +
          struct.pack('<I', choice.randint(1, 10 ** 9)))


def return_status():
  """What a statement without rows answers: RETURNSTATUS, DONEPROC."""
  return struct.pack('<Bi', 0x79, 0) + struct.pack('<BHHQ', 0xFE, 0, 0xE0, 0)


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
  """Writes one conversation as templates, as the client's machine sees it. loss: so many of the segments are lost."""

  def __init__(self, lane, choice, begin_ns=0, loss=0):
    self.lane, self.choice, self.time_ns, self.loss = lane, choice, begin_ns, loss
    self.sent = {True: 0, False: 0}
    self.unacked = {True: 0, False: 0}
    self.identification = {True: choice.randrange(60000), False: choice.randrange(60000)}
    self.packets = []

  def wait_us(self, low, high):
    self.time_ns += self.choice.randint(low, high) * 1000

  def place(self, from_client, seq, ack, flags, payload=b'', options=b''):
    self.identification[from_client] = (self.identification[from_client] + 1) % 65536
    window = 64240 if flags & SYN else 1026 if from_client else 8212
    self.packets.append(Template(self.time_ns, self.lane, from_client, seq, ack if flags & ACK else 0,
                                 flags | (5 + len(options) // 4) << 12, window, self.identification[from_client],
                                 options + payload))

  def packet(self, from_client, flags, payload=b'', options=b''):
    self.place(from_client, self.sent[from_client], self.sent[not from_client], flags, payload, options)
    self.sent[from_client] += len(payload) + bool(flags & (SYN | FIN))
    self.unacked[not from_client] = 0

  def lose(self, from_client, flags, piece):
    """What the client sends is captured before it is lost, what the server sends is lost before it can be captured."""
    lost = (self.sent[from_client], flags, piece)
    if from_client:
      self.packet(from_client, flags, piece)
    else:
      self.sent[from_client] += len(piece)
    return lost

  def send_again(self, from_client, lost):
    """Each after a time-out of its own, acknowledged up to the next hole."""
    for number, (seq, flags, piece) in enumerate(lost, 1):
      self.wait_us(*RETRANSMISSION_US)
      self.place(from_client, seq, self.sent[not from_client], flags, piece)
      self.wait_us(1, 12)
      acked = lost[number][0] if number < len(lost) else self.sent[from_client]
      self.place(not from_client, self.sent[not from_client], acked, ACK)
    if lost:
      self.unacked[from_client] = 0

  def message(self, from_client, data):
    """As segments; the other side acknowledges every second one, and later the last with its own data."""
    lost = []
    for start in range(0, len(data), MSS):
      piece = data[start:start + MSS]
      flags = ACK | (PSH if start + MSS >= len(data) else 0)
      self.wait_us(1, 12)
      if self.loss and self.choice.random() < self.loss:
        lost.append(self.lose(from_client, flags, piece))
        continue
      self.packet(from_client, flags, piece)
      self.unacked[from_client] += 1
      if lost:
        self.wait_us(1, 12)
        self.place(not from_client, self.sent[not from_client], lost[0][0], ACK)
      elif self.unacked[from_client] == 2:
        self.wait_us(1, 12)
        self.packet(not from_client, ACK)
    self.send_again(from_client, lost)

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
