"""One TCP conversation: who sends what when, what each end has received by then, and the IP packets that result.

Follows RFC 9293 (TCP), 7323 (window scale, timestamps), 2018 and 2883 (SACK, D-SACK), 791 and 8200 (IP).
"""

import hashlib
import ipaddress
import struct
from dataclasses import dataclass, field

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
MICROSECOND, MILLISECOND, SECOND = 1_000, 1_000_000, 1_000_000_000
OTHER = {'client': 'server', 'server': 'client'}
SAME_SIDE_GAP = 20 * MICROSECOND
TURN_GAP = 150 * MICROSECOND
FLIGHT_SEGMENTS = 12


@dataclass
class Host:
  """One end, and how its operating system's packets look."""

  address: str
  port: int
  system: str = 'windows'

  @property
  def ttl(self):
    return 128 if self.system == 'windows' else 64

  @property
  def timestamps(self):
    return self.system == 'linux'

  @property
  def scale(self):
    return 8 if self.system == 'windows' else 7

  @property
  def keep_alive_bytes(self):
    return 1 if self.system == 'windows' else 0

  @property
  def rto(self):
    return 300 * MILLISECOND if self.system == 'windows' else 200 * MILLISECOND


@dataclass
class Packet:
  """A packet of a conversation: when it left, when it arrived (None: lost), and what it says."""

  conversation: object
  sender: str
  sent: int
  arrives: int | None
  flags: int
  seq: int
  ack: int
  window: int
  payload: bytes = b''
  options: bytes = b''
  ttl: int | None = None
  ip_id: int = 0
  bad_checksum: bool = False
  by_device: bool = False
  unseen_by: tuple = ()
  seen_twice_after: int | None = None
  fragment_bytes: int | None = None
  altered: bool = False

  @property
  def length(self):
    return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)

  @property
  def carries_data(self):
    return self.length > 0


@dataclass
class Delivery:
  """How a packet travels; the modifiers of a scene line."""

  lost: bool = False
  delay: int = 0
  unseen_by: tuple = ()
  dup: int | None = None
  ttl: int | None = None
  ip_id: int | None = None
  window: int | None = None
  ack: int | None = None  # bytes of the other side's, its SYN among them
  bad_checksum: bool = False
  fragment_bytes: int | None = None
  altered: bool = False


class End:
  """The state of one side."""

  def __init__(self, host, label):
    digest = hashlib.sha256(label.encode()).digest()
    self.host = host
    self.isn = int.from_bytes(digest[:4], 'big')
    self.next_ip_id = int.from_bytes(digest[4:6], 'big')
    self.clock_base = int.from_bytes(digest[8:11], 'big')
    self.sent_bytes = 0
    self.syn_sent = False
    self.window = 65535 if host.system == 'windows' else 64240
    self.in_flight = []
    self.received_to = 0
    self.peer_known = False
    self.held = []
    self.duplicate = None
    self.recent_hole = None
    self.resendable = []

  def take_ip_id(self):
    self.next_ip_id = (self.next_ip_id + 1) & 0xFFFF
    return self.next_ip_id

  def receive_until(self, time):
    """Takes in what has arrived by `time`; sequence space counts from the peer's ISN."""
    due = sorted((p for p in self.in_flight if p[0] <= time), key=lambda p: p[0])
    self.in_flight = [p for p in self.in_flight if p[0] > time]
    for _, start, end in due:
      self.peer_known = True
      if end <= self.received_to:
        self.duplicate = (start, end)
        continue
      self.held.append((start, end))
      self.held.sort()
      self.recent_hole = (start, end)
      while self.held and self.held[0][0] <= self.received_to:
        self.received_to = max(self.received_to, self.held.pop(0)[1])

  def sack_ranges(self):
    ranges = []
    for start, end in self.held:
      if ranges and start <= ranges[-1][1]:
        ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
      else:
        ranges.append((start, end))
    recent = [r for r in ranges if self.recent_hole and r[0] <= self.recent_hole[0] < r[1]]
    return recent + [r for r in ranges if r not in recent]


