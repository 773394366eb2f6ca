"""Captures that consist of one thing many times over: one packet of many conversations, or one exchange of a giant one.

Theory of operation: such packets differ only in fields that grow evenly from one to the next: time, address, sequence
numbers. So a block of equal copies is made, and each field is written over it byte by byte, as a slice with a stride:
the loops run in C. Sums of one's complement (RFC 1071) are numbers modulo 65535, so checksums grow evenly, too.
"""
import array
import random

from traffic import (ACK, BATCH, FILE_HEADER, HEADERS, IP_AND_TCP, MACS, RPC, SERVER_ADDRESS, SERVER_PORT, START_S,
                     Conversation, batch, execute, return_status, rows, rpc)

WAVE = 1000                 # conversations that do the same step at the same time
WAVE_US = 1_000_000
EXCHANGES = 1000            # of the giant conversation, written at once
EXCHANGE_US = 2000
CLIENT_ADDRESS = 0x0A400001
FIRST_PORT, PORTS = 32768, 28000
CLIENT_ISN, SERVER_ISN, ISN_STEP = 1_000_000, 2_000_000_000, 1201


def put(block, offset, stride, values, size, order):
  """Writes values as integers of so many bytes over a block, one each stride."""
  column = array.array({2: 'H', 4: 'I'}[size], values)
  if order == 'big':
    column.byteswap()
  raw = column.tobytes()
  for byte in range(size):
    block[offset + byte::stride] = raw[byte::size]


def sums(first, step, count):
  """Checksums over so many words that add up to first, first + step, ...: their complements."""
  return [65535 - (first + step * index) % 65535 for index in range(count)]


def evenly(first, step, count):
  return range(first, first + step * count, step) if step else [first] * count


