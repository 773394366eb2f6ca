"""The scene language: text into conversations with their expectations. README.md describes it."""

import re
import shlex
from dataclasses import dataclass, field

import scene_around as around
import scene_files
from scene_device import RELAYED, Device
from scene_macros import MACROS
from scene_steps import FLAGS, Step, Talk, duration
from scene_tcp import Conversation, Host

HEADERS = ('rtt', 'hops', 'capture', 'link', 'vlan', 'snaplen', 'mss', 'offload', 'skew', 'window', 'id-zero', 'only', 'doubled',
           'drops', 'clock-back', 'clock-forward', 'translate', 'big-endian', 'microseconds', 'infer', 'threshold', 'server-port',
           'renumber', 'relay', 'clamp', 'scrub', 'merged')


class SceneError(Exception):
  """A line that cannot be understood."""


def endpoint(text):
  address, _, port = text.rpartition(':')
  if not port.isdigit() or not address:
    raise ValueError(f"'{text}' is no address:port")
  return address.strip('[]'), int(port)


def is_endpoint(text):
  return bool(re.fullmatch(r'(\[[0-9a-fA-F:.]+\]|\d+\.\d+\.\d+\.\d+):\d+', text))


def window(words):
  """`from TIME until TIME`, either of them."""
  ends = dict(zip(words[::2], map(duration, words[1::2])))
  if set(ends) - {'from', 'until'}:
    raise ValueError(f"'{' '.join(words)}': from TIME, until TIME")
  return ends.get('from'), ends.get('until')


@dataclass
class Expectation:
  """What the report must say of a conversation: field name -> accepted values."""

  fields: dict = field(default_factory=dict)

  def read(self, words):
    """`expect CAUSE [or CAUSE] [field=value ...]`, `expect culprit C [cause ID]`."""
    words = list(words)
    while words:
      word = words.pop(0)
      if word in ('culprit', 'cause'):
        self.fields[word] = [words.pop(0)]
        while words[:1] == ['or']:
          words.pop(0)
          self.fields[word].append(words.pop(0))
      elif word == 'or':
        self.accept(words.pop(0))
      elif '=' in word:
        name, value = word.split('=', 1)
        self.fields[name] = value.split('|')
      else:
        self.accept(word)

  def accept(self, cause):
    self.fields.setdefault('cause', []).append(cause)
    culprits = self.fields.setdefault('culprit', [])
    if cause.split('.')[0] not in culprits:
      culprits.append(cause.split('.')[0])


@dataclass
class Scene:
  """A scene that has been carried out."""

  name: str
  rtt: int = 10_000_000
  hops: int = 1
  captures: tuple = ('client',)
  windows: dict = field(default_factory=dict)  # vantage -> (begin, end), None where it is not cut
  link: str = 'ethernet'
  vlan: int | None = None
  snaplen: int = 0
  mss: int = 1460
  offload: bool = False
  skew: int = 0
  id_zero: bool = False
  only: dict = field(default_factory=dict)  # vantage -> the side whose packets alone it records
  merged: bool = False  # both captures are one file
  doubled: tuple = ()  # vantages that record every packet twice
  drops: int = 0
  clock_set: tuple | None = None  # forward by how much, and when
  translated: dict = field(default_factory=dict)  # address of a host -> what the server's capture shows in its place
  device: Device = field(default_factory=Device)
  big_endian: bool = False
  microseconds: bool = False
  infer: bool = False
  thresholds: list = field(default_factory=list)  # options of the command line
  server_port: int = 0  # 0: tdscope is not told
  talks: list = field(default_factory=list)
  around: list = field(default_factory=list)
  files: list = field(default_factory=list)  # evidence that is no capture
  expectations: list = field(default_factory=list)
  verdict: Expectation | None = None
  findings: list = field(default_factory=list)  # (cause, Expectation); None in its place: no such finding
  report: Expectation | None = None

  def own_address(self, vantage):
    return self.talks[0][1].tcp.ends[vantage].host.address if self.talks else None


