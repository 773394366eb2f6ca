"""Writes captures of Microsoft's Network Monitor: what NMCap, Network Monitor and Message Analyzer leave behind.

Theory of operation: each packet becomes a record; a table of their offsets stands behind them.
"""
import dataclasses
import datetime
import struct

HEAD_BYTES = 128
FILETIME_OF_1970 = 116444736000000000
ETHERNET, WLAN, EVENT, REMARK, TABLE = 1, 6, 0xFFE0, 0xFFFB, 0xFFFD
CONVERTED = 0xE000
STATION, MONITOR = 1, 1 << 31


@dataclasses.dataclass
class Style:
  """How a capture is written."""
  version: tuple = (2, 3)
  media: int = ETHERNET
  zone_hours: int = 0  # of the machine's local time
  holes: int = 0  # bytes between records
  remarks: bool = False  # before each packet stand records that are none, of which one is numbered
  shuffled: bool = False  # records do not stand in the file as the table has them
  finished: bool = True  # with a table
  mode: int = STATION  # of a Wi-Fi card


def wlan(frame, mode):
  """An Ethernet frame as Wi-Fi's, behind what Network Monitor tells of the card. Windows has decrypted it, but for its bit."""
  protected = 0x40 if mode == STATION else 0
  header = struct.pack('<BB', 0x08, 0x01 | protected) + bytes(2) + bytes(6) + frame[6:12] + frame[:6] + bytes(2)
  card = struct.pack('<BHIIIIiBQ', 2, 32, mode, 0, 4, 6, -50, 2, 0)
  return card + header + bytes.fromhex('aaaa03000000') + frame[12:], len(card) + len(header) + 6 - 12


def record(packet, data, wire, style, start_ns, media):
  since = packet.time_ns - start_ns
  if style.version[0] == 1:
    return struct.pack('<IHH', since // 10**6, min(wire, 0xFFFF), len(data)) + data
  trailer = struct.pack('<HIQB', media, 0xFFFFFFFF, packet.time_ns // 100 + FILETIME_OF_1970, 0)
  return struct.pack('<QII', since // 1000, wire, len(data)) + data + trailer[:(0, 2, 6, 15)[style.version[1]]]


def records_of(packets, style, start_ns):
  for number, packet in enumerate(packets):
    if style.remarks:
      for media in (TABLE, (REMARK, EVENT)[number % 2]):
        yield record(packet, b'\3' * (7 + number % 5), 60, style, start_ns, media)
    data, more = wlan(packet.data, style.mode) if style.media == WLAN else (packet.data, 0)
    yield record(packet, data, packet.wire + more, style, start_ns, style.media)


def system_time(time_ns, zone_hours):
  moment = datetime.datetime.fromtimestamp(time_ns // 10**9, datetime.timezone.utc) + datetime.timedelta(hours=zone_hours)
  return struct.pack('<8H', moment.year, moment.month, moment.isoweekday() % 7, moment.day, moment.hour, moment.minute, moment.second,
                     time_ns // 10**6 % 1000)


def netmon(packets, style):
  start_ns = min((packet.time_ns for packet in packets), default=0) // 10**6 * 10**6
  records = list(records_of(packets, style, start_ns))
  order = sorted(range(len(records)), key=lambda number: number ^ 5 if style.shuffled else number)
  body, offsets = b'', [0] * len(records)
  for number in order:
    body += b'\xEE' * style.holes
    offsets[number] = HEAD_BYTES + len(body)
    body += records[number]
  table = struct.pack(f'<{len(offsets)}I', *offsets) if style.finished else b''
  media = style.media if style.media < CONVERTED else ETHERNET
  head = (b'RTSS' if style.version[0] == 1 else b'GMBU') + struct.pack('<BBH', *reversed(style.version), media)
  head += system_time(start_ns, style.zone_hours) + struct.pack('<II', HEAD_BYTES + len(body) if style.finished else 0, len(table))
  return head.ljust(HEAD_BYTES, b'\0') + body + table
