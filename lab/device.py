"""The device between the machines: a router in user space that can drop, hold, copy, rewrite, refuse and forge.

It runs as a process of its own. It routes by destination address, takes one off the TTL, and applies the rules that it
has been given. A rule is a dict:

  do      drop | hold | delay | reorder | copy | ttl | clamp
          unscale (takes the window scale out of SYNs) | damage (payload, not the checksum)
          police (drops what is more than `bytes_per_s`, after a burst of `burst` bytes)
          synproxy (makes the client's handshake in the server's name, with `ttl`, and its own with the server after that)
          answer (in the server's name; with `passes` the server answers, too; with `takes` it acknowledges data)
          refuse (by ICMP, with `code` and `mtu`; IPv4 only) | reject (by a reset in the other end's name, with `ttl`)
  flow    ((client address, port), (server address, port)) as the client sees them; None: everything
  way     'to_server' | 'to_client' | None: both
  only    'syn' | 'synack' | 'data' | 'big' (of `bytes` and more) | 'bare' | 'reset' | 'old' (all but SYNs) | 'udp' | None: all of them
  chance  0..1, default 1;  count: how often at most, default without end;  skip: let the first ones pass
"""

import heapq
import itertools
import multiprocessing
import os
import random
import select
import socket
import struct
import time

from hosts import enter_namespace
from packets import ACK, RST, SYN, Packet, build_icmp_unreachable, build_tcp, ones_sum, packed, split_giant

SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
VNET_BYTES = 10
NEEDS_CHECKSUM = 1
ALL_PROTOCOLS = 0x0003
BIG_BYTES = 1400
DEVICE_ADDRESS = '10.254.254.254'  # whom its ICMP messages come from
ROUTER_PRIORITY = -15  # the path must not stutter because the machine that runs the lab is busy


class Device:
  """What scripts hold: sends commands to the process, and waits until each is carried out."""

  def __init__(self, namespace, links, seed):
    self.pipe, other = multiprocessing.Pipe()
    self.lock = multiprocessing.Lock()
    self.process = multiprocessing.Process(target=_main, args=(namespace, links, seed, other), daemon=True)
    self.process.start()
    other.close()
    self.ask('ready')

  def ask(self, what, *values):
    with self.lock:
      self.pipe.send((what, values))
      return self.pipe.recv()

  def rule(self, do, flow=None, way=None, **more):
    """Adds a rule, and returns its number."""
    return self.ask('rule', dict(do=do, flow=flow, way=way, **more))

  def lift(self, number):
    return self.ask('lift', number)

  def path(self, to_server_s, to_client_s, jitter_s=0.0, hops=1):
    """The usual one-way times, and how many routers the path seems to have."""
    return self.ask('path', to_server_s, to_client_s, jitter_s, hops)

  def forge_reset(self, flow, to, ttl=None, with_ack=True):
    """A reset in the name of the other end, to 'client' or 'server'; ttl None: as the other end's packets arrive."""
    return self.ask('reset', flow, to, ttl, with_ack)

  def translate(self, flow, as_seen):
    """Address translation: the server sees and answers `as_seen`, a flow like the client's."""
    return self.ask('translate', flow, as_seen)

  def shift_numbers(self, flow, to_server, to_client):
    """Randomises sequence numbers as some firewalls do: adds a constant to each direction's."""
    return self.ask('shift', flow, to_server, to_client)

  def move(self, address, to_address):
    """What is sent to `address` goes to the machine that has `to_address` from now on."""
    return self.ask('move', address, to_address)

  def giants(self, passed_on):
    """Whether frames above the MTU arrive as they were handed to the card (as after receive offload), or in segments."""
    return self.ask('giants', passed_on)

  def tally(self):
    """{flow: {'dropped to_server': n, ...}}"""
    return self.ask('tally')

  def close(self):
    self.pipe.close()
    self.process.join(2)
    if self.process.is_alive():
      self.process.kill()


def _main(namespace, links, seed, pipe):
  os.setpriority(os.PRIO_PROCESS, 0, ROUTER_PRIORITY)
  enter_namespace(f'/run/netns/{namespace}')
  Router(links, random.Random(seed), pipe).run()


