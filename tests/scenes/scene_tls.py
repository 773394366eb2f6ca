"""Bytes of TLS records and handshake messages (RFC 5246, RFC 8446), with a small self-signed X.509 certificate."""

import hashlib
import struct

TDS8_PROTOCOL_NAME = 'tds/8.0'
MAX_RECORD_BYTES = 16384


def filler(label, count):
  """Deterministic bytes that look random."""
  out = b''
  counter = 0
  while len(out) < count:
    out += hashlib.sha256(f'{label}/{counter}'.encode()).digest()
    counter += 1
  return out[:count]


def der(tag, *parts):
  body = b''.join(parts)
  if len(body) < 128:
    return bytes([tag, len(body)]) + body
  size = struct.pack('!H', len(body))
  return bytes([tag, 0x82]) + size + body


def der_integer(value_bytes):
  return der(0x02, b'\0' + value_bytes if value_bytes[0] & 0x80 else value_bytes)


def distinguished_name(common_name):
  part = der(0x30, der(0x06, bytes.fromhex('550403')), der(0x0C, common_name.encode()))
  return der(0x30, der(0x31, part))


def alternative_names(names):
  """The extension subjectAltName with DNS names (RFC 5280, 4.2.1.6)."""
  listed = der(0x30, *(der(0x82, name.encode()) for name in names))
  return der(0xA3, der(0x30, der(0x30, der(0x06, bytes.fromhex('551d11')), der(0x04, listed))))


def certificate(common_name, label, *, issuer=None, names=(), dates=('250101', '350101')):
  """An RSA certificate, self-signed unless it has an issuer; the signature is filler, as nobody here verifies it."""
  rsa = der(0x30, der(0x06, bytes.fromhex('2a864886f70d010101')), der(0x05))
  sha256_rsa = der(0x30, der(0x06, bytes.fromhex('2a864886f70d01010b')), der(0x05))
  name = distinguished_name(common_name)
  issuer_name = distinguished_name(issuer) if issuer else name
  validity = der(0x30, *(der(0x17, f'{date}000000Z'.encode()) for date in dates))
  modulus = b'\xc1' + filler(label + '/modulus', 255)
  key = der(0x30, der_integer(modulus), der(0x02, b'\x01\x00\x01'))
  key_info = der(0x30, rsa, der(0x03, b'\0', key))
  body = der(
    0x30, der(0xA0, der(0x02, b'\x02')), der_integer(b'\x11' + filler(label + '/serial', 7)), sha256_rsa, issuer_name,
    validity, name, key_info, alternative_names(names) if names else b'',
  )
  return der(0x30, body, sha256_rsa, der(0x03, b'\0' + filler(label + '/signature', 256)))


def record(content_type, body, version=0x0303):
  return struct.pack('!BHH', content_type, version, len(body)) + body


def handshake(message_type, body):
  return struct.pack('!B', message_type) + len(body).to_bytes(3, 'big') + body


def extension(number, body):
  return struct.pack('!HH', number, len(body)) + body


def vector16(body):
  return struct.pack('!H', len(body)) + body


def vector8(body):
  return struct.pack('!B', len(body)) + body


def client_hello(label, *, server_name=None, version='1.2', alpn=None, ciphers=None):
  ciphers = ciphers or [0x1302, 0x1301, 0xC030, 0xC02F, 0x009F, 0x009E, 0xC028, 0xC027, 0x009D, 0x009C]
  if version != '1.3':
    ciphers = [c for c in ciphers if c >> 8 != 0x13]
  extensions = b''
  if server_name:
    name = struct.pack('!BH', 0, len(server_name)) + server_name.encode()
    extensions += extension(0, vector16(name))
  extensions += extension(10, vector16(struct.pack('!HHH', 0x001D, 0x0017, 0x0018)))
  extensions += extension(11, vector8(b'\0'))
  extensions += extension(13, vector16(struct.pack('!HHHH', 0x0804, 0x0401, 0x0403, 0x0501)))
  if alpn:
    extensions += extension(16, vector16(vector8(alpn.encode())))
  extensions += extension(23, b'')
  if version == '1.3':
    extensions += extension(43, vector8(struct.pack('!HH', 0x0304, 0x0303)))
    share = struct.pack('!HH', 0x001D, 32) + filler(label + '/share', 32)
    extensions += extension(51, vector16(share))
  legacy = {'1.0': 0x0301, '1.1': 0x0302}.get(version, 0x0303)
  session = filler(label + '/session', 32) if version == '1.3' else b''
  body = struct.pack('!H', legacy) + filler(label + '/client-random', 32) + vector8(session)
  body += vector16(b''.join(struct.pack('!H', c) for c in ciphers)) + vector8(b'\0') + vector16(extensions)
  return record(22, handshake(1, body), 0x0301)


