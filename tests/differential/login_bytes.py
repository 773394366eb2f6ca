"""Reads what a login says straight from a capture's bytes, by the specifications and without a word from tdscope.

MS-TDS 2.2.3 (packets), 2.2.6.4 (LOGIN7), 2.2.6.5 (PRELOGIN), 2.2.7 (tokens); RFC 5246, 7.4.1 and RFC 8446, 4.1 (hellos);
MS-NLMP 2.2.1.3. What the capture cut off, or missed, is not known: such a fact is absent.
"""
import collections
import struct

BEGINNING = 1 << 15  # of a direction: the login is in there
SYN, ACK = 2, 16
HEADER, RECORD_HEADER = 8, 5
PRELOGIN, LOGIN7, SSPI, RESPONSE, BATCH = 0x12, 0x10, 0x11, 0x04, 0x01
OPTION_VERSION, OPTION_ENCRYPTION, OPTION_MARS, OPTION_TRACE_ID, OPTION_END = 0, 1, 4, 5, 0xFF
ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NOT_SUPPORTED, ENCRYPT_REQUIRED = range(4)
TOKEN_ERROR, TOKEN_LOGINACK, TOKEN_ENVCHANGE, TOKEN_SSPI = 0xAA, 0xAD, 0xE3, 0xED
TOKENS_WITH_LENGTH = {TOKEN_ERROR, 0xAB, TOKEN_LOGINACK, TOKEN_ENVCHANGE, TOKEN_SSPI}
TLS_VERSIONS = {0x0300: 'SSL 3.0', 0x0301: 'TLS 1.0', 0x0302: 'TLS 1.1', 0x0303: 'TLS 1.2', 0x0304: 'TLS 1.3'}
TDS_VERSIONS = {0x70: '7.0', 0x71: '7.1', 0x72: '7.2', 0x73: '7.3', 0x74: '7.4'}
CLIENT_HELLO, SERVER_HELLO = 1, 2
EXTENSION_SERVER_NAME, EXTENSION_ALPN, EXTENSION_VERSIONS = 0, 16, 43
LOGIN_NAMES = ('client_host', 'user', None, 'application', 'server_name', None, 'library', None, 'database')
LOGIN_FIXED = 36
INTEGRATED = 0x80

Segment = collections.namedtuple('Segment', 'ends seq ack flags payload wire_bytes')


class Unknown(Exception):
  """The bytes are not in the capture."""


class Bytes:
  """Bytes of which some may be missing."""

  def __init__(self, data=b'', known=b''):
    self.data, self.known = bytearray(data), bytearray(known)

  def add(self, at, payload):
    if at < 0 or at >= BEGINNING:
      return
    payload = payload[:BEGINNING - at]
    missing = at + len(payload) - len(self.data)
    if missing > 0:
      self.data += bytes(missing)
      self.known += bytes(missing)
    for place, value in enumerate(payload, at):
      if not self.known[place]:
        self.data[place], self.known[place] = value, 1

  def part(self, at, size):
    if size < 0 or at < 0 or at + size > len(self.data) or not all(self.known[at:at + size]):
      raise Unknown
    return bytes(self.data[at:at + size])

  def number(self, at, size, order='big'):
    return int.from_bytes(self.part(at, size), order)

  def cut(self, at, size):
    return Bytes(self.data[at:at + size], self.known[at:at + size])

  def __add__(self, other):
    return Bytes(self.data + other.data, self.known + other.known)

  def has(self, at, size=1):
    return at + size <= len(self.data) and all(self.known[at:at + size])


