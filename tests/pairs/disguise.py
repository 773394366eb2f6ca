"""Connections of one client and one server, as captures at both ends have them, with a device between that hides which is which.

A crowd of connections is made, each a login and some questions. What a device does to them is said by Device, what the captures have of
them by Window; who is who is known, and kept beside the captures.
"""

import hashlib
import ipaddress
import random
import struct
import sys
import pathlib
from dataclasses import dataclass, field, replace

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / 'scenes')]

from scene_pcapng import Capture, Record
from scene_tcp import ACK, FIN, MILLISECOND, PSH, SECOND, SYN, Conversation, Delivery, Host, ip_packet
from scene_tds import batch, message, prelogin, result_body

LOGIN_PACE_NS = 30 * MILLISECOND
RELAY_NS = 5 * MILLISECOND
BEGIN_NS = 1_700_000_000 * SECOND
SERVER = '10.20.0.9'
OUTSIDE = '203.0.113.7'
SIDES = ('client', 'server')


@dataclass
class Crowd:
  """What the connections do. contents: tls: random from the first ClientHello on; clear: all ask the same; varied: each asks its own.

  lengths, of encrypted messages: the same for all; random; few: one of three; program: those of the connection's number, in every crowd.
  """

  count: int = 40
  contents: str = 'tls'
  lengths: str = 'same'
  questions: int = 12
  question_ns: int = 400 * MILLISECOND
  spread_ns: int = 6 * SECOND  # in which they begin
  together: bool = False  # all ask at the same moments
  timestamps: bool = True
  ip_ids: str = 'connection'  # counted for each connection; host: for all of them together; none: 0
  ports: int = 0  # so few source ports, used again; 0: one for each
  ignored: int = 0  # of so many SYNs the server's machine ignores one; 0: none
  client: str = '10.10.0.5'
  label: str = 'crowd'


@dataclass
class Device:
  """What is rewritten between the ends."""

  address: bool = True
  ports: bool = True
  numbers: bool = True
  ids: bool = False
  relay: bool = False  # it ends the client's connection, and opens its own to the server
  loses: int = 0  # of so many questions one is lost on its way, and sent again; 0: none


@dataclass
class Window:
  """What a capture has: from and to which part of the whole time, and how its clock is off."""

  begin: float = 0.0
  end: float = 1.0
  clock_ns: int = 0
  missed: float = 0.0
  snap: int = 65535
  twice: bool = False
  skip: int = 0  # of so many connections one is not captured; 0: all are


@dataclass
class Member:
  """One connection: its packets, and its ends at either end of the way."""

  conversation: Conversation
  beyond: Conversation | None = None  # from the relay to the server
  ends: dict = field(default_factory=dict)  # of each capture: the client's address and port
  shift: dict = field(default_factory=dict)  # of each sender: sequence numbers at the server minus at the client


def random_bytes(label, size):
  return hashlib.shake_256(label.encode()).digest(size)


def tls_record(kind, body):
  return struct.pack('!BHH', kind, 0x303, len(body)) + body


def hello(kind, label):
  body = struct.pack('!H', 0x303) + random_bytes(label, 32) + b'\x00' + struct.pack('!HH', 2, 0xC030) + b'\x01\x00\x00\x00'
  return message(0x12, tls_record(22, struct.pack('!I', kind << 24 | len(body)) + body))


def lengths_of(crowd, label, number):
  """Of one question and its answer, without TLS's own bytes."""
  if crowd.lengths == 'same':
    return 180, 700
  chance = random.Random(f'{label.split("/")[-1] if crowd.lengths == "program" else label}/{number}')
  return (chance.choice((150, 180, 210)), chance.choice((500, 700, 900))) if crowd.lengths == 'few' else (
      chance.randrange(60, 400), chance.randrange(60, 1400))


def exchange(crowd, label, number):
  """One question and its answer."""
  if crowd.contents == 'tls':
    asked, answered = lengths_of(crowd, label, number)
    return (tls_record(23, random_bytes(f'{label}/q{number}', asked)), tls_record(23, random_bytes(f'{label}/a{number}', answered)))
  text = 'SELECT name FROM orders' if crowd.contents == 'clear' else f'SELECT name FROM orders WHERE id = {label}-{number}'
  return batch(text), message(4, result_body(400))


def messages(crowd, label):
  """The login's messages and then the questions'."""
  out = [(prelogin(encrypt='on', from_client=True, label='same', trace_id=False),
      prelogin(encrypt='on', from_client=False, label='same', trace_id=False))]
  if crowd.contents == 'tls':
    out.append((hello(1, label + '/client'), hello(2, label + '/server')))
  return out + [exchange(crowd, label, number) for number in range(crowd.questions)]


def ask_in_vain(conversation, start):
  for seconds in (0, 1, 3, 7):
    conversation.send('client', SYN, time=start + seconds * SECOND, offset=0)


