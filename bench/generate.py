#!/usr/bin/env python3
"""Makes a large capture of TDS traffic (pcap, Ethernet, IPv4) for measuring.

Theory of operation: a template of a few dozen conversations is built once, packet by packet. It is played again and
again, one period after the other; each playing gives its conversations other client addresses, ports and sequence
numbers. A conversation may last longer than a period: its later packets are then played in the following periods, so
that there is no seam, and as many conversations live at any time. Only the headers of a packet are made anew; the
checksums are sums (RFC 1071), so what the template's bytes contribute is summed once. What consists of one thing many
times over is made in bulk instead: see series.py.

  bench/generate.py bench/data/ordinary.pcap
  bench/generate.py --kind small --bytes 200000000 bench/data/small.pcap
  bench/generate.py --kind many --conversations 1000000 bench/data/many.pcap
"""
import argparse
import pathlib
import random
import sys

import series
from traffic import (ACK, BATCH, FILE_HEADER, HEADERS, IP_AND_TCP, MACS, RPC, SERVER_ADDRESS, SERVER_PORT, START_S,
                     Conversation, batch, execute, return_status, rows, rpc)

LANES = 48                # conversations of the template
PERIOD_NS = 4_000_000_000
LOSS = 0.03


def exchange(conversation, choice, kind):
  if kind == 'small':
    conversation.exchange(execute(choice), RPC, return_status())
    return
  size = choice.choice((300, 900, 2500, 5200, 5200, 7700, 15000))
  if choice.random() < 0.5:
    conversation.exchange(batch(choice), BATCH, rows(choice, size))
  else:
    conversation.exchange(rpc(choice), RPC, rows(choice, size))


def make_template(bytes_each, kind):
  """The packets of all lanes, in order of their time within a period: (packet, periods later)."""
  packets = []
  for lane in range(LANES):
    choice = random.Random(lane + 1)
    conversation = Conversation(lane, choice, lane * PERIOD_NS // LANES, LOSS if kind == 'loss' else 0)
    conversation.open()
    written = 0
    counted = 0
    while written < bytes_each:
      conversation.wait_us(1000, 60000)
      exchange(conversation, choice, kind)
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
  return (HEADERS.pack(START_S + time_us // 1_000_000, time_us % 1_000_000, wire, wire, MACS[not packet.from_client],
                       MACS[packet.from_client], b'\x08\0') +
          IP_AND_TCP.pack(0x4500, 20 + tcp_bytes, packet.identification, 0x4000, 0x80, 6, ip_sum, source, destination,
                          source_port, destination_port, seq, ack, packet.flags, packet.window, tcp_sum, 0))


def write_template(file, wanted_bytes, conversations, kind):
  playings = max(1, round(conversations / LANES))
  template = make_template(wanted_bytes // (playings * LANES), kind)
  last_delay = max(delay for _, delay in template)
  packets = 0
  size = file.write(FILE_HEADER)
  for period in range(playings + last_delay):
    chunk = []
    for packet, delay in template:
      playing = period - delay
      if 0 <= playing < playings:
        chunk.append(packet_bytes(packet, playing, period * PERIOD_NS))
        chunk.append(packet.tail)
    packets += len(chunk) // 2
    size += file.write(b''.join(chunk))
  return size, packets, playings * LANES


KINDS = {
  'ordinary': 'batches and calls with answers of up to 15 kB',
  'small': 'calls of prepared statements without rows: about 100 bytes a packet',
  'loss': f'as ordinary, but {LOSS:.0%} of the segments are lost',
  'giant': 'one connection',
  'many': 'very many short connections',
  'open': 'very many connections that stay open',
}


def write(file, options):
  if options.kind == 'giant':
    return series.write_giant(file, options.bytes)
  if options.kind == 'many':
    return series.write_many(file, options.conversations or 1_000_000, options.clients)
  if options.kind == 'open':
    return series.write_open(file, options.conversations or 100_000, options.clients)
  return write_template(file, options.bytes, options.conversations or max(1, options.bytes // 150_000), options.kind)


def main():
  options = argparse.ArgumentParser(description='Makes a large capture of TDS traffic.',
                                    epilog='; '.join(f'{kind}: {says}' for kind, says in KINDS.items()))
  options.add_argument('file', type=pathlib.Path)
  options.add_argument('--kind', choices=KINDS, default='ordinary')
  options.add_argument('--bytes', type=int, default=1_050_000_000,
                       help='about this large (default: %(default)s); not many, open')
  options.add_argument('--conversations', type=int,
                       help='how many (default: one for each 150 KB; of many: a million; of open: 100000); not giant')
  options.add_argument('--clients', type=int, default=1000,
                       help='of many and open: from so many addresses (default: %(default)s)')
  options = options.parse_args()
  options.file.parent.mkdir(parents=True, exist_ok=True)
  unfinished = options.file.with_suffix('.unfinished')
  with open(unfinished, 'wb') as file:
    size, packets, conversations = write(file, options)
  unfinished.replace(options.file)
  print(f'{options.file}: {size} bytes, {packets} packets of {size / packets - 16:.0f} bytes on average, '
        f'{conversations} conversations', file=sys.stderr)


if __name__ == '__main__':
  main()