def segment_of(frame, wire_bytes):
  """The TCP segment in an Ethernet frame; None for anything else."""
  at = 14
  while frame[at - 2:at] in (b'\x81\x00', b'\x88\xa8'):
    at += 4
  if frame[at - 2:at] == b'\x08\x00':
    if frame[at + 9] != 6 or struct.unpack_from('!H', frame, at + 6)[0] & 0x1FFF:
      return None
    header, total, size = (frame[at] & 15) * 4, struct.unpack_from('!H', frame, at + 2)[0], 4
    addresses = frame[at + 12:at + 20]
  elif frame[at - 2:at] == b'\x86\xdd' and frame[at + 6] == 6:
    header, total, size = 40, 40 + struct.unpack_from('!H', frame, at + 4)[0], 16
    addresses = frame[at + 8:at + 40]
  else:
    return None
  tcp = at + header
  if len(frame) < tcp + 20:
    return None
  end = at + total if total > header else wire_bytes  # offload: no length in the packet
  sport, dport, seq, ack, offset, flags = struct.unpack_from('!HHIIBB', frame, tcp)
  begin = tcp + (offset >> 4) * 4
  ends = (addresses[:size], sport), (addresses[size:], dport)
  return Segment(ends, seq, ack, flags, frame[begin:end], max(0, end - begin))


class Connection:
  """One TCP connection that the capture has the begin of."""

  def __init__(self, client, server):
    self.client, self.server = client, server
    self.first = {}  # of each end: the sequence number of its first byte
    self.bytes = {client: Bytes(), server: Bytes()}
    self.sent = {client: False, server: False}

  def take(self, segment):
    sender, receiver = segment.ends
    if segment.flags & SYN:
      self.first.setdefault(sender, (segment.seq + 1) & 0xFFFFFFFF)
    if segment.flags & ACK:
      self.first.setdefault(receiver, segment.ack)
    self.sent[sender] = True
    if segment.payload and sender in self.first:
      at = (segment.seq - self.first[sender] + (1 << 31)) % (1 << 32) - (1 << 31)
      self.bytes[sender].add(at, segment.payload)

  @property
  def both_ways(self):
    return all(self.sent.values())


def connections_of(records):
  """[Connection] by their first packets. A SYN with another number is another connection's."""
  found, latest = [], {}
  for record in records:
    segment = segment_of(record.frame, record.wire_bytes)
    if segment is None:
      continue
    key = frozenset(segment.ends)
    connection = latest.get(key)
    if segment.flags & SYN:
      client, server = segment.ends if not segment.flags & ACK else segment.ends[::-1]
      first = connection and connection.first.get(segment.ends[0])
      if not connection or first not in (None, (segment.seq + 1) & 0xFFFFFFFF):
        connection = latest[key] = Connection(client, server)
        found.append(connection)
    if connection:
      connection.take(segment)
  return found


def packets_of(stream):
  """(type, status, body) of each TDS packet of one direction, past TLS records, as far as they can be followed."""
  at = 0
  while stream.has(at, HEADER):
    if is_tls(stream, at):
      at += RECORD_HEADER + stream.number(at + 3, 2)
      continue
    length = stream.number(at + 2, 2)
    if length < HEADER:
      return
    yield stream.number(at, 1), stream.number(at + 1, 1), stream.cut(at + HEADER, length - HEADER)
    at += length


def is_tls(stream, at):
  return stream.has(at, 2) and 0x14 <= stream.data[at] <= 0x17 and stream.data[at + 1] == 3


def messages_of(stream):
  """(type, body) of each TDS message; one that does not end is left out, but for what TLS there is in it."""
  body = Bytes()
  for kind, status, part in packets_of(stream):
    body += part
    if status & 1:
      yield kind, body
      body = Bytes()
  if is_tls(body, 0):
    yield PRELOGIN, body


def options_of(body):
  """{option: its Bytes} of a PRELOGIN"""
  options, at = {}, 0
  while body.number(at, 1) != OPTION_END:
    options[body.number(at, 1)] = body.cut(body.number(at + 1, 2), body.number(at + 3, 2))
    at += 5
  return options


