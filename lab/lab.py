#!/usr/bin/env python3
"""Makes labelled captures of broken and healthy SQL connections: real TCP stacks in network namespaces (README.md)."""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.dont_write_bytecode = True

import record
import truth
from device import Device
from hosts import Host, run
from packets import Packet, packed
from talk import Certificates, Listener, Talk

SCENARIOS = {}
LONGEST_S = 150  # a scenario that takes longer is stuck


def scenario(name, **setting):
  """Registers a script. Settings: nat, virtual_address, family, quiet (no background), and any field of a Look."""
  def register(script):
    SCENARIOS[name] = (script, setting)
    return script
  return register


class Look:
  """What machines, path and captures of one run look like; drawn from the seed, so that every scenario meets every look."""

  def __init__(self, rng, seed, setting):
    self.windows_client, self.windows_server = rng.random() < 0.5, rng.random() < 0.6
    self.family = socket.AF_INET6 if rng.random() < 0.2 else socket.AF_INET
    self.snaplen = 180 if seed % 3 == 0 else 0
    self.offload = rng.random() < 0.6
    self.giants = self.offload and rng.random() < 0.5
    self.one_way_s = rng.choice([0.0003, 0.0008, 0.003, 0.012, 0.035, 0.080])
    self.asymmetry = rng.uniform(0.8, 1.25)
    self.hops = rng.choice([1, 2, 5, 11, 16])
    self.offset_s = rng.choice([rng.uniform(-0.05, 0.05), rng.uniform(-3, 3), rng.uniform(-40, 40)])
    self.drift_ppm = rng.choice([0, 0, rng.uniform(-60, 60)])
    self.cooked = {'client': rng.random() < 0.15, 'server': rng.random() < 0.15}
    self.vlan = {'client': rng.choice([0] * 6 + [210]), 'server': rng.choice([0] * 6 + [33])}
    self.microseconds = rng.random() < 0.5
    self.classic = rng.random() < 0.15
    self.duplicated = set()       # sides whose capture holds every packet twice
    self.missed = {}              # side: (chance of a single packet, number of runs)
    self.one_direction = {}       # side: whose packets alone the capture holds
    self.half = set()             # sides whose capture holds half of the connections only
    self.captured = {}            # side: the machine that was captured instead
    self.window = {}              # side: (begin, end) in seconds after the capture's start; end may be None
    self.hole = {}                # side: (begin, end) in seconds after the capture's start: a file of its series is gone
    self.filtered = {}            # side: 'flags' or 'payload': the capture holds such packets only
    self.copied = {}              # side: 'router' or 'vlan': every packet is there as it was before and behind that
    self.clock_set = {}           # side: (seconds after the capture's start, by how many seconds its clock is set)
    for name, value in setting.items():
      setattr(self, name, value)