class Series:
  """count copies of a few packets; between two copies time, address and sequence numbers grow by a step."""

  def __init__(self, packets, count, step_us, address_step, isn_steps):
    self.packets, self.count, self.step_us = packets, count, step_us
    self.address_step, self.isn_steps = address_step, isn_steps
    self.template = b''.join(bytes(70) + packet.tail for packet in packets)
    self.stride = len(self.template)

  def bytes(self, begin_us, address, port, isns):
    """isns: by whether it is the client's."""
    block = bytearray(self.template * self.count)
    offset = 0
    for packet in self.packets:
      self.fill(block, offset, packet, begin_us + packet.time_ns // 1000, address, port, isns)
      offset += 70 + len(packet.tail)
    return block

  def fill(self, block, offset, packet, time_us, address, port, isns):
    count, stride, client = self.count, self.stride, packet.from_client
    acks = bool(packet.flags & ACK)
    tcp_bytes = 20 + len(packet.tail)
    seq, seq_step = isns[client] + packet.seq, self.isn_steps[client]
    ack, ack_step = (isns[not client] + packet.ack, self.isn_steps[not client]) if acks else (0, 0)
    head = HEADERS.pack(0, 0, 34 + tcp_bytes, 34 + tcp_bytes, MACS[not client], MACS[client], b'\x08\0')
    ports = (port, SERVER_PORT) if client else (SERVER_PORT, port)
    head += IP_AND_TCP.pack(0x4500, 20 + tcp_bytes, 0, 0x4000, 0x80, 6, 0, SERVER_ADDRESS, SERVER_ADDRESS, *ports, 0, 0,
                            packet.flags, packet.window, 0, 0)
    for index, byte in enumerate(head):
      block[offset + index::stride] = bytes((byte,)) * count
    times = evenly(time_us, self.step_us, count)
    put(block, offset, stride, [START_S + time // 1_000_000 for time in times], 4, 'little')
    put(block, offset + 4, stride, [time % 1_000_000 for time in times], 4, 'little')
    put(block, offset + (42 if client else 46), stride, evenly(address, self.address_step, count), 4, 'big')
    put(block, offset + 54, stride, evenly(seq, seq_step, count), 4, 'big')
    put(block, offset + 58, stride, evenly(ack, ack_step, count), 4, 'big')
    addresses = SERVER_ADDRESS + address
    ip_sum = 0x4500 + 20 + tcp_bytes + 0x4000 + 0x8006 + addresses
    put(block, offset + 40, stride, sums(ip_sum, self.address_step, count), 2, 'big')
    tcp_sum = addresses + 6 + tcp_bytes + sum(ports) + seq + ack + packet.flags + packet.window + packet.tail_sum
    put(block, offset + 66, stride, sums(tcp_sum, self.address_step + seq_step + ack_step, count), 2, 'big')


def once(packets):
  return Series(packets, 1, 0, 0, {True: 0, False: 0})


class Waves:
  """The same packets by many conversations, WAVE of them a second, from so many clients in turn."""

  def __init__(self, file, conversations, clients):
    self.file, self.conversations, self.clients = file, conversations, clients
    self.packets = self.begin_us = 0
    self.size = file.write(FILE_HEADER)

  def play(self, steps):
    step_us = WAVE_US // len(steps)
    first = wave = 0
    while first < self.conversations:
      place = first % self.clients
      count = min(WAVE, self.clients - place, self.conversations - first)
      port = FIRST_PORT + first // self.clients % PORTS
      isns = {True: CLIENT_ISN + wave * 977, False: SERVER_ISN + wave * 1009}
      for number, packet in enumerate(steps):
        packet.time_ns = 0
        step = Series([packet], count, step_us // count or 1, 1, {True: ISN_STEP, False: ISN_STEP})
        self.size += self.file.write(step.bytes(self.begin_us + number * step_us, CLIENT_ADDRESS + place, port, isns))
      self.packets += count * len(steps)
      self.begin_us += WAVE_US
      first += count
      wave += 1


def write_many(file, conversations, clients):
  """Short conversations that log in, ask once and close."""
  choice = random.Random(1)
  conversation = Conversation(0, choice)
  conversation.open()
  conversation.exchange(batch(choice), BATCH, rows(choice, 300))
  conversation.close()
  waves = Waves(file, conversations, clients)
  waves.play(conversation.packets)
  return waves.size, waves.packets, conversations


def write_open(file, conversations, clients):
  """Conversations that log in and ask; once all have, each asks again. None of them closes."""
  choice = random.Random(1)
  conversation = Conversation(0, choice)
  conversation.open()
  conversation.exchange(batch(choice), BATCH, rows(choice, 300))
  waves = Waves(file, conversations, clients)
  waves.play(conversation.packets)
  conversation.packets = []
  conversation.exchange(batch(choice), BATCH, rows(choice, 300))
  waves.play(conversation.packets)
  return waves.size, waves.packets, conversations


def write_giant(file, wanted_bytes):
  """One connection that asks the same again and again."""
  choice = random.Random(1)
  conversation = Conversation(0, choice)
  conversation.open()
  isns = {True: CLIENT_ISN, False: SERVER_ISN}
  size = file.write(FILE_HEADER)
  size += file.write(once(conversation.packets).bytes(0, CLIENT_ADDRESS, FIRST_PORT, isns))
  packets = len(conversation.packets)
  begin_us = conversation.time_ns // 1000 + EXCHANGE_US
  before = dict(conversation.sent)
  conversation.packets, conversation.time_ns = [], 0
  conversation.exchange(rpc(choice), RPC, rows(choice, 5200))
  conversation.exchange(execute(choice), RPC, return_status())
  steps = {side: conversation.sent[side] - before[side] for side in before}
  step_us = conversation.time_ns // 1000 + EXCHANGE_US
  series = Series(conversation.packets, EXCHANGES, step_us, 0, steps)
  while size < wanted_bytes and max(isns.values()) + max(steps.values()) * EXCHANGES * 2 < 1 << 32:
    size += file.write(series.bytes(begin_us, CLIENT_ADDRESS, FIRST_PORT, isns))
    packets += len(conversation.packets) * EXCHANGES
    begin_us += step_us * EXCHANGES
    isns = {side: isns[side] + steps[side] * EXCHANGES for side in isns}
  conversation.packets, conversation.time_ns = [], 0
  conversation.close()
  last = {side: isns[side] - steps[side] for side in isns}
  size += file.write(once(conversation.packets).bytes(begin_us, CLIENT_ADDRESS, FIRST_PORT, last))
  return size, packets + len(conversation.packets), 1