class Conversation:
  """Packets between two hosts on one pair of ports. Times are nanoseconds from the start of the scene."""

  def __init__(self, name, client, server, *, rtt, mss=1460, start=0, sack=True):
    self.name = name
    self.rtt = rtt
    self.mss = mss
    self.sack = sack
    self.timestamps = client.timestamps and server.timestamps
    label = f'{name}/{client.address}/{client.port}/{server.address}/{server.port}'
    self.label = label
    self.ends = {'client': End(client, label + '/client'), 'server': End(server, label + '/server')}
    self.packets = []
    self.start = start
    self.last_packet = None

  def now_at(self, side):
    """When `side` may act next: after its own last packet, or after the other's arrived."""
    if self.last_packet is None:
      return self.start
    return self.clock_of(side) + (SAME_SIDE_GAP if self.last_packet.sender == side else TURN_GAP)

  def clock_of(self, side):
    """When `side` last had to do with the conversation."""
    last = self.last_packet
    if last is None:
      return self.start
    return last.sent if last.sender == side or last.arrives is None else last.arrives

  def moment(self, side, gap=None, at=None):
    if at is not None:
      return at
    if gap is not None:
      return self.clock_of(side) + gap
    return self.now_at(side)

  def syn_options(self, side, time):
    end = self.ends[side]
    mss = struct.pack('!BBH', 2, 4, self.mss)
    if end.host.system == 'scanner':
      return mss
    if self.timestamps or (side == 'client' and end.host.timestamps):
      return mss + b'\x04\x02' + self.timestamp_option(side, time) + b'\x01' + bytes([3, 3, end.host.scale])
    return mss + b'\x01' + bytes([3, 3, end.host.scale]) + b'\x01\x01\x04\x02'

  def timestamp_option(self, side, time):
    end, peer = self.ends[side], self.ends[OTHER[side]]
    echo = 0
    if end.peer_known:
      echo = (peer.clock_base + max(0, time - self.rtt // 2) // MILLISECOND) & 0xFFFFFFFF
    value = (end.clock_base + time // MILLISECOND) & 0xFFFFFFFF
    return struct.pack('!BBII', 8, 10, value, echo)

  def plain_options(self, side, time, dsack=False):
    end, peer = self.ends[side], self.ends[OTHER[side]]
    out = b''
    if self.timestamps:
      out += b'\x01\x01' + self.timestamp_option(side, time)
    ranges = end.sack_ranges()[:3]
    if dsack and end.duplicate:
      ranges.insert(0, end.duplicate)
    if self.sack and ranges:
      blocks = [struct.pack('!II', (peer.isn + a) & 0xFFFFFFFF, (peer.isn + b) & 0xFFFFFFFF) for a, b in ranges]
      out += b'\x01\x01' + struct.pack('!BB', 5, 2 + 8 * len(blocks)) + b''.join(blocks)
    return out

  def send(self, side, flags, payload=b'', *, time, offset=None, delivery=None, dsack=False):
    """Makes one packet that leaves `side` at `time`. `offset` places it in sequence space for a retransmission."""
    delivery = delivery or Delivery()
    end, peer = self.ends[side], self.ends[OTHER[side]]
    end.receive_until(time)
    start = end.sent_bytes if offset is None else offset
    if flags & SYN:
      options = self.syn_options(side, time)
    elif flags & RST and not (end.peer_known and self.timestamps and flags & ACK):
      options = b''
    else:
      options = self.plain_options(side, time, dsack)
    window = end.window if flags & (SYN | RST) else end.window >> end.host.scale
    if delivery.window is not None:
      window = delivery.window
    elif flags & RST:
      window = 0
    quiet_id = end.host.system == 'linux' and flags & (SYN | RST) and flags != SYN
    ip_id = 0 if quiet_id else end.take_ip_id()
    packet = Packet(
      conversation=self,
      sender=side,
      sent=time,
      arrives=None if delivery.lost else time + self.rtt // 2 + delivery.delay,
      flags=flags,
      seq=(end.isn + start) & 0xFFFFFFFF if end.syn_sent or flags & SYN else 0,
      ack=(peer.isn + (end.received_to if delivery.ack is None else delivery.ack)) & 0xFFFFFFFF if flags & ACK else 0,
      window=window,
      payload=payload,
      options=options,
      ttl=delivery.ttl,
      ip_id=ip_id if delivery.ip_id is None else delivery.ip_id,
      bad_checksum=delivery.bad_checksum,
      unseen_by=delivery.unseen_by,
      seen_twice_after=delivery.dup,
      fragment_bytes=delivery.fragment_bytes,
      altered=delivery.altered,
    )
    if flags & SYN:
      end.syn_sent = True
    self.packets.append(packet)
    self.note(packet, side, start, offset is None)
    return packet

  def note(self, packet, side, start, is_new):
    end, peer = self.ends[side], self.ends[OTHER[side]]
    if packet.carries_data and packet.arrives is not None:
      peer.in_flight.append((packet.arrives, start, start + packet.length))
    if packet.carries_data:
      end.resendable = [r for r in end.resendable if r[0] != start]
      end.resendable.append((start, packet.flags, packet.payload, packet.arrives is None))
    if is_new:
      end.sent_bytes = max(end.sent_bytes, start + packet.length)
    self.last_packet = packet

  def send_again(self, side, *, time, delivery=None, split=()):
    """Retransmits the oldest segment of `side` that was lost, else its newest one; in pieces of the sizes in `split`."""
    candidates = self.ends[side].resendable
    if not candidates:
      raise ValueError(f'{side} has nothing to send again')
    lost = [r for r in candidates if r[3]]
    start, flags, payload, _ = lost[0] if lost else candidates[-1]
    for part in self.segments(payload, split) if split else [payload]:
      self.send(side, flags, part, time=time, offset=start, delivery=delivery)
      start += len(part)
      time += SAME_SIDE_GAP

  def keep_alive(self, side, *, time, delivery=None):
    end = self.ends[side]
    data = b'\0' * end.host.keep_alive_bytes
    kept = list(end.resendable)
    packet = self.send(side, ACK, data, time=time, offset=end.sent_bytes - 1, delivery=delivery)
    end.resendable = kept
    return packet

  def device_packet(self, to, flags, *, time, delivery):
    """A packet that a device on the way sends in the other end's name; only `to` receives it."""
    forged = OTHER[to]
    end, peer = self.ends[forged], self.ends[to]
    end.receive_until(time)
    packet = Packet(
      conversation=self, sender=forged, sent=time, arrives=time, flags=flags,
      seq=(end.isn + end.sent_bytes) & 0xFFFFFFFF,
      ack=(peer.isn + (end.received_to if delivery.ack is None else delivery.ack)) & 0xFFFFFFFF if flags & ACK else 0,
      window=delivery.window or 0, ttl=delivery.ttl or 60, ip_id=delivery.ip_id or 0, by_device=True,
      unseen_by=(forged,), seen_twice_after=delivery.dup,
    )
    self.packets.append(packet)
    self.last_packet = packet
    return packet

  def segments(self, payload, split=()):
    room = self.mss - (12 if self.timestamps else 0)
    out = []
    for size in split:
      if payload:
        out.append(payload[:size])
        payload = payload[size:]
    return out + [payload[i : i + room] for i in range(0, len(payload), room)]

  def send_message(self, side, payload, *, time, split=(), lose=(), drop=(), delivery=None, giant=False):
    """Sends a message as segments; a long one in flights that the other side acknowledges. What is dropped stays lost."""
    parts = [payload] if giant else self.segments(payload, split)
    if len(parts) > 3 and not split and not drop or lose:
      self.send_flights(side, parts, time, set(lose), delivery)
      return
    for number, part in enumerate(parts, 1):
      last = PSH if number == len(parts) else 0
      fate = Delivery(**{**vars(delivery or Delivery()), 'lost': number in drop}) if drop else delivery
      self.send(side, ACK | last, part, time=time, delivery=fate)
      time += SAME_SIDE_GAP

  def send_flights(self, side, parts, time, lose, delivery):
    """Theory of operation: a flight of segments leaves; the receiver acknowledges every second one, or at once
    (with SACK) while a hole is open. Three duplicate acknowledgements make the sender resend at once, else it
    waits for its timer. The next flight leaves when the last acknowledgement is in."""
    receiver = OTHER[side]
    for first in range(0, len(parts), FLIGHT_SEGMENTS):
      flight = parts[first : first + FLIGHT_SEGMENTS]
      sent, holes = [], []
      for number, part in enumerate(flight, first + 1):
        last = PSH if number == len(parts) else 0
        fate = Delivery(**{**vars(delivery or Delivery()), 'lost': number in lose})
        start = self.ends[side].sent_bytes
        packet = self.send(side, ACK | last, part, time=time, delivery=fate)
        sent.append(packet)
        if number in lose:
          holes.append((start, last, part, time + self.rtt // 2))
        time += 15 * MICROSECOND
      acks = self.acknowledge(receiver, sent)
      if holes:
        time = self.resend_holes(side, sent, acks, holes)
      elif acks:
        time = acks[-1].arrives + 10 * MICROSECOND

  def acknowledge(self, receiver, packets):
    arrived = [p for p in packets if p.arrives is not None]
    gap_open = any(p.arrives is None for p in packets)
    acks, hole_seen = [], False
    for index, packet in enumerate(packets):
      if packet.arrives is None:
        hole_seen = True
        continue
      last = packet is arrived[-1]
      if hole_seen or index % 2 == 1 or (last and not gap_open):
        acks.append(self.send(receiver, ACK, time=packet.arrives + 5 * MICROSECOND))
    return acks

  def resend_holes(self, side, sent, acks, holes):
    end = self.ends[side]
    hole = (end.isn + holes[0][0]) & 0xFFFFFFFF
    duplicates = [a for a in acks if a.ack == hole and a.sent > holes[0][3]]
    after_loss = [a for a in acks if a.sent > sent[0].sent]
    fast = len(duplicates) >= 3
    time = duplicates[2].arrives + 10 * MICROSECOND if fast else max(sent[-1].sent, 0) + end.host.rto + self.rtt
    if not fast and after_loss:
      time = max(time, after_loss[-1].arrives + 10 * MICROSECOND)
    answer = None
    for start, last, part, _ in holes:
      packet = self.send(side, ACK | last, part, time=time, offset=start)
      answer = self.send(OTHER[side], ACK, time=packet.arrives + 5 * MICROSECOND)
      time = max(time, answer.arrives if not fast else time) + 20 * MICROSECOND
    return answer.arrives + 10 * MICROSECOND


def ones_complement_sum(data):
  if len(data) % 2:
    data += b'\0'
  value = int.from_bytes(data, 'big')
  return value % 0xFFFF or (0xFFFF if value else 0)


def tcp_checksum(source, destination, segment, *, only_pseudo_header=False):
  """The checksum, or what a stack leaves for the network card to finish: the pseudo header's sum."""
  if len(source) == 4:
    pseudo = source + destination + struct.pack('!BBH', 0, 6, len(segment))
  else:
    pseudo = source + destination + struct.pack('!II', len(segment), 6)
  if only_pseudo_header:
    return ones_complement_sum(pseudo)
  return ~ones_complement_sum(pseudo + segment) & 0xFFFF


def ip_packet(packet, *, vantage, hops, offload, translated=None):
  """The bytes of a packet as a capture at `vantage` shows them."""
  ends = packet.conversation.ends
  source, destination = ends[packet.sender].host, ends[OTHER[packet.sender]].host
  options = packet.options + b'\x01' * (-len(packet.options) % 4)
  segment = struct.pack(
    '!HHIIBBHHH', source.port, destination.port, packet.seq, packet.ack, (5 + len(options) // 4) << 4,
    packet.flags, packet.window, 0, 0,
  ) + options + packet.payload
  shown = [(translated or {}).get(host.address, host.address) for host in (source, destination)]
  here, there = (ipaddress.ip_address(address).packed for address in shown)
  outgoing = packet.sender == vantage and not packet.by_device
  checksum = tcp_checksum(here, there, segment, only_pseudo_header=offload and outgoing)
  if packet.bad_checksum:
    checksum ^= 0x5A5A
  segment = segment[:16] + struct.pack('!H', checksum) + segment[18:]
  ttl = packet.ttl if packet.ttl is not None else source.ttl - (0 if outgoing else hops)
  if len(here) == 16:
    return struct.pack('!IHBB', 0x60000000, len(segment), 6, ttl) + here + there + segment
  total = 20 + len(segment)
  head = struct.pack('!BBHHHBBH', 0x45, 0, total if total < 65536 else 0, packet.ip_id, 0x4000, ttl, 6, 0)
  head += here + there
  return head[:10] + struct.pack('!H', ~ones_complement_sum(head) & 0xFFFF) + head[12:] + segment


def ip_fragments(data, size):
  """An IPv4 packet as fragments of so many bytes each (RFC 791, 3.2); size None: whole."""
  if size is None:
    return [data]
  head, body, out = data[:20], data[20:], []
  for at in range(0, len(body), size):
    part, more = body[at : at + size], 0x2000 if at + size < len(body) else 0
    new = head[:2] + struct.pack('!H', 20 + len(part)) + head[4:6] + struct.pack('!H', more | at // 8) + head[8:10]
    new += b'\0\0' + head[12:]
    out.append(new[:10] + struct.pack('!H', ~ones_complement_sum(new) & 0xFFFF) + new[12:] + part)
  return out