class Lab:
  """One run of one scenario: machines, device, captures, and the connections with what is true of them."""

  def __init__(self, name, seed, folder):
    self.name, self.seed, self.folder = name, seed, folder
    self.script, self.setting = SCENARIOS[name]
    self.rng = random.Random(f'{name}/{seed}')
    self.look = Look(self.rng, seed, {k: v for k, v in self.setting.items() if k not in ('nat', 'virtual_address', 'quiet')})
    self.tag = f'lab{os.getpid()}'
    self.every_label = truth.label('none.normal')  # of connections that a script says nothing of
    self.talks, self.findings, self.threads, self.failures = [], [], [], []
    self.ports = iter(self.rng.sample(range(49152, 65535), 4000))
    self.stopping = threading.Event()
    self.family = self.look.family
    self.lock = threading.Lock()

  # Making and removing it.

  def open(self):
    rng = self.rng
    net = rng.randint(1, 250)
    names = [('client', f'10.{net}.{rng.randint(0, 250)}.{rng.randint(2, 250)}', f'2001:db8:{net:x}::{rng.randint(2, 65535):x}'),
             ('server', f'172.{rng.randint(16, 31)}.{net}.{rng.randint(2, 250)}', f'2001:db8:5:{net:x}::{rng.randint(2, 65535):x}'),
             ('client2', f'10.{net}.251.{rng.randint(2, 250)}', f'2001:db8:{net:x}:2::{rng.randint(2, 65535):x}'),
             ('server2', f'192.168.{net}.{rng.randint(2, 250)}', f'2001:db8:6:{net:x}::{rng.randint(2, 65535):x}')]
    self.hosts = [Host(self.tag, name, four, six, number) for number, (name, four, six) in enumerate(names)]
    self.client, self.server, self.client2, self.server2 = self.hosts
    self.device_namespace = f'{self.tag}-device'
    run('ip', 'netns', 'add', self.device_namespace)
    for host in self.hosts:
      host.open(self.device_namespace)
      self.dress(host)
    self.device = Device(self.device_namespace, [
        {'link': h.device_link, 'mac': h.mac, 'device_mac': h.device_mac, 'addresses': list(h.addresses.values()),
         'side': 'client' if h.name.startswith('client') else 'server'} for h in self.hosts], rng.random())
    way = self.look.one_way_s
    self.device.path(way * self.look.asymmetry, way / self.look.asymmetry, way * 0.02, self.look.hops)
    self.device.giants(self.look.giants)
    self.work = pathlib.Path(tempfile.mkdtemp(prefix='tdscope-lab-'))
    self.certificates = Certificates(self.work)
    self.listeners = {}
    self.start_recording()

  def dress(self, host):
    """Gives a machine's TCP its system's habits."""
    windows = self.look.windows_client if host.name.startswith('client') else self.look.windows_server
    host.windows = windows
    if windows:
      host.sysctl('net.ipv4.ip_default_ttl', 128)
      host.sysctl('net.ipv6.conf.all.hop_limit', 128)
      host.sysctl('net.ipv6.conf.eth0.hop_limit', 128)
      host.sysctl('net.ipv4.tcp_timestamps', 0)
      host.sysctl('net.ipv4.tcp_retries2', 5)
    host.offload(self.look.offload)

  def start_recording(self):
    self.recorders = {}
    for side in ('client', 'server'):
      host = getattr(self, self.look.captured.get(side, side))
      device = 'any' if self.look.cooked[side] else 'eth0'
      self.recorders[side] = record.Recorder(host, self.work / f'{side}.raw', device)
    self.began_ns = time.time_ns()

  def close(self):
    for talk in self.talks:
      talk.drop()
    for listener in self.listeners.values():
      listener.close()
    self.device.close()
    for host in self.hosts:
      host.close()
    run('ip', 'netns', 'del', self.device_namespace)
    shutil.rmtree(self.work, ignore_errors=True)

  # What scripts use.

  def listener(self, host=None, port=1433, **how):
    host = host or self.server
    if (host.name, port) not in self.listeners:
      self.listeners[host.name, port] = Listener(host, self.family, port, **how)
    return self.listeners[host.name, port]

  def free_port(self):
    return next(self.ports)

  def translated(self, flow):
    """The flow as the server sees it; tells the device where it differs."""
    if not self.setting.get('nat'):
      return flow
    (address, port), server = flow
    outside = '2001:db8:aaaa::1' if ':' in address else '100.64.7.9'
    seen = ((outside, port if self.setting['nat'] == 'address' else (port * 7 + 13) % 40000 + 1024), server)
    self.device.translate(flow, seen)
    return seen

  def talk(self, client=None, server=None, **how):
    """A new connection, not yet begun, healthy until a script says otherwise."""
    listener = how.pop('listener', None) or self.listener(server, how.pop('server_port', 1433))
    with self.lock:
      talk = Talk(self, listener, client, **how)
      talk.label, talk.number = self.every_label, len(self.talks)
      self.talks.append(talk)
    return talk

  def run_beside(self, work, *values):
    """Runs a part of the script in a thread of its own; its failure is the run's."""
    def guarded():
      try:
        work(*values)
      except Exception:  # pylint: disable=broad-except
        self.failures.append(traceback.format_exc())
    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    self.threads.append(thread)
    return thread

  def run_all(self, work, many):
    """Runs `work(item)` for each item at once, and waits."""
    for thread in [self.run_beside(work, item) for item in many]:
      thread.join(LONGEST_S)

  def sleep(self, low, high=None):
    time.sleep(low if high is None else self.rng.uniform(low, high))

  # Background: what a healthy site does meanwhile.

  def background(self):
    pool = [(None, None), (None, None), (self.client2, None), (None, self.server2)]
    for client, server in pool:
      self.run_beside(self.pooled, client, server)
    self.run_beside(self.short_ones)

  def pooled(self, client, server):
    talk = self.talk(client, server)
    self.sleep(0, 1)
    talk.open()
    while not self.stopping.wait(self.rng.uniform(0.2, 2.5)):
      talk.query()
    if self.rng.random() < 0.5:
      talk.close()

  def short_ones(self):
    while not self.stopping.wait(self.rng.uniform(1.5, 5)):
      talk = self.talk()
      talk.open()
      talk.query()
      talk.close()

  # The run, and what it leaves.

  def play(self):
    self.open()
    try:
      self.listener(), self.listener(self.server2)
      if not self.setting.get('quiet'):
        self.background()
      self.sleep(0.5, 1.5)
      self.script(self)
      self.sleep(0.6, 1.2)
      self.stopping.set()
      for thread in self.threads:
        thread.join(20)
      tally = self.device.tally()
      self.dropped = {side: recorder.stop() for side, recorder in self.recorders.items()}
      self.write(tally)
    finally:
      self.stopping.set()
      self.close()

  def write(self, tally):
    self.folder.mkdir(parents=True, exist_ok=True)
    seen = {}
    for side in ('client', 'server'):
      link, records = record.read_pcap(self.work / f'{side}.raw')
      records = self.retouch(side, link, record.only_ours(records, link))
      l3 = record.L3_OFFSET[link] + (record.TAG_BYTES if self.tagged(side, link) else 0)
      seen[side] = {packet.ends for packet in (Packet(r[1], l3) for r in records) if packet.is_tcp}
      write = record.write_pcap if self.look.classic else record.write_pcapng
      more = {} if self.look.classic else {'microseconds': self.look.microseconds}
      write(self.folder / f'{side}.pcapng', link, records, self.look.snaplen, **more)
    self.write_truth(seen, tally)

  def tagged(self, side, link):
    return self.look.vlan[side] if link == record.LINK_ETHERNET else 0

  def retouch(self, side, link, records):
    """What is done to a capture after it was taken (record.py)."""
    look, host = self.look, getattr(self, side)
    senders = {packed(a) for h in self.hosts if h.windows for a in h.addresses.values()}
    records = record.like_windows(records, link, senders | self.translated_windows())
    records = record.padded(records, link, {packed(a) for a in host.addresses.values()})
    if side in look.window:
      begin, end = look.window[side]
      records = record.between(records, self.began_ns + begin * 1e9, self.began_ns + (end or 1e5) * 1e9)
    if side in look.hole:
      begin, end = (self.began_ns + s * 1e9 for s in look.hole[side])
      records = record.between(records, 0, begin) + record.between(records, end, 1e30)
    if side in look.filtered:
      records = record.filtered(records, link, look.filtered[side])
    if side in look.half:
      records = record.half(records, link)
    if side in look.missed:
      records = record.miss_some(records, self.rng, *look.missed[side])
    if side in look.one_direction:
      keep = getattr(self, look.one_direction[side])
      records = record.one_way(records, link, {packed(a) for a in keep.addresses.values()})
    if side in look.duplicated:
      records = record.twice(records, self.rng, self.rng.random() < 0.5 and link == record.LINK_ETHERNET)
    if side in look.copied:
      records = record.seen_twice(records, self.rng, link, look.copied[side])
    if side in look.clock_set:
      record.set_clock(records, self.began_ns, *look.clock_set[side])
    if side == 'server':
      record.shift_clock(records, look.offset_s, look.drift_ppm)
    if self.tagged(side, link):
      record.tag_vlan(records, self.tagged(side, link))
    return record.cut(records, look.snaplen) if look.snaplen else records

  def translated_windows(self):
    if not self.look.windows_client:
      return set()
    return {packed(t.flow_at_server[0][0]) for t in self.talks}

  def write_truth(self, seen, tally):
    connections, uses = [], collections.Counter()
    for talk in sorted(self.talks, key=lambda t: t.began or 0):
      flows = {'client': talk.flow, 'server': talk.flow_at_server}
      keys = {side: tuple((packed(a), p) for a, p in flow) for side, flow in flows.items()}
      where = [side for side in ('client', 'server') if keys[side] in seen[side] or keys[side][::-1] in seen[side]]
      if not where or not talk.began:
        continue
      told = talk.label(tally.get(keys['client'], {})) if callable(talk.label) else talk.label
      entry = {'id': f's{talk.number}', 'variant': talk.variant, 'driver': talk.driver.library, 'encryption': talk.encryption,
               'seen_in': where, **told}
      for side, flow in flows.items():
        entry[side] = {end: {'address': a, 'port': p} for end, (a, p) in zip(('client', 'server'), flow)}
      entry['nth'] = uses[talk.flow]
      uses[talk.flow] += 1
      connections.append(entry)
    for entry in connections:
      ends = tuple((entry['client'][end]['address'], entry['client'][end]['port']) for end in ('client', 'server'))
      if uses[ends] < 2:
        del entry['nth']
    look = {k: v for k, v in vars(self.look).items() if not isinstance(v, set)}
    whole = {'scenario': self.name, 'seed': self.seed, 'clock': {'server_minus_client_s': round(self.look.offset_s, 6)},
             'look': {k: v if isinstance(v, (int, float, str, bool, dict)) else str(v) for k, v in look.items()},
             'dropped_by_capture': self.dropped, 'findings': self.findings, 'failures': self.failures, 'connections': connections}
    if self.look.drift_ppm:
      whole['clock']['drift_ppm'] = round(self.look.drift_ppm, 2)
    (self.folder / 'truth.json').write_text(json.dumps(whole, indent=1) + '\n', encoding='utf-8')