def play(crowd, conversation, start, label, ahead_ns=0, loses=0):
  """ahead_ns: so much earlier each question leaves, and later each answer, than at the other side of a relay; loses: as a Device."""
  send = conversation.send
  send('client', SYN, time=start)
  send('server', SYN | ACK, time=conversation.now_at('server'))
  send('client', ACK, time=conversation.now_at('client'))
  asked = start + LOGIN_PACE_NS
  for number, (question, answer) in enumerate(messages(crowd, label)):
    asked += crowd.question_ns if number > 1 else LOGIN_PACE_NS
    if crowd.together and number > 1:
      asked = -(-asked // crowd.question_ns) * crowd.question_ns
    lost = loses > 0 and number > 1 and number % loses == 0
    send('client', ACK | PSH, question, time=asked - ahead_ns, delivery=Delivery(lost=lost))
    if lost:
      conversation.send_again('client', time=asked + conversation.ends['client'].host.rto)
    work_ns = random.Random(f'{label}{number}').randrange(3 * MILLISECOND) + 2 * ahead_ns
    send('server', ACK | PSH, answer, time=conversation.now_at('server') + work_ns)
    send('client', ACK, time=conversation.now_at('client'))
  send('client', FIN | ACK, time=conversation.now_at('client') + MILLISECOND)
  send('server', FIN | ACK, time=conversation.now_at('server'))
  send('client', ACK, time=conversation.now_at('client'))


def number_packets(crowd, members):
  """One machine's connections have one clock, and perhaps one counter of IP IDs."""
  for side in SIDES:
    packets = sorted((p for m in members for p in m.conversation.packets if p.sender == side), key=lambda p: p.sent)
    for number, packet in enumerate(packets):
      if crowd.ip_ids != 'connection':
        packet.ip_id = 0 if crowd.ip_ids == 'none' else (number + 77) & 0xFFFF


def gather(crowd, device, seed=1):
  """The connections, and how the device shows them to the server."""
  chance, members = random.Random(f'{crowd.label}{seed}'), []
  outside = chance.sample(range(20000, 60000), crowd.count)
  system = 'linux' if crowd.timestamps else 'windows'
  for number in range(crowd.count):
    label = f'{crowd.label}{seed}/{number}'
    slot = crowd.spread_ns // crowd.count
    start = number * slot + chance.randrange(slot)
    port = 50000 + (number % crowd.ports if crowd.ports else number)
    conversation = Conversation(label, Host(crowd.client, port, system), Host(SERVER, 1433, system), rtt=4 * MILLISECOND, start=start)
    conversation.ends['client'].clock_base, conversation.ends['server'].clock_base = 7_000_000, 90_000_000
    if crowd.ignored and number % crowd.ignored == 0:
      ask_in_vain(conversation, start)
    else:
      play(crowd, conversation, start, label, RELAY_NS if device.relay else 0, device.loses)
    shown = (OUTSIDE if device.address else crowd.client, outside[number] if device.ports else port)
    shift = {side: chance.randrange(1 << 32) if device.numbers else 0 for side in SIDES}
    beyond = None
    if device.relay:
      beyond = Conversation(f'relay/{label}', Host(*shown, 'linux'), Host(SERVER, 1433, system), rtt=4 * MILLISECOND, start=start)
      play(crowd, beyond, start, label)
    members.append(Member(conversation, beyond, {'client': (crowd.client, port), 'server': shown}, shift))
  number_packets(crowd, members)
  return members


def seen_at(member, packet, side, device):
  """The packet as that end's capture has it; TCP's checksum is made anew, as a device does."""
  if side == 'client' or member.beyond:
    return ip_packet(packet, vantage=side, hops=3, offload=False)
  address, port = member.ends['server']
  other = 'server' if packet.sender == 'client' else 'client'
  ends = {name: replace_host(end, address, port) if name == 'client' else end for name, end in member.conversation.ends.items()}
  shown = replace(packet, conversation=Ends(ends), seq=(packet.seq + member.shift[packet.sender]) & 0xFFFFFFFF)
  if packet.flags & ACK:
    shown.ack = (packet.ack + member.shift[other]) & 0xFFFFFFFF
  if device.ids:
    shown.ip_id = random.Random(f'{packet.sent}{packet.seq}').randrange(1, 1 << 16)
  return ip_packet(shown, vantage=side, hops=3, offload=False)


@dataclass
class Ends:
  ends: dict


@dataclass
class ShownEnd:
  host: Host


def replace_host(end, address, port):
  return ShownEnd(replace(end.host, address=address, port=port))


def capture(members, side, window, device, seed=1):
  """What that end's capture has of them."""
  times = [p.sent for m in members for p in m.conversation.packets]
  first, last = min(times), max(times)
  begin, end = (first + int((last - first) * share) for share in (window.begin, window.end))
  chance, records = random.Random(f'{side}{seed}'), []
  for number, member in enumerate(members):
    if window.skip and number % window.skip == (0 if side == 'client' else 1):
      continue
    for packet in (member.beyond if side == 'server' and member.beyond else member.conversation).packets:
      at = packet.sent if packet.sender == side else packet.arrives
      if at is None or not begin <= at <= end or chance.random() < window.missed:
        continue
      frame = seen_at(member, packet, side, device)
      record = Record(BEGIN_NS + at + window.clock_ns, frame[:window.snap], len(frame))
      records += [record, replace(record, time_ns=record.time_ns + 2000)] if window.twice else [record]
  return Capture([101], sorted(records, key=lambda r: r.time_ns))


def losses(members, windows):
  """By the client's end: how many packets left the client while all captures ran, and were lost."""
  times = [p.sent for m in members for p in m.conversation.packets]
  shares = max(window.begin for window in windows), min(window.end for window in windows)
  begin, end = (min(times) + int((max(times) - min(times)) * share) for share in shares)
  return {m.ends['client']: sum(p.arrives is None and begin <= p.sent <= end for p in m.conversation.packets) for m in members}


def endpoint_of(end):
  return str(ipaddress.ip_address(end['address'])), end['port']
