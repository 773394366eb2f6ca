#!/usr/bin/env python3
"""Picks a few connections out of one of the lab's runs, as a small pair of captures with their truth: for tests to keep."""

import argparse
import json
import pathlib
import struct
import sys

sys.dont_write_bytecode = True

from packets import ICMP, Packet, packed
from record import LINK_ETHERNET, L3_OFFSET, cut, write_pcapng

SIDES = ('client', 'server')


def read_capture(path):
  """(link type, records) of a capture that the lab wrote: little-endian pcapng of one interface, or pcap in microseconds."""
  data = path.read_bytes()
  if struct.unpack_from('<I', data)[0] == 0xA1B2C3D4:
    return read_classic(data)
  at, link, unit, records = 0, LINK_ETHERNET, 1000, []
  while at < len(data):
    kind, size = struct.unpack_from('<II', data, at)
    if kind == 1:
      link = struct.unpack_from('<H', data, at + 8)[0]
      unit = 1 if size > 20 else 1000  # the lab writes an option there only to say nanoseconds
    elif kind == 6:
      _, high, low, captured, wire = struct.unpack_from('<IIIII', data, at + 8)
      records.append([(high << 32 | low) * unit, data[at + 28:at + 28 + captured], wire])
    at += size
  return link, records


def read_classic(data):
  link, at, records = struct.unpack_from('<I', data, 20)[0], 24, []
  while at < len(data):
    seconds, micros, captured, wire = struct.unpack_from('<IIII', data, at)
    records.append([seconds * 10**9 + micros * 1000, data[at + 16:at + 16 + captured], wire])
    at += 16 + captured
  return link, records


def flow_of(connection, side):
  return tuple((packed(connection[side][end]['address']), connection[side][end]['port']) for end in SIDES)


def belongs(record, link, flows):
  tag = 4 if link == LINK_ETHERNET and record[1][12:14] == b'\x81\x00' else 0
  packet = Packet(record[1], L3_OFFSET[link] + tag)
  ends = packet.ends if packet.is_tcp else ends_reported(packet)
  return ends in flows or (ends is not None and ends[::-1] in flows)


def ends_reported(packet):
  """The ends of the packet that an ICMP error quotes; None when this is none."""
  if packet.version != 4 or packet.proto != ICMP or packet.frame[packet.l4] != 3:
    return None
  quoted = Packet(packet.frame, packet.l4 + 8)
  ports = struct.unpack_from('!HH', packet.frame, quoted.l4)
  return (quoted.src, ports[0]), (quoted.dst, ports[1])


def pick(source, ids, target, snaplen):
  truth = json.loads((source / 'truth.json').read_text(encoding='utf-8'))
  kept = [c for c in truth['connections'] if c['id'] in ids]
  if len(kept) != len(set(ids)):
    sys.exit(f'pick: {source} has no {", ".join(set(ids) - {c["id"] for c in kept})}')
  target.mkdir(parents=True, exist_ok=True)
  for side in SIDES:
    link, records = read_capture(source / f'{side}.pcapng')
    flows = {flow_of(c, side) for c in kept}
    records = cut([r for r in records if belongs(r, link, flows)], snaplen)
    write_pcapng(target / f'{side}.pcapng', link, records, snaplen)
  truth['connections'], truth['findings'] = kept, []
  del truth['failures'], truth['look']
  write_truth(target / 'truth.json', truth)


def write_truth(path, truth):
  """A line for each connection: they are long, and there are many."""
  connections = ',\n  '.join(json.dumps(c) for c in truth['connections'])
  head = json.dumps({key: value for key, value in truth.items() if key != 'connections'}, indent=1)
  path.write_text(f'{head[:-2]},\n "connections": [\n  {connections}\n ]\n}}\n', encoding='utf-8')


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('source', type=pathlib.Path, help='<scenario>/<seed> of the lab')
  parser.add_argument('ids', nargs='+', help='ids of connections in its truth.json')
  parser.add_argument('--out', '-o', type=pathlib.Path, required=True)
  parser.add_argument('--snaplen', type=int, default=180, help='bytes kept of each packet')
  args = parser.parse_args()
  pick(args.source, args.ids, args.out, args.snaplen)


if __name__ == '__main__':
  main()