class Flow:
  """What the device remembers of one TCP conversation; the ends as the client sees them, packed."""

  def __init__(self, client, server):
    self.client, self.server = client, server
    self.next_seq = {'to_server': 0, 'to_client': 0}
    self.ttl = {'to_server': 64, 'to_client': 64}
    self.shift = {'to_server': 0, 'to_client': 0}
    self.tally = {}
    self.proxied = {'asked': False, 'made': False, 'waiting': []}  # by a SYN proxy

  def count(self, what):
    self.tally[what] = self.tally.get(what, 0) + 1


class Router:
  """The process itself. `links` are dicts: name, mac, device_mac, addresses, side ('client' or 'server')."""

  def __init__(self, links, rng, pipe):
    self.rng, self.pipe = rng, pipe
    self.ports, self.routes = {}, {}
    for link in links:
      port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
      port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
      port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
      port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
      port.bind((link['link'], ALL_PROTOCOLS))
      port.setblocking(False)
      self.ports[port] = link
      ethernet = bytes.fromhex((link['mac'] + link['device_mac']).replace(':', ''))
      for address in link['addresses']:
        self.routes[packed(address)] = (port, ethernet, link['side'])
    self.flows, self.rules, self.outside, self.clamps = {}, {}, {}, {}
    self.waiting, self.held, self.order, self.numbers = [], {}, itertools.count(), itertools.count(1)
    self.delay_s = {'to_server': 0.0005, 'to_client': 0.0005}
    self.jitter_s, self.last_due = 0.0, {}
    self.pass_giants, self.hops = False, 1

  def run(self):
    while True:
      timeout = max(0.0, self.waiting[0][0] - time.monotonic()) if self.waiting else None
      readable, _, _ = select.select([self.pipe, *self.ports], [], [], timeout)
      for source in readable:
        if source is self.pipe:
          try:
            what, values = self.pipe.recv()
          except EOFError:
            return
          self.pipe.send(getattr(self, 'do_' + what)(*values))
        else:
          self.receive(source)
      self.send_due()

  # What scripts ask for.

  def do_ready(self):
    return True

  def do_path(self, to_server_s, to_client_s, jitter_s, hops):
    self.delay_s, self.jitter_s, self.hops = {'to_server': to_server_s, 'to_client': to_client_s}, jitter_s, hops

  def do_move(self, address, to_address):
    self.routes[packed(address)] = self.routes[packed(to_address)]

  def do_giants(self, passed_on):
    self.pass_giants = passed_on

  def do_rule(self, rule):
    number = next(self.numbers)
    rule['flow'] = rule['flow'] and _packed_flow(rule['flow'])
    self.rules[number] = rule
    return number

  def do_lift(self, number):
    rule = self.rules.pop(number, None)
    for flow, way, packet in self.held.pop(number, []):
      self.schedule(flow, way, packet, 0.0)
    return rule.get('hits', 0) if rule else 0

  def do_translate(self, flow, as_seen):
    inner, outer = _packed_flow(flow), _packed_flow(as_seen)
    self.outside[outer] = inner
    self.flow_of(inner).outer = outer
    for (seen, _), (own, _) in zip(outer, inner):  # one of the two belongs to a machine
      self.routes.setdefault(seen, self.routes.get(own))
      self.routes.setdefault(own, self.routes.get(seen))

  def do_shift(self, flow, to_server, to_client):
    self.flow_of(_packed_flow(flow)).shift = {'to_server': to_server, 'to_client': to_client}

  def do_tally(self):
    return {key: flow.tally for key, flow in self.flows.items()}

  def do_reset(self, flow, to, ttl, with_ack):
    self.forge(self.flow_of(_packed_flow(flow)), 'to_' + to, ttl, with_ack)

  def forge(self, flow, way, ttl, with_ack):
    back = 'to_client' if way == 'to_server' else 'to_server'
    source, target = (flow.client, flow.server) if way == 'to_server' else (flow.server, flow.client)
    packet = build_tcp(source, target, seq=flow.next_seq[way], ack=flow.next_seq[back] if with_ack else 0,
                       flags=RST | (ACK if with_ack else 0), ttl=ttl or flow.ttl[way] - self.hops)
    self.schedule(flow, way, packet, 0.0, forged=True)

  # What packets go through.

  def flow_of(self, key):
    if key not in self.flows:
      self.flows[key] = Flow(*key)
    return self.flows[key]

  def receive(self, port):
    for _ in range(64):
      try:
        data = port.recv(70000)
      except BlockingIOError:
        return
      flags, gso_type, _, gso_bytes, start, offset = struct.unpack_from('=BBHHHH', data)
      packet = Packet(data[VNET_BYTES:])
      if not packet.version:
        continue
      packet.vnet = bytes(VNET_BYTES)
      if gso_type and self.pass_giants:
        packet.vnet = data[:VNET_BYTES]
        self.route(self.ports[port], packet)
      elif gso_type and packet.is_tcp:
        for piece in split_giant(packet, gso_bytes):
          piece.vnet = bytes(VNET_BYTES)
          self.route(self.ports[port], piece)
      else:
        if flags & NEEDS_CHECKSUM:
          _complete_checksum(packet, start, offset)
        self.route(self.ports[port], packet)

  def route(self, link, packet):
    way = 'to_server' if link['side'] == 'client' else 'to_client'
    flow = None
    if packet.is_tcp:
      source, target = packet.ends
      key = (source, target) if way == 'to_server' else (target, source)
      if way == 'to_client' and key in self.outside:
        key = self.outside[key]
      flow = self.flow_of(key)
      flow.next_seq[way] = packet.next_seq
      flow.ttl[way] = packet.ttl
    wait_s = 0.0
    for number, rule in list(self.rules.items()):
      if not self.applies(rule, flow, way, packet):
        continue
      if rule['do'] == 'police' and _within_rate(rule, packet):
        continue
      rule['hits'] = rule.get('hits', 0) + 1
      if flow:
        flow.count(f'{"drop" if rule["do"] == "police" else rule["do"]} {way}')
      if rule['do'] in ('drop', 'police'):
        return
      if rule['do'] == 'synproxy':
        if self.proxy_handshake(flow, way, packet, rule):
          return
        continue
      if rule['do'] == 'hold':
        self.held.setdefault(number, []).append((flow, way, packet))
        return
      wait_s += self.obey(rule, flow, way, packet)
      if rule['do'] in ('answer', 'refuse', 'reject') and not rule.get('passes'):
        return
    self.schedule(flow, way, packet, wait_s)

  def applies(self, rule, flow, way, packet):
    if rule['way'] not in (None, way) or (rule['flow'] and (flow is None or (flow.client, flow.server) != rule['flow'])):
      return False
    if rule.get('to_port') and not (packet.is_tcp and rule['to_port'] in (packet.sport, packet.dport)):
      return False
    if not _is_kind(rule.get('only'), packet, rule.get('bytes', BIG_BYTES)) or self.rng.random() >= rule.get('chance', 1.0):
      return False
    seen = rule['seen'] = rule.get('seen', 0) + 1
    return rule.get('skip', 0) < seen <= rule.get('skip', 0) + rule.get('count', 1 << 60)

  def obey(self, rule, flow, way, packet):
    """Carries out a rule that lets the packet pass; returns how much longer it takes, in seconds."""
    what = rule['do']
    if what == 'delay':
      return rule['seconds']
    if what == 'reorder':
      packet.overtaken = True
      return rule['seconds']
    if what == 'copy':
      copy = Packet(bytes(packet.frame))
      copy.vnet = packet.vnet
      self.schedule(flow, way, copy, rule.get('seconds', 0.0))
    elif what == 'ttl':
      packet.set_ttl(rule['ttl'] + self.hops)
    elif what == 'clamp' and packet.flags & SYN:
      for kind, at, _ in packet.options():
        if kind == 2:
          struct.pack_into('!H', packet.frame, at + 2, min(rule['mss'], struct.unpack_from('!H', packet.frame, at + 2)[0]))
      packet.fix_checksums()
    elif what == 'unscale' and packet.flags & SYN:
      for kind, at, _ in packet.options():
        if kind == 3:
          packet.frame[at:at + 3] = b'\1\1\1'
      packet.fix_checksums()
    elif what == 'damage' and packet.payload_bytes:
      packet.frame[packet.l7 + packet.payload_bytes // 2] ^= 0x40
    elif what == 'answer':
      self.answer(flow, packet, rule)
    elif what == 'reject' and not packet.flags & RST:
      self.reject(flow, way, packet, rule)
    elif what == 'refuse':
      report = build_icmp_unreachable(packet, packed(DEVICE_ADDRESS), rule['code'], rule.get('mtu', 0), ttl=64)
      self.schedule(None, 'to_client' if way == 'to_server' else 'to_server', report, 0.0, forged=True)
    return 0.0

  def reject(self, flow, way, packet, rule):
    """Refuses a packet as the machine would that it goes to (RFC 9293, 3.10.7.1)."""
    back = 'to_client' if way == 'to_server' else 'to_server'
    source, target = (flow.server, flow.client) if way == 'to_server' else (flow.client, flow.server)
    numbers = ({'seq': packet.ack, 'ack': 0, 'flags': RST} if packet.flags & ACK
               else {'seq': 0, 'ack': packet.next_seq, 'flags': RST | ACK})
    reset = build_tcp(source, target, ttl=rule.get('ttl') or flow.ttl[back] - self.hops, **numbers)
    self.schedule(flow, back, reset, rule.get('seconds', 0.0), forged=True)

  def proxy_handshake(self, flow, way, packet, rule):
    """A SYN proxy: answers the client's SYN itself, and makes the server's handshake when the client has answered that. Returns
    whether the packet ends here."""
    state = flow.proxied
    if way == 'to_server' and packet.flags & SYN:
      state['client'] = packet.seq
      state.setdefault('server', self.rng.randrange(1 << 32))
      answer = build_tcp(flow.server, flow.client, seq=state['server'], ack=packet.seq + 1, flags=SYN | ACK, ttl=rule['ttl'], window=29200,
                         options=struct.pack('!BBH', 2, 4, 1460))
      self.schedule(flow, 'to_client', answer, 0.0002, forged=True)
      return True
    if way == 'to_server' and not state['made']:
      if not state['asked']:
        state['asked'] = True
        syn = build_tcp(flow.client, flow.server, seq=state['client'], ack=0, flags=SYN, ttl=rule['ttl'], window=29200,
                        options=struct.pack('!BBH', 2, 4, 1460))
        self.schedule(flow, 'to_server', syn, self.delay_s['to_server'], forged=True)
      if packet.payload_bytes:
        state['waiting'].append(packet)
      return True
    if way == 'to_client' and packet.flags & SYN:
      if not state['made']:
        state['made'] = True
        flow.shift = {'to_server': 0, 'to_client': state['server'] - packet.seq}
        last = build_tcp(flow.client, flow.server, seq=state['client'] + 1, ack=state['server'] + 1, flags=ACK, ttl=rule['ttl'], window=29200)
        self.schedule(flow, 'to_server', last, self.delay_s['to_server'], forged=True)
        for held in state['waiting']:
          self.schedule(flow, 'to_server', held, self.delay_s['to_server'])
      return True
    return False

  def answer(self, flow, packet, rule):
    """Completes a handshake in the server's name, as a SYN proxy does, and resets it `reset_after` seconds later; with `takes`
    it acknowledges what comes then."""
    if packet.flags & SYN:
      self.answer_syn(flow, packet, rule)
    elif rule.get('takes') and packet.payload_bytes and not packet.flags & RST:
      taken = build_tcp(flow.server, flow.client, seq=packet.ack, ack=packet.next_seq, flags=ACK, ttl=rule['ttl'], window=8192)
      self.schedule(flow, 'to_client', taken, rule.get('seconds', 0.0), forged=True)

  def answer_syn(self, flow, syn, rule):
    isn = self.rng.randrange(1 << 32)
    answer = build_tcp(flow.server, flow.client, seq=isn, ack=syn.seq + 1, flags=SYN | ACK, ttl=rule['ttl'], window=8192,
                       options=struct.pack('!BBH', 2, 4, 1380))
    self.schedule(flow, 'to_client', answer, rule.get('seconds', 0.0), forged=True)
    if rule.get('reset_after'):
      reset = build_tcp(flow.server, flow.client, seq=isn + 1, ack=syn.seq + 1, flags=RST | ACK, ttl=rule['ttl'])
      self.schedule(flow, 'to_client', reset, rule['reset_after'], forged=True, in_order=False)

  def schedule(self, flow, way, packet, wait_s, forged=False, in_order=True):
    due = time.monotonic() + wait_s
    if not forged:
      due += self.delay_s[way] + self.rng.random() * self.jitter_s
    if in_order and not hasattr(packet, 'overtaken') and not forged:
      due = self.last_due[flow, way] = max(due, self.last_due.get((flow, way), 0.0))  # packets of one flow keep their order
    heapq.heappush(self.waiting, (due, next(self.order), flow, way, packet, forged))

  def send_due(self):
    now = time.monotonic()
    while self.waiting and self.waiting[0][0] <= now:
      _, _, flow, way, packet, forged = heapq.heappop(self.waiting)
      self.send(flow, way, packet, forged)

  def send(self, flow, way, packet, forged):
    if flow and packet.is_tcp:
      self.rewrite(flow, way, packet)
    if packet.dst not in self.routes:
      return
    port, ethernet, _ = self.routes[packet.dst]
    packet.frame[:12] = ethernet
    if not forged:
      packet.set_ttl(packet.ttl - self.hops)
    packet.fix_ip_checksum()
    try:
      port.send(getattr(packet, 'vnet', bytes(VNET_BYTES)) + packet.frame)
    except OSError:
      pass  # the cable is pulled

  def rewrite(self, flow, way, packet):
    changed = False
    if any(flow.shift.values()):
      ahead, back = flow.shift[way], flow.shift['to_client' if way == 'to_server' else 'to_server']
      packet.set_numbers(packet.seq + ahead, packet.ack - back if packet.flags & ACK else packet.ack)
      for kind, at, length in packet.options():
        if kind == 5:
          for edge in range(at + 2, at + length, 4):
            value = struct.unpack_from('!I', packet.frame, edge)[0] - back
            struct.pack_into('!I', packet.frame, edge, value & 0xFFFFFFFF)
      changed = True
    outer = getattr(flow, 'outer', None)
    if outer:
      packet.set_ends(*(outer if way == 'to_server' else (flow.server, flow.client)))
      changed = True
    if changed:
      packet.fix_checksums()


def _within_rate(rule, packet):
  """A token bucket: whether there are tokens left for this packet."""
  now, size = time.monotonic(), len(packet.frame)
  left = rule.get('left', rule['burst']) + (now - rule.get('last', now)) * rule['bytes_per_s']
  rule['last'], rule['left'] = now, min(left, rule['burst'])
  if rule['left'] < size:
    return False
  rule['left'] -= size
  return True


def _packed_flow(flow):
  return tuple((packed(address), port) for address, port in flow)


def _complete_checksum(packet, start, offset):
  """Does the card's part: TCP's checksum over what the kernel left partial; UDP's likewise."""
  if packet.is_tcp:
    packet.fix_checksums()
    return
  # The partial sum stands in the field already.
  total = ~ones_sum(packet.frame[start:packet.ip_end]) & 0xFFFF
  struct.pack_into('!H', packet.frame, start + offset, total)


def _is_kind(kind, packet, big_bytes):
  if kind is None:
    return True
  if not packet.is_tcp:
    return kind == 'udp' and packet.proto == 17
  return {'syn': packet.flags & SYN and not packet.flags & ACK, 'synack': packet.flags & SYN and packet.flags & ACK,
          'data': packet.payload_bytes > 1, 'big': packet.payload_bytes >= big_bytes,
          'bare': not packet.payload_bytes and not packet.flags & SYN, 'reset': packet.flags & RST,
          'old': not packet.flags & SYN}.get(kind, False)
