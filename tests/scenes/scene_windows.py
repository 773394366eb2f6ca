"""What Windows machines say beside TDS: SMB 2 (MS-SMB2 2.2) and RPC with the Netlogon service (C706 12.6.4; MS-NRPC 3.5.4.5.1)."""

import struct
import uuid

STATUS_MORE_PROCESSING = 0xC0000016
NEGOTIATE, SESSION_SETUP, TREE_CONNECT, CREATE = 0, 1, 3, 5
DIALECT = 0x0302
FROM_SERVER = 1
HEADER = 64
NETLOGON = ('12345678-1234-abcd-ef00-01234567cffb', 1)
NDR = ('8a885d04-1ceb-11c9-9fe8-08002b104860', 2)
PDU_REQUEST, PDU_RESPONSE, PDU_BIND, PDU_BIND_ACK = 0, 2, 11, 12
LOGON_SAM_LOGON_EX = 39
AUTH_NETLOGON, AUTH_PRIVACY = 68, 6


def smb2(command, from_server, body, *, number=0, status=0, tree=0):
  """A message with its length before it (MS-SMB2 2.1)."""
  head = struct.pack('<4sHHIHHIIQIIQ16s', b'\xfeSMB', HEADER, 1, status, command, 1, FROM_SERVER if from_server else 0, 0,
                     number, 0xFEFF, tree, 0x1000 if number > 1 else 0, bytes(16))
  return struct.pack('!I', len(head) + len(body)) + head + body


def smb2_negotiate(from_server):
  if from_server:
    return smb2(NEGOTIATE, True, struct.pack('<HHHH16sIIIIQQHHI', 65, 1, DIALECT, 0, bytes(16), 0x7, 1 << 20, 1 << 20,
                                             1 << 20, 0, 0, HEADER + 64, 0, 0) + b'\0')
  return smb2(NEGOTIATE, False, struct.pack('<HHHHI16sQH', 36, 1, 1, 0, 0x7F, bytes(16), 0, DIALECT))


def smb2_session(from_server, token):
  if from_server:
    body = struct.pack('<HHHH', 9, 0, HEADER + 8, len(token)) + token
    return smb2(SESSION_SETUP, True, body, number=1, status=STATUS_MORE_PROCESSING)
  body = struct.pack('<HBBIIHHQ', 25, 0, 1, 1, 0, HEADER + 24, len(token), 0) + token
  return smb2(SESSION_SETUP, False, body, number=1)


def smb2_tree(from_server, server):
  if from_server:
    return smb2(TREE_CONNECT, True, struct.pack('<HBBIII', 16, 2, 0, 0x30, 0, 0x1F01FF), number=3, tree=1)
  path = f'\\\\{server}\\IPC$'.encode('utf-16-le')
  return smb2(TREE_CONNECT, False, struct.pack('<HHHH', 9, 0, HEADER + 8, len(path)) + path, number=3)


def smb2_create(from_server, pipe):
  if from_server:
    body = struct.pack('<HBBI6QII16sII', 89, 0, 0, 1, 0, 0, 0, 0, 4096, 0, 0x80, 0, bytes(15) + b'\x01', 0, 0)
    return smb2(CREATE, True, body, number=4, tree=1)
  name = pipe.encode('utf-16-le')
  body = struct.pack('<HBBIQQIIIIIHHII', 57, 0, 0, 2, 0, 0, 0x12019F, 0, 3, 1, 0x400000, HEADER + 56, len(name), 0, 0)
  return smb2(CREATE, False, body + name, number=4, tree=1)


def syntax(name):
  return uuid.UUID(name[0]).bytes_le + struct.pack('<I', name[1])


def pdu(kind, body, *, call, auth=b''):
  trailer = struct.pack('<BBBBI', AUTH_NETLOGON, AUTH_PRIVACY, 0, 0, 1) + auth if auth else b''
  return struct.pack('<BBBBIHHI', 5, 0, kind, 3, 0x10, 16 + len(body) + len(trailer), len(auth), call) + body + trailer


def netlogon_bind(from_server):
  """The service is chosen."""
  if from_server:
    body = struct.pack('<HHIH6sB3xHH', 5840, 5840, 0x55AA, 6, b'49668\0', 1, 0, 0) + syntax(NDR)
    return pdu(PDU_BIND_ACK, body, call=1)
  body = struct.pack('<HHIB3xHBx', 5840, 5840, 0, 1, 0, 1) + syntax(NETLOGON) + syntax(NDR)
  return pdu(PDU_BIND, body, call=1)


def netlogon_logon(from_server, sealed):
  """The server hands an NTLM login on to be checked; its words are sealed by the secure channel."""
  if from_server:
    return pdu(PDU_RESPONSE, struct.pack('<IHBx', len(sealed), 0, 0) + sealed, call=2, auth=bytes(32))
  body = struct.pack('<IHH', len(sealed), 0, LOGON_SAM_LOGON_EX) + sealed
  return pdu(PDU_REQUEST, body, call=2, auth=bytes(32))