class Reader:
  """Reads a scene line by line and carries it out as it goes."""

  def __init__(self, name):
    self.scene = Scene(name)
    self.client = Host('10.1.0.5', 50123, 'windows')
    self.server = Host('10.2.0.9', 1433, 'windows')
    self.talks = []

  def read(self, text):
    for number, line in enumerate(text.splitlines(), 1):
      try:
        if line.startswith('|'):
          self.scene.files[-1].lines.append(line[1:].removeprefix(' '))
          continue
        words = shlex.split(line, comments=True)
        if words:
          self.line(words)
      except (ValueError, KeyError, IndexError, TypeError) as problem:
        raise SceneError(f'{self.scene.name}:{number}: {line.strip()}: {problem}') from problem
    self.scene.talks = [t for t in self.scene.talks if t[1].tcp.packets]
    return self.scene

  def line(self, words):
    first = words[0]
    if first in HEADERS:
      self.header(first, words[1:])
    elif first == 'expect':
      self.expect(words[1:])
    elif first == 'conversation':
      self.begin_conversation(words[1:])
    elif first == 'lookup':
      self.lookup(words[1:])
    elif first == 'file':
      self.scene.files.append(scene_files.read_header(words[1:]))
    elif first in ('client', 'server') and is_endpoint(words[1]):
      self.host(first, words[1:])
    else:
      self.act(words)

  def header(self, name, values):
    scene = self.scene
    if name in ('rtt', 'skew'):
      setattr(scene, name, duration(values[0]))
    elif name in ('hops', 'vlan', 'snaplen', 'mss'):
      setattr(scene, name, int(values[0]))
    elif name == 'link':
      scene.link = values[0]
    elif name in ('offload', 'id-zero', 'big-endian', 'microseconds', 'infer', 'merged'):
      setattr(scene, name.replace('-', '_'), True)
    elif name == 'threshold':
      scene.thresholds += [f'--{values[0]}', values[1]]
    elif name == 'capture':
      self.capture(values)
    elif name == 'window':
      scene.windows[values[0]] = window(values[1:])
    elif name == 'only':
      scene.only = {vantage: values[0] for vantage in values[2:] or ('client', 'server')}
    elif name == 'doubled':
      scene.doubled = tuple(values) or ('client', 'server')
    elif name in ('drops', 'server-port'):
      setattr(scene, name.replace('-', '_'), int(values[0]))
    elif name in ('clock-back', 'clock-forward'):
      by = duration(values[0])
      scene.clock_set = by if name == 'clock-forward' else -by, duration(values[2])
    elif name == 'translate':
      scene.translated[values[0]] = values[2]
    elif name == 'renumber':
      scene.device.renumbered[values[0]] = int(values[2])
      scene.device.leaves_sack = 'leaves-sack' in values
    elif name == 'relay':
      scene.device.relays = True
      scene.device.renumbered = dict(RELAYED)
    elif name == 'clamp':
      scene.device.clamp = int(values[0])
    elif name == 'scrub':
      scene.device.scrubbed = tuple(values)

  def capture(self, values):
    scene = self.scene
    scene.captures = ('client', 'server') if values[0] == 'both' else (values[0],)
    scene.windows = {vantage: window(values[1:]) for vantage in scene.captures}

  def host(self, side, values):
    address, port = endpoint(values[0])
    host = Host(address, port, values[1] if len(values) > 1 else getattr(self, side).system)
    if host.system not in ('windows', 'linux', 'scanner'):
      raise ValueError(f"'{host.system}' is not windows or linux")
    setattr(self, side, host)

  def expect(self, words):
    if words[0] in ('verdict', 'report'):
      expectation = getattr(self.scene, words[0]) or Expectation()
      expectation.read(words[1:])
      setattr(self.scene, words[0], expectation)
      return
    if words[:2] == ['no', 'finding']:
      self.scene.findings.append((words[2], None))
      return
    if words[0] == 'finding':
      expectation = Expectation()
      expectation.read(words[2:])
      self.scene.findings.append((words[1], expectation))
      return
    for _, expectation in self.current():
      expectation.read(words)

  def current(self):
    """The conversations (more than one with `copies`) that the lines now speak of."""
    if not self.talks:
      self.talks = [self.open('main', self.client, self.server, 0)]
    return self.talks

  def open(self, name, client, server, start):
    tcp = Conversation(name, client, server, rtt=self.scene.rtt, mss=self.scene.mss, start=start)
    entry = (Talk(tcp), Expectation())
    self.scene.talks.append((name, *entry))
    return entry

  def lookup(self, words):
    """`lookup NAME [at TIME] [x3 every 1s] [answer=ADDRESS] [after=2s] [rcode=3] [unanswered] [type=AAAA] [service=llmnr]`."""
    name, words = words[0], words[1:]
    time = 0
    if words[:1] == ['at']:
      time, words = duration(words[1]), words[2:]
    around.lookup(self.scene, self.client, name, Step(['lookup', *words]), time, duration)

  def begin_conversation(self, words):
    name, words = words[0], words[1:]
    client, server, start, copies, every, ports, step = self.client, self.server, 0, 1, 0, 65536, 1
    from_server = words[:1] == ['from-server']
    words = words[from_server:]
    while words and words[0] != ':':
      word, value, words = words[0], words[1], words[2:]
      if word == 'client':
        client = Host(*endpoint(value), self.client.system)
      elif word == 'server':
        server = Host(*endpoint(value), self.server.system)
      elif word == 'starts':
        start = duration(value)
      elif word == 'copies':
        copies = int(value)
      elif word == 'every':
        every = duration(value)
      elif word == 'ports':
        ports, step = map(int, value.split('/'))
      else:
        raise ValueError(f"'{word}' after conversation: client, server, starts, copies, every, ports, or ': macro'")
    self.talks = []
    for number in range(copies):
      there = Host(client.address, client.port + number * step % ports, client.system)
      label = name if copies == 1 else f'{name}{number + 1}'
      self.talks.append(self.open(label, there, server, start + number * every))
      self.talks[-1][0].from_server = from_server
    if words:
      self.act(words[1:])

  def act(self, words):
    gap = at = None
    if words[0].startswith('+'):
      gap, words = duration(words[0][1:]), words[1:]
    elif words[0] == 'at':
      at, words = duration(words[1]), words[2:]
    if words[0] == 'udp':
      around.datagram(self.scene, endpoint(words[1]), endpoint(words[2]), Step(words[3:]), at or 0)
      return
    if words[0] == 'runt':
      around.runt(self.scene, Step(words), at or 0)
      return
    for talk, _ in self.current():
      self.carry_out(talk, words, gap=gap, at=at)

  def carry_out(self, talk, words, **when):
    when = {name: value for name, value in when.items() if value is not None}
    first = words[0]
    if first in ('client', 'server'):
      talk.run(first, Step(words[1:]), **when)
    elif first == 'device':
      self.device(talk, words[1:], **when)
    elif first in MACROS:
      MACROS[first](talk, Step(words), **when)
    elif first == 'too-big':
      self.too_big(talk, words[1:])
    elif first in ('encrypted', 'clear'):
      talk.encrypted = first == 'encrypted'
    else:
      raise ValueError(f"'{first}' is not client, server, device, too-big or a macro ({', '.join(MACROS)})")

  def device(self, talk, words, **when):
    """`device RST to client ttl=58`: the packet bears the other end's name."""
    if words[1] != 'to' or words[2] not in ('client', 'server'):
      raise ValueError('say: device FLAGS to client|server')
    step = Step([words[0], *words[3:]])
    time = talk.tcp.moment(words[2], when.get('gap'), when.get('at'))
    talk.tcp.device_packet(words[2], FLAGS[step.verb], time=time, delivery=step.delivery)

  def too_big(self, talk, words):
    """`too-big to client|server [mtu=1400] [from=ADDRESS]`: a router sends it about the newest packet of that side."""
    step, side = Step(['too-big', *words[2:]]), words[1]
    packet = next(p for p in reversed(talk.tcp.packets) if p.sender == side)
    quoted = around.ip_packet_of(packet)
    to = talk.tcp.ends[side].host.address
    reporter = step.get('from', '10.1.0.1')
    data = around.too_big(reporter, to, quoted, int(step.get('mtu', '1400')))
    self.scene.around.append(around.Datagram(packet.sent + talk.tcp.rtt // 2, data, reporter, side))


def read_scene(text, name='scene'):
  return Reader(name).read(text)
