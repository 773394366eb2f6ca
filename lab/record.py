"""Captures at the ends, and what is done to them afterwards so that they look like other machines' and other people's.

A record is [time in ns, frame, length on the wire in bytes].
"""

import os
import pathlib
import re
import signal
import struct
import subprocess
import time

from hosts import CABLE
from packets import ACK, FIN, RST, SYN, Packet

LINK_ETHERNET, LINK_COOKED, LINK_COOKED2 = 1, 113, 276
L3_OFFSET = {LINK_ETHERNET: 14, LINK_COOKED: 16, LINK_COOKED2: 20}
SMALLEST_ETHERNET_BYTES = 60
LARGEST_PACKET = '66000'  # bytes; what offload hands to a card may have 64 KiB
TAG_BYTES = 4  # of a VLAN


class Recorder:
  """tcpdump on one machine. `device` is its cable, or 'any' for a cooked capture."""

  def __init__(self, host, path, device=CABLE):
    self.path = pathlib.Path(path)
    self.log = open(str(path) + '.log', 'w+', encoding='utf-8')
    # On 'any' each slot of the kernel's ring is as large as the largest packet, so that it needs a larger ring not to lose some.
    ring_kib = '49152' if device == 'any' else '8192'
    self.process = subprocess.Popen(
        ['ip', 'netns', 'exec', host.namespace, 'tcpdump', '-i', device, '-U', '--immediate-mode', '-B', ring_kib, '-s', LARGEST_PACKET,
         '-Z', 'root', '--time-stamp-precision=nano', '-w', str(path)], stderr=self.log, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while 'listening on' not in pathlib.Path(self.log.name).read_text(encoding='utf-8'):
      if time.monotonic() > until or self.process.poll() is not None:
        raise RuntimeError('tcpdump did not start: ' + pathlib.Path(self.log.name).read_text(encoding='utf-8'))
      time.sleep(0.02)

  def stop(self):
    """Ends the capture; returns how many packets it could not take."""
    time.sleep(0.3)
    self.process.send_signal(signal.SIGINT)
    self.process.wait(5)
    self.log.close()
    said = pathlib.Path(self.log.name).read_text(encoding='utf-8')
    os.unlink(self.log.name)
    lost = re.search(r'(\d+) packets? dropped by kernel', said)
    return int(lost[1]) if lost else 0


def read_pcap(path):
  """(link type, records) of a nanosecond pcap of this machine's byte order, as tcpdump writes it."""
  data = pathlib.Path(path).read_bytes()
  magic, *_, link = struct.unpack_from('=IHHiIII', data)
  if magic != 0xA1B23C4D:
    raise ValueError(f'{path}: not a nanosecond pcap')
  at, records = 24, []
  while at + 16 <= len(data):
    seconds, nanoseconds, captured, wire = struct.unpack_from('=IIII', data, at)
    records.append([seconds * 10**9 + nanoseconds, data[at + 16:at + 16 + captured], wire])
    at += 16 + captured
  return link & 0xFFFF, records


def only_ours(records, link):
  """Without what the namespaces' kernels say to themselves: IPv6 router solicitations and the like."""
  kept = []
  for record in records:
    packet = Packet(record[1], L3_OFFSET[link])
    if packet.version == 4 or (packet.version == 6 and packet.proto in (6, 17)):
      kept.append(record)
  return kept


def shift_clock(records, offset_s, drift_ppm=0.0):
  start = records[0][0] if records else 0
  for record in records:
    record[0] += round(offset_s * 1e9 + (record[0] - start) * drift_ppm / 1e6)
  return records


def like_windows(records, link, senders):
  """Keep-alives of these (packed addresses) carry a byte, as Windows' do. TTL and timestamps are the kernel's doing."""
  ahead = {}
  for record in records:
    packet = Packet(record[1], L3_OFFSET[link])
    if packet.is_tcp and packet.flags & SYN:
      ahead[packet.ends] = packet.next_seq
    elif packet.is_tcp:
      expected = ahead.get(packet.ends)
      bare = not packet.payload_bytes and packet.flags & ACK and not packet.flags & (SYN | FIN | RST)
      if packet.src in senders and bare and expected is not None and packet.seq == (expected - 1) & 0xFFFFFFFF:
        packet.frame[packet.ip_end:] = b'\0'
        packet.set_ip_length(packet.ip_end - packet.l3 + 1)
        packet.fix_checksums()
        record[1] = bytes(packet.frame)
      elif expected is None or (packet.next_seq - expected) & 0x80000000 == 0:
        ahead[packet.ends] = packet.next_seq
    record[2] = max(record[2], len(record[1]))
  return records


def padded(records, link, own):
  """Short frames that arrive are padded as a wire pads them; those that this machine (packed addresses) sends are not yet."""
  for record in records:
    if link == LINK_ETHERNET and len(record[1]) < SMALLEST_ETHERNET_BYTES and Packet(record[1]).src not in own:
      record[1] += bytes(SMALLEST_ETHERNET_BYTES - len(record[1]))
      record[2] = len(record[1])
  return records


def twice(records, rng, other_layer):
  """Every packet twice, as captures at two layers of one machine hold them."""
  copies = []
  for record in records:
    frame = record[1]
    if other_layer:
      frame = frame[:5] + bytes([frame[5] ^ 0x40]) + frame[6:]
    copies += [record, [record[0] + rng.randint(2_000, 90_000), frame, record[2]]]
  return sorted(copies, key=lambda r: r[0])


def seen_twice(records, rng, link, how):
  """Every packet twice, as a mirror port shows it that copies both ports of a router, or a trunk and an access port."""
  copies = []
  for record in records:
    if how == 'router':
      copy = Packet(record[1], L3_OFFSET[link])
      copy.frame[5] ^= 0x40
      copy.set_ttl(copy.ttl - 1)
      copy.fix_ip_checksum()
      frame, wire = bytes(copy.frame), record[2]
    elif link == LINK_ETHERNET:
      frame, wire = record[1][:12] + struct.pack('!HH', 0x8100, 77) + record[1][12:], record[2] + TAG_BYTES
    else:
      frame, wire = record[1], record[2]
    copies += [record, [record[0] + rng.randint(2_000, 90_000), frame, wire]]
  return sorted(copies, key=lambda r: r[0])


def filtered(records, link, kind):
  """What a capture filter leaves: packets with SYN, FIN or RST alone, or those with data alone."""
  kept = []
  for record in records:
    packet = Packet(record[1], L3_OFFSET[link])
    if packet.is_tcp and (packet.flags & (SYN | FIN | RST) if kind == 'flags' else packet.payload_bytes):
      kept.append(record)
  return kept


def set_clock(records, began_ns, at_s, by_s):
  for record in records:
    if record[0] >= began_ns + at_s * 1e9:
      record[0] += round(by_s * 1e9)


def miss_some(records, rng, chance, runs):
  """What an overrun buffer loses: single packets, and whole runs of them."""
  starts = sorted(rng.sample(range(len(records)), min(runs, len(records))))
  lost = {start + i for start in starts for i in range(rng.randint(3, 25))}
  return [r for number, r in enumerate(records) if number not in lost and rng.random() >= chance]


def between(records, begin_ns, end_ns):
  return [r for r in records if begin_ns <= r[0] <= end_ns]


def half(records, link):
  """What one of two teamed cards sees: connections are spread by their ports."""
  kept = []
  for record in records:
    packet = Packet(record[1], L3_OFFSET[link])
    if not packet.is_tcp or (packet.sport ^ packet.dport) & 2:
      kept.append(record)
  return kept


def one_way(records, link, from_addresses):
  """Only what these packed addresses sent, as a mirror port with one direction shows."""
  return [r for r in records if Packet(r[1], L3_OFFSET[link]).src in from_addresses]


def tag_vlan(records, vlan):
  for record in records:
    record[1] = record[1][:12] + struct.pack('!HH', 0x8100, vlan) + record[1][12:]
    record[2] += TAG_BYTES
  return records


def cut(records, snaplen):
  for record in records:
    record[1] = record[1][:snaplen]
  return records


def write_pcapng(path, link, records, snaplen=0, microseconds=False):
  def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)
  resolution = b'' if microseconds else struct.pack('<HHB3xHH', 9, 1, 9, 0, 0)
  out = [block(0x0A0D0D0A, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1)), block(1, struct.pack('<HHI', link, 0, snaplen) + resolution)]
  for time_ns, frame, wire in records:
    stamp = time_ns // 1000 if microseconds else time_ns
    out.append(block(6, struct.pack('<IIIII', 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), wire) + frame))
  pathlib.Path(path).write_bytes(b''.join(out))


def write_pcap(path, link, records, snaplen=0):
  out = [struct.pack('<IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, snaplen or 262144, link)]
  for time_ns, frame, wire in records:
    out.append(struct.pack('<IIII', time_ns // 10**9, time_ns % 10**9 // 1000, len(frame), wire) + frame)
  pathlib.Path(path).write_bytes(b''.join(out))
