"""Bytes of TDS messages as MS-TDS lays them out, and of the MARS session layer (MC-SMP)."""

import hashlib
import struct

from scene_tls import der, filler

PACKET_BATCH, PACKET_RPC, PACKET_RESPONSE, PACKET_ATTENTION, PACKET_BULK, PACKET_FEDAUTH = 1, 3, 4, 6, 7, 8
PACKET_LOGIN7, PACKET_SSPI, PACKET_PRELOGIN = 0x10, 0x11, 0x12
DEFAULT_PACKET_BYTES = 4096
TDS_74 = 0x74000004
EXTENSION = 5  # its place among the texts of LOGIN7; its length counts bytes
DONE_MORE, DONE_ERROR, DONE_COUNT, DONE_ATTENTION = 0x01, 0x02, 0x10, 0x20
ENCRYPTION = {'off': 0, 'on': 1, 'notsup': 2, 'req': 3, 'strict': 8}
SMP_SYN, SMP_ACK, SMP_FIN, SMP_DATA = 1, 2, 4, 8
COLLATION = bytes.fromhex('0904d00034')


def utf16(text):
  return text.encode('utf-16-le')


def b_varchar(text):
  return struct.pack('<B', len(utf16(text)) // 2) + utf16(text)


def us_varchar(text):
  return struct.pack('<H', len(utf16(text)) // 2) + utf16(text)


def message(packet_type, body, *, spid=0, packet_bytes=DEFAULT_PACKET_BYTES):
  """A message cut into packets; PacketID counts from 1, the last packet has the end-of-message bit."""
  out = b''
  room = packet_bytes - 8
  number = 1
  while True:
    part, body = body[:room], body[room:]
    status = 0 if body else 1
    out += struct.pack('!BBHHBB', packet_type, status, 8 + len(part), spid, number & 0xFF, 0) + part
    number += 1
    if not body:
      return out


def guid(label):
  return hashlib.md5(label.encode()).digest()


def prelogin(*, encrypt, from_client, label, mars=False, trace_id=True, fed_auth=False, instance=''):
  """PRELOGIN (2.2.6.5): option list, then the options' data."""
  if from_client:
    options = [(0, struct.pack('!IH', 0x06000000, 0)), (1, bytes([ENCRYPTION[encrypt]]))]
    options += [(2, instance.encode() + b'\0'), (3, struct.pack('<I', 4242)), (4, bytes([mars]))]
    if trace_id:
      options += [(5, guid(label + '/connection') + guid(label + '/activity') + struct.pack('<I', 1))]
    if fed_auth:
      options += [(6, b'\x01')]
  else:
    options = [(0, struct.pack('!BBHH', 16, 0, 4135, 0)), (1, bytes([ENCRYPTION[encrypt]]))]
    options += [(2, b'\0'), (3, b''), (4, bytes([mars])), (5, b'')]
  offset = len(options) * 5 + 1
  head, data = b'', b''
  for number, value in options:
    head += struct.pack('!BHH', number, offset + len(data), len(value))
    data += value
  packet_type = PACKET_PRELOGIN if from_client else PACKET_RESPONSE
  return message(packet_type, head + b'\xff' + data)


def scrambled(password):
  """2.2.6.4: each byte's halves swapped, then XOR 0xA5."""
  return bytes((((b << 4) | (b >> 4)) & 0xFF) ^ 0xA5 for b in utf16(password))


def fed_auth_feature():
  """The feature FEDAUTH (2.2.6.4) of a client that fetches its token when the server says where: MSAL, with a user's password."""
  return struct.pack('<BIBB', 2, 2, 2 << 1 | 1, 1) + b'\xff'


def login7(*, host='', user='', password='', app='', server='', library='', language='', database='', sspi=b'', features=b''):
  """LOGIN7 (2.2.6.4): fixed part, offsets and lengths, then the data."""
  options2 = 0x83 if sspi else 0x03
  fixed = struct.pack('<IIIIIBBBBiI', TDS_74, 4096, 0x06000000, 4242, 0, 0xE0, options2, 0, 0x10 if features else 0, 0, 0x0409)
  texts = [utf16(host), utf16(user), scrambled(password), utf16(app), utf16(server), b'', utf16(library),
       utf16(language), utf16(database)]
  at = 94
  if features:
    texts[EXTENSION] = struct.pack('<I', at + sum(map(len, texts)) + 4 + len(sspi))
  offsets, data = b'', b''
  for number, text in enumerate(texts):
    offsets += struct.pack('<HH', at + len(data), len(text) if number == EXTENSION else len(text) // 2)
    data += text
  offsets += bytes.fromhex('02005e100001')
  offsets += struct.pack('<HH', at + len(data), len(sspi))
  data += sspi
  end = at + len(data)
  offsets += struct.pack('<HHHHI', end, 0, end, 0, 0)
  body = fixed + offsets + data + features
  return message(PACKET_LOGIN7, struct.pack('<I', 4 + len(body)) + body)


def ntlm_negotiate():
  return b'NTLMSSP\0' + struct.pack('<IIHHIHHI', 1, 0xE2088297, 0, 0, 40, 0, 0, 40) + bytes.fromhex('0a0063450000000f')


def ntlm_challenge(label, domain='CORP'):
  target = utf16(domain)
  pairs = struct.pack('<HH', 2, len(target)) + target + struct.pack('<HH', 1, len(target)) + target + b'\0\0\0\0'
  head = b'NTLMSSP\0' + struct.pack('<IHHII', 2, len(target), len(target), 56, 0xE2898215)
  head += filler(label + '/challenge', 8) + b'\0' * 8
  head += struct.pack('<HHI', len(pairs), len(pairs), 56 + len(target)) + bytes.fromhex('0a0063450000000f')
  return head + target + pairs


def ntlm_authenticate(label, domain='CORP', user='svc_orders', host='WEB01'):
  fields = [filler(label + '/lm', 24), filler(label + '/nt', 120), utf16(domain), utf16(user), utf16(host), b'']
  at = 88
  head, data = b'', b''
  for value in fields:
    head += struct.pack('<HHI', len(value), len(value), at + len(data))
    data += value
  head = b'NTLMSSP\0' + struct.pack('<I', 3) + head + struct.pack('<I', 0xE2888215)
  head += bytes.fromhex('0a0063450000000f') + filler(label + '/mic', 16)
  return message(PACKET_SSPI, head + data)


def kerberos_token(label, ticket_bytes=1800):
  """A SPNEGO initial token (RFC 4178) whose mechanism token holds filler in the place of the AP-REQ."""
  mechanism = der(0x30, der(0x06, bytes.fromhex('2a864886f712010202')))
  ap_req = der(0x60, der(0x06, bytes.fromhex('2a864886f712010202')), b'\x01\x00', filler(label, ticket_bytes))
  inner = der(0x30, der(0xA0, mechanism), der(0xA2, der(0x04, ap_req)))
  return der(0x60, der(0x06, bytes.fromhex('2b0601050502')), der(0xA0, inner))


def fed_auth_info(url, spn):
  """FEDAUTHINFO (2.2.7.12): its offsets count from the number of the options on."""
  at = 4 + 2 * 9
  head, data = struct.pack('<I', 2), b''
  for number, text in ((1, url), (2, spn)):
    head += struct.pack('<BII', number, len(utf16(text)), at + len(data))
    data += utf16(text)
  return struct.pack('<BI', 0xEE, len(head + data)) + head + data


def fed_auth_token(token):
  """2.2.6.3: what the client was given for its token's address."""
  return message(PACKET_FEDAUTH, struct.pack('<II', 4 + len(token), len(token)) + token)


def sspi_token(data):
  return struct.pack('<BH', 0xED, len(data)) + data


def env_change(kind, new, old):
  if kind == 7:
    body = struct.pack('<BB', kind, len(new)) + new + struct.pack('<B', len(old)) + old
  else:
    body = struct.pack('<B', kind) + b_varchar(new) + b_varchar(old)
  return struct.pack('<BH', 0xE3, len(body)) + body


def server_message(token, number, state, severity, text, server_name, procedure='', line=1):
  """INFO (0xAB) and ERROR (0xAA) have one layout (2.2.7.10, 2.2.7.13)."""
  body = struct.pack('<iBB', number, state, severity) + us_varchar(text) + b_varchar(server_name)
  body += b_varchar(procedure) + struct.pack('<I', line)
  return struct.pack('<BH', token, len(body)) + body


def error_token(number, state, severity, text, server_name='SQL01'):
  return server_message(0xAA, number, state, severity, text, server_name)


def done(status=0, command=0, rows=0, token=0xFD):
  return struct.pack('<BHHQ', token, status, command, rows)


def login_ack_token():
  body = struct.pack('!BI', 1, TDS_74) + b_varchar('Microsoft SQL Server') + struct.pack('!BBH', 16, 0, 4135)
  return struct.pack('<BH', 0xAD, len(body)) + body


def routing(server, port):
  """ENVCHANGE of type 20 (2.2.7.9): the client is to go on with another server."""
  value = struct.pack('<BH', 0, port) + us_varchar(server)
  body = struct.pack('<BH', 20, len(value)) + value + struct.pack('<H', 0)
  return struct.pack('<BH', 0xE3, len(body)) + body


def login_ack_body(database='master', server_name='SQL01', info=True, route=None):
  text = f"Changed database context to '{database}'."
  if not info:
    return login_ack_token() + done()
  if route:
    return login_ack_token() + routing(*route) + done()
  return (
    env_change(1, database, 'master')
    + server_message(0xAB, 5701, 2, 0, text, server_name)
    + env_change(7, COLLATION, b'')
    + env_change(2, 'us_english', '')
    + server_message(0xAB, 5703, 1, 0, 'Changed language setting to us_english.', server_name)
    + login_ack_token()
    + env_change(4, '4096', '4096')
    + done()
  )


def login_refused_body(number, state, severity, text, server_name='SQL01', more=()):
  """more: numbers of errors that follow the first."""
  others = b''.join(error_token(other, 1, 16, f'Error {other}.', server_name) for other in more)
  return error_token(number, state, severity, text, server_name) + others + done(DONE_ERROR)


def failed_result_body(size, number, label='rows'):
  """Rows, and then an error in their place."""
  rows = result_body(size, label)[:-13]
  return rows + error_token(number, 1, 16, f'Error {number}.') + done(DONE_ERROR, 0xC1)


def all_headers():
  """ALL_HEADERS with the transaction descriptor (2.2.5.3)."""
  return struct.pack('<IIHQI', 22, 18, 2, 0, 1)


def batch(text, **options):
  return message(PACKET_BATCH, all_headers() + utf16(text), **options)


def rpc(statement, procedure=None, **options):
  """A call by name, or sp_executesql (10) with the statement as its parameter."""
  body = all_headers()
  if procedure:
    body += us_varchar(procedure) + struct.pack('<H', 0)
  else:
    body += struct.pack('<HHH', 0xFFFF, 10, 0)
    text = utf16(statement)
    body += struct.pack('<BBBH', 0, 0, 0xE7, 8000) + COLLATION + struct.pack('<H', len(text)) + text
  return message(PACKET_RPC, body, **options)


def result_body(size, label='rows', more=b''):
  """COLMETADATA (id int, name nvarchar), rows until about `size` bytes are reached, DONE with the count."""
  column_id = struct.pack('<IHBB', 0, 9, 0x26, 4) + b_varchar('id')
  column_name = struct.pack('<IHBH', 0, 9, 0xE7, 200) + COLLATION + b_varchar('name')
  parts = [struct.pack('<BH', 0x81, 2) + column_id + column_name]
  used, rows = len(parts[0]), 0
  while rows == 0 or used < size - 13:
    name = utf16(f'{label} {rows:06d} of the orders table')
    row = struct.pack('<BBiH', 0xD1, 4, rows, len(name)) + name
    parts.append(row)
    used += len(row)
    rows += 1
  return b''.join(parts) + more + done(DONE_COUNT, 0xC1, rows)


def rpc_result_body(size, label='rows'):
  body = result_body(size, label)[:-13]
  return body + done(DONE_COUNT | DONE_MORE, 0xC1, 1, 0xFF) + struct.pack('<Bi', 0x79, 0) + done(0, 0xE0, 0, 0xFE)


def response(body, **options):
  return message(PACKET_RESPONSE, body, **options)


def attention():
  return message(PACKET_ATTENTION, b'')


def attention_answer(**options):
  return response(done(DONE_ATTENTION), **options)


def smp(flags, session, sequence, window, data=b''):
  """A MARS session packet: 16 bytes of header, then data for SMP_DATA."""
  return struct.pack('<BBHIII', 0x53, flags, session, 16 + len(data), sequence, window) + data