def handshake_messages(stream):
  """(type, body) of the first messages of a TLS handshake, over records."""
  content, at = Bytes(), 0
  while stream.has(at, 5) and stream.data[at] == 0x16:
    size = stream.number(at + 3, 2)
    content += stream.cut(at + 5, size)
    at += 5 + size
  at = 0
  while content.has(at, 4):
    size = content.number(at + 1, 3)
    yield content.number(at, 1), content.cut(at + 4, size)
    at += 4 + size


def extensions_of(hello, at):
  """{extension: its Bytes}, as far as they are known"""
  found, at = {}, at + 2
  while hello.has(at, 4):
    size = hello.number(at + 2, 2)
    found[hello.number(at, 2)] = hello.cut(at + 4, size)
    at += 4 + size
  return found


class Login:
  """The facts of one connection's login: {name: value}; what is not there is not known."""

  def __init__(self, connection, suites):
    self.facts, self.suites = {}, suites
    self.encryptions = {}
    client, server = connection.bytes[connection.client], connection.bytes[connection.server]
    self.strict = is_tls(client, 0) or is_tls(server, 0)
    self.from_client = [] if self.strict else list(messages_of(client))
    self.from_server = [] if self.strict else list(messages_of(server))
    for what in (lambda: self.take_prelogin(self.from_client, 'client'),
                 lambda: self.take_prelogin(self.from_server, 'server'),
                 lambda: self.take_client_hello(self.tls_of(client, self.from_client)),
                 lambda: self.take_server_hello(self.tls_of(server, self.from_server)),
                 self.take_encryption, self.take_login, self.take_ntlm, self.take_answer):
      try:
        what()
      except Unknown:
        pass

  def tls_of(self, stream, messages):
    if self.strict:
      return stream
    wrapped = Bytes()
    for kind, body in messages:
      if kind in (PRELOGIN, RESPONSE) and is_tls(body, 0):
        wrapped += body
    return wrapped

  def take_prelogin(self, messages, side):
    kinds = (PRELOGIN,) if side == 'client' else (RESPONSE,)
    if not messages or messages[0][0] not in kinds or is_tls(messages[0][1], 0):
      return
    options = options_of(messages[0][1])
    if OPTION_ENCRYPTION in options:
      self.encryptions[side] = options[OPTION_ENCRYPTION].number(0, 1)
    if OPTION_MARS in options:
      self.facts[f'mars by {side}'] = options[OPTION_MARS].number(0, 1) == 1
    version = options[OPTION_VERSION]
    if side == 'server':
      self.facts['server_version'] = f'{version.number(0, 1)}.{version.number(1, 1)}.{version.number(2, 2)}'
    elif OPTION_TRACE_ID in options:
      first, second, third, rest = struct.unpack('<IHH8s', options[OPTION_TRACE_ID].part(0, 16))
      self.facts['connection_id'] = f'{first:08x}-{second:04x}-{third:04x}-{rest[:2].hex()}-{rest[2:].hex()}'

  def take_client_hello(self, stream):
    for kind, hello in handshake_messages(stream):
      if kind != CLIENT_HELLO:
        return
      at = 34
      at += 1 + hello.number(at, 1)
      at += 2 + hello.number(at, 2)
      at += 1 + hello.number(at, 1)
      extensions = extensions_of(hello, at)
      if EXTENSION_SERVER_NAME in extensions:
        name = extensions[EXTENSION_SERVER_NAME]
        self.facts['tls.server_name'] = name.part(5, name.number(3, 2)).decode()
      if EXTENSION_ALPN in extensions:
        alpn = extensions[EXTENSION_ALPN]
        self.facts['tls.alpn_offered'] = [alpn.part(3, alpn.number(2, 1)).decode()]
      return

  def take_server_hello(self, stream):
    for kind, hello in handshake_messages(stream):
      if kind != SERVER_HELLO:
        return
      version, at = hello.number(0, 2), 34
      at += 1 + hello.number(at, 1)
      suite = f'0x{hello.number(at, 2):04x}'
      extensions = extensions_of(hello, at + 3)
      if EXTENSION_VERSIONS in extensions:
        version = extensions[EXTENSION_VERSIONS].number(0, 2)
      self.facts['tls_version'] = TLS_VERSIONS.get(version)
      self.facts['cipher'] = self.suites.get(suite, suite)
      return

  def take_encryption(self):
    """MS-TDS 2.2.6.5: the server's B_FENCRYPTION decides; without PRELOGIN the login is in clear."""
    if self.strict:
      self.facts['encrypted'] = 'strict'
    elif 'server' in self.encryptions:
      answers = {ENCRYPT_OFF: 'login', ENCRYPT_ON: 'full', ENCRYPT_NOT_SUPPORTED: 'no', ENCRYPT_REQUIRED: 'full'}
      self.facts['encrypted'] = answers[self.encryptions['server'] & 15]
    elif any(kind == LOGIN7 for kind, _ in self.from_client):
      self.facts['encrypted'] = 'no'
    elif any(kind == BATCH for kind, _ in self.from_client):
      self.facts['encrypted'] = 'login'  # TLS, and clear again: only the client's packets were captured

  def take_login(self):
    for body in (body for kind, body in self.from_client if kind == LOGIN7):
      self.facts['tds_version'] = TDS_VERSIONS[body.number(4, 4, 'little') >> 24]
      if not body.number(25, 1) & INTEGRATED:
        self.facts['authentication'] = 'sql'
      for number, name in enumerate(LOGIN_NAMES):
        try:
          at, letters = (body.number(LOGIN_FIXED + number * 4 + 2 * half, 2, 'little') for half in (0, 1))
          if name:
            self.take_name(name, body.part(at, 2 * letters))
        except Unknown:
          pass
      return

  def take_ntlm(self):
    for body in (body for kind, body in self.from_client if kind in (LOGIN7, SSPI)):
      at = body.data.find(b'NTLMSSP\0')
      if at < 0:
        continue
      self.facts['authentication'] = 'ntlm'
      if body.number(at + 8, 4, 'little') == 3:
        size, place = body.number(at + 36, 2, 'little'), body.number(at + 40, 4, 'little')
        self.take_name('user', body.part(at + place, size))
        size, place = body.number(at + 44, 2, 'little'), body.number(at + 48, 4, 'little')
        self.take_name('client_host', body.part(at + place, size))

  def take_name(self, name, letters):
    """An empty one is not known; the first one stands."""
    if letters:
      self.facts.setdefault(name, letters.decode('utf-16-le'))

  def take_answer(self):
    """Of the answers to the login, up to the one that decides."""
    answers = [body for kind, body in self.from_server if kind == RESPONSE and not is_tls(body, 0)]
    if self.encryptions.get('server') is not None:
      answers = answers[1:]
    for body in answers:
      at = 0
      while body.has(at, 3) and body.data[at] in TOKENS_WITH_LENGTH:
        size = body.number(at + 1, 2, 'little')
        self.take_token(body.data[at], body.cut(at + 3, size))
        at += 3 + size
      if 'stage' in self.facts:
        return

  def take_token(self, token, body):
    if token == TOKEN_LOGINACK:
      self.facts['stage'] = 'done'
      self.facts['tds_version'] = TDS_VERSIONS[body.number(1, 4) >> 24]
      at = 6 + 2 * body.number(5, 1)
      self.facts.setdefault('server_version', f'{body.number(at, 1)}.{body.number(at + 1, 1)}.{body.number(at + 2, 2)}')
    elif token == TOKEN_SSPI and body.has(0, 8) and body.part(0, 8) == b'NTLMSSP\0':
      self.facts['authentication'] = 'ntlm'
    elif token == TOKEN_ERROR and 'stage' not in self.facts:
      self.facts['stage'] = 'refused'
      self.facts['error'] = body.number(0, 4, 'little')
    elif token == TOKEN_ENVCHANGE and body.number(0, 1) == 1:
      self.facts['database'] = body.part(2, 2 * body.number(1, 1)).decode('utf-16-le')