def server_hello(label, *, cipher, version='1.2', alpn=None):
  extensions = b''
  session = filler(label + '/session', 32)
  if version == '1.3':
    extensions += extension(43, struct.pack('!H', 0x0304))
    extensions += extension(51, struct.pack('!HH', 0x001D, 32) + filler(label + '/server-share', 32))
  else:
    extensions += extension(23, b'') + extension(0xFF01, b'\0')
    if alpn:
      extensions += extension(16, vector16(vector8(alpn.encode())))
  legacy = {'1.0': 0x0301, '1.1': 0x0302}.get(version, 0x0303)
  body = struct.pack('!H', legacy) + filler(label + '/server-random', 32) + vector8(session)
  body += struct.pack('!HB', cipher, 0) + vector16(extensions)
  return handshake(2, body)


def server_flight(label, *, cipher=0xC030, version='1.2', alpn=None, common_name='SSL_Self_Signed_Fallback', chain=1,
                  issuer=None, names=(), dates=('250101', '350101')):
  """ServerHello up to ServerHelloDone (1.2), or up to the encrypted Finished (1.3)."""
  hello = server_hello(label, cipher=cipher, version=version, alpn=alpn)
  legacy = {'1.0': 0x0301, '1.1': 0x0302}.get(version, 0x0303)
  if version == '1.3':
    return record(22, hello) + change_cipher_spec() + application_data(label + '/flight', 900, version)
  certificates = b''
  for number in range(chain):
    if number == 0:
      cert = certificate(common_name, label, issuer=issuer, names=names, dates=dates)
    else:
      cert = certificate(f'Authority {number}', label)
    certificates += (len(cert)).to_bytes(3, 'big') + cert
  flight = hello + handshake(11, len(certificates).to_bytes(3, 'big') + certificates)
  signature = struct.pack('!HH', 0x0401, 256) + filler(label + '/ske-signature', 256)
  if cipher in (0x009E, 0x009F, 0x0033, 0x0039, 0x0067, 0x006B):
    prime, public = filler(label + '/p', 256), filler(label + '/ys', 256)
    flight += handshake(12, vector16(prime) + vector16(b'\x02') + vector16(public) + signature)
  elif cipher >> 8 == 0xC0:
    public = b'\x04' + filler(label + '/point', 64)
    flight += handshake(12, struct.pack('!BHB', 3, 0x0017, len(public)) + public + signature)
  flight += handshake(14, b'')
  return record(22, flight, legacy)


def client_key_flight(label, *, cipher=0xC030, version='1.2'):
  """ClientKeyExchange, ChangeCipherSpec and Finished (1.2), or ChangeCipherSpec and Finished (1.3)."""
  if version == '1.3':
    return change_cipher_spec() + application_data(label + '/client-finished', 52, version)
  if cipher >> 8 == 0xC0:
    body = vector8(b'\x04' + filler(label + '/client-point', 64))
  else:
    body = vector16(filler(label + '/premaster', 256))
  return record(22, handshake(16, body)) + change_cipher_spec() + record(22, filler(label + '/finished', 40))


def server_finished(label):
  return change_cipher_spec() + record(22, filler(label + '/server-finished', 40))


def change_cipher_spec():
  return record(20, b'\x01')


def alert(level=2, description=40):
  return record(21, bytes([level, description]))


def hidden_alert(label, version='1.2'):
  """An alert under encryption: its two bytes and the cipher's; TLS 1.3 makes it look like application data."""
  if version == '1.3':
    return application_data(label + '/alert', 2, version)
  return record(21, filler(label + '/alert', 2 + 24))


def application_data(label, plain_bytes, version='1.2'):
  """Records that carry that many bytes of plain text: AES-GCM adds 24 bytes (1.2) or 17 (1.3) to each."""
  overhead = 17 if version == '1.3' else 24
  out = b''
  part = 0
  while plain_bytes > 0:
    size = min(plain_bytes, MAX_RECORD_BYTES - overhead)
    out += record(23, filler(f'{label}/{part}', size + overhead))
    plain_bytes -= size
    part += 1
  return out
