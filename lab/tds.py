"""TDS messages of both ends (MS-TDS 7.4), enough to look like SQL Server and its drivers; sizes are bytes."""

import dataclasses
import struct
import uuid

BATCH, RPC, RESPONSE, ATTENTION, BULK, LOGIN, PRELOGIN = 1, 3, 4, 6, 7, 16, 18
HEADER_BYTES = 8
ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NOT_SUP, ENCRYPT_REQ = 0, 1, 2, 3
SMP_SYN, SMP_ACK, SMP_FIN, SMP_DATA = 1, 2, 4, 8


@dataclasses.dataclass
class Driver:
  """How a client program introduces itself, and what it is used to."""
  library: str
  application: str
  version: tuple = (17, 0, 0, 0)
  packet_bytes: int = 4096
  trace: bool = True          # sends the GUID of its connection in PRELOGIN
  answer_type: int = PRELOGIN  # the packet type that its server wraps TLS in: SQL Server uses both


DRIVERS = [
    Driver('Core Microsoft SqlClient Data Provider', 'OrderService', (5, 1, 0, 0), 8000),
    Driver('.Net SqlClient Data Provider', 'IIS worker', (4, 8, 0, 0), 8000, answer_type=RESPONSE),
    Driver('ODBC Driver 18 for SQL Server', 'sqlcmd', (18, 3, 0, 0), 4096),
    Driver('Microsoft JDBC Driver 12.4', 'warehouse-loader', (12, 4, 0, 0), 8000),
    Driver('node-mssql', 'api-gateway', (0, 0, 0, 0), 4096, trace=False),
    Driver('go-mssqldb', 'exporter', (1, 6, 0, 0), 4096, trace=False, answer_type=RESPONSE),
]


def packets(kind, payload, packet_bytes=4096, spid=0):
  """A message as TDS packets."""
  room, data = packet_bytes - HEADER_BYTES, b''
  parts = [payload[at:at + room] for at in range(0, len(payload), room)] or [b'']
  for number, part in enumerate(parts):
    status = 1 if number == len(parts) - 1 else 0
    data += struct.pack('!BBHHBB', kind, status, len(part) + HEADER_BYTES, spid, (number + 1) & 255, 0) + part
  return data


def prelogin(version, encrypt, mars=False, trace=None):
  options = [(0, struct.pack('!BBHH', version[0], version[1], version[2], version[3])), (1, bytes([encrypt])),
             (2, b'\0'), (3, struct.pack('!I', 4711)), (4, bytes([mars]))]
  if trace:
    options.append((5, trace.bytes_le + uuid.uuid4().bytes_le + struct.pack('<I', 1)))
  at = len(options) * 5 + 1
  table, data = b'', b''
  for token, value in options:
    table += struct.pack('!BHH', token, at + len(data), len(value))
    data += value
  return table + b'\xff' + data


def login7(driver, *, host, user, password, server, database):
  fields = [host, user, password, driver.application, server, '', driver.library, '', database]
  offset, table, data = 36 + 58, b'', b''
  for number, field in enumerate(fields):
    if number == 5:
      table += struct.pack('<HH', 0, 0)  # no extensions
      continue
    raw = field.encode('utf-16-le')
    if number == 2:
      raw = bytes(((byte << 4 | byte >> 4) & 255) ^ 0xA5 for byte in raw)
    table += struct.pack('<HH', offset + len(data), len(field))
    data += raw
  table += bytes.fromhex('001a4b3c5d6e')  # the client's network card
  end = offset + len(data)
  table += struct.pack('<HHHHHHI', end, 0, end, 0, end, 0, 0)
  fixed = struct.pack('<IIIIIIBBBBiI', offset + len(data), 0x74000004, driver.packet_bytes, 0x07000000, 4242, 0, 0xE0, 3, 0, 0, 0, 0x0409)
  return fixed + table + data


def b_varchar(text):
  return bytes([len(text)]) + text.encode('utf-16-le')


def us_varchar(text):
  return struct.pack('<H', len(text)) + text.encode('utf-16-le')


def environment_change(kind, new, old):
  body = bytes([kind]) + b_varchar(new) + b_varchar(old)
  return b'\xe3' + struct.pack('<H', len(body)) + body


def information(number, state, severity, text, server='SQL', error=False):
  body = struct.pack('<IBB', number, state, severity) + us_varchar(text) + b_varchar(server) + b_varchar('') + struct.pack('<I', 1)
  return (b'\xaa' if error else b'\xab') + struct.pack('<H', len(body)) + body


def login_answer(database, packet_bytes=4096):
  name = 'Microsoft SQL Server'
  acknowledgement = b'\x01' + struct.pack('!I', 0x74000004) + b_varchar(name) + bytes([16, 0, 4, 121])
  return (environment_change(1, database, 'master') + information(5701, 2, 0, f"Changed database context to '{database}'.")
          + environment_change(2, 'us_english', '')
          + b'\xad' + struct.pack('<H', len(acknowledgement)) + acknowledgement
          + environment_change(4, str(packet_bytes), '4096') + done())


def login_refusal(user, number=18456, state=1):
  return information(number, state, 14, f"Login failed for user '{user}'.", error=True) + done(2)


def done(status=0, rows=0):
  return b'\xfd' + struct.pack('<HHQ', status | (0x10 if rows else 0), 0xC1, rows)


def all_headers():
  return struct.pack('<IIHQI', 22, 18, 2, 0, 1)


def batch(text):
  return all_headers() + text.encode('utf-16-le')


def rpc(procedure_id=10, text='SELECT 1'):
  raw = text.encode('utf-16-le')
  parameter = b'\0\0' + b'\xe7' + struct.pack('<H', 8000) + bytes.fromhex('0904d00034') + struct.pack('<H', len(raw)) + raw
  return all_headers() + struct.pack('<HHH', 0xFFFF, procedure_id, 0) + parameter


def result(size):
  """One column of varchar(8000), rows enough for about `size` bytes, and the end."""
  columns = b'\x81' + struct.pack('<HIH', 1, 0, 9) + b'\xa7' + struct.pack('<H', 8000) + bytes.fromhex('0904d00034') + b_varchar('note')
  rows, left = b'', size
  count = 0
  while left > 0:
    part = min(left, 4000)
    rows += b'\xd1' + struct.pack('<H', part) + b'x' * part
    left -= part
    count += 1
  return columns + rows + done(rows=count)


def smp(flags, session, length, sequence, window):
  return struct.pack('<BBHIII', 0x53, flags, session, 16 + length, sequence, window)