def play_one(name, seed, out):
  """One run, in a process of its own (so that a stuck one can be ended); returns its failures."""
  lab = Lab(name, seed, out / name / str(seed))
  lab.play()
  return lab.failures


def play_in_child(name, seed, out):
  began = time.monotonic()
  command = [sys.executable, __file__, '--one', name, str(seed), '--out', str(out)]
  try:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S + 40)
    said = done.stdout.strip() + done.stderr.strip()
  except subprocess.TimeoutExpired:
    said = 'took too long'
  return name, seed, time.monotonic() - began, said


def remove_leftovers():
  """Namespaces of runs that were ended before they could remove them: those whose process is gone."""
  for line in run('ip', 'netns', 'list').splitlines():
    name = line.split()[0] if line else ''
    owner = name.partition('-')[0].removeprefix('lab')
    if name.startswith('lab') and owner.isdigit() and not pathlib.Path(f'/proc/{owner}').exists():
      subprocess.run(['ip', 'netns', 'del', name], check=False, capture_output=True)


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--seed', type=int, action='append', help='default: 1, 2 and 3')
  parser.add_argument('--scenario', nargs='+', action='extend', help='names, or their beginnings; default: all')
  parser.add_argument('--out', type=pathlib.Path, default=pathlib.Path('build/lab'))
  parser.add_argument('--jobs', type=int, default=8, help='runs at once; they mostly sleep')
  parser.add_argument('--list', action='store_true')
  parser.add_argument('--one', nargs=2, help=argparse.SUPPRESS)
  args = parser.parse_args()
  import scenarios  # registers them  # pylint: disable=unused-import,import-outside-toplevel
  if args.one:
    failures = play_one(args.one[0], int(args.one[1]), args.out)
    print('\n'.join(failures), end='')
    return 0
  names = [n for n in SCENARIOS if not args.scenario or any(n.startswith(s) for s in args.scenario)]
  if args.list:
    print('\n'.join(names))
    return 0
  if os.geteuid():
    sys.exit('lab: network namespaces need root')
  remove_leftovers()
  runs = [(name, seed) for seed in args.seed or (1, 2, 3) for name in names]
  bad = 0
  with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
    for name, seed, seconds, said in pool.map(lambda r: play_in_child(*r, args.out), runs):
      bad += bool(said)
      print(f'{name} {seed}: {seconds:.0f} s{"  FAILED: " + said if said else ""}', flush=True)
  return 1 if bad else 0


if __name__ == '__main__':
  sys.modules['lab'] = sys.modules['__main__']  # scenarios register in this very module
  sys.exit(main())
