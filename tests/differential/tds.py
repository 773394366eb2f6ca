#!/usr/bin/env python3
"""Compares what tdscope and tshark read in TDS, conversation by conversation, as TAP.

messages: of each type, by the packets that end one. logins: whether acknowledged in clear, user, host, application, library,
server, process, database and packet size, the last two as the server granted them. versions: the server's, and that of TDS,
as the server says or else as the client asks. errors: numbers, how often, and state and severity of the first of each. rows: of result sets. Over the
captures of TDS that others made, and some labelled ones. Ports that tdscope finds TDS on are decoded as TDS by tshark, too.

Differences that are known, with the reason, are listed in known_tds.tsv; one that is listed and no longer occurs is an
error. --differences prints what would have to be listed.

  tests/differential/tds.py --tdscope build/tdscope
"""
import collections
import ipaddress
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True
from captures import FOLDER, all_captures
from known_differences import KnownDifferences
from tap import Tap
from wireshark import Wireshark, read_options, run, skip_unless_comparable

KNOWN = HERE / 'known_tds.tsv'
WHERE = '1-tds/'
LABELLED = ('login-failed/1/client.pcapng', 'login-failed/2/server.pcapng', 'mars-benign-reset/1/client.pcapng',
            'query-timeout/1/server.pcapng')
TYPES = {1: 'batch', 2: 'old_login', 3: 'rpc', 4: 'response', 6: 'attention', 7: 'bulk', 8: 'fedauth', 14: 'transaction',
         15: 'batch', 16: 'login', 17: 'sspi', 18: 'prelogin'}
LOGIN = {'user': ('tds.7login.username', 'tds.login.username'), 'client_host': ('tds.7login.clientname', 'tds.login.hostname'),
         'application': ('tds.7login.appname', 'tds.login.appname'),
         'library': ('tds.7login.libraryname', 'tds.login.progname'),
         'server_name': ('tds.7login.servername', 'tds.login.servname')}
FIELDS = ['tds.type', 'tds.status', 'tds.7login.version', 'tds.prelogin.option.version', 'tds.loginack.tdsversion',
          'tds.loginack.progversion', 'tds.error.number', 'tds.row', 'tds.nbcrow', 'tds.7login.client_pid', 'tds.error.state', 'tds.error.class',
          'tds.7login.databasename', 'tds.7login.packet_size', 'tds.envchange.type', 'tds.envchange.newvalue_string',
          'ntlmssp.auth.username', 'ntlmssp.auth.hostname', 'tcp.stream', 'ip.src', 'ipv6.src',
          'tcp.srcport', 'ip.dst', 'ipv6.dst', 'tcp.dstport']
REQUESTS = {1, 3}
ENVCHANGE_DATABASE, ENVCHANGE_PACKET_SIZE = 1, 4
ENVCHANGES_OF_TEXT = {1, 2, 3, 4, 5, 6, 13, 19}
FIELDS += [field for both in LOGIN.values() for field in both]


def packets_of(wireshark, path, ports):
  """The TDS fields of each packet of a file that tshark takes for TDS, also on these ports."""
  command = ['tshark', '-n', '-Y', 'tds', '-T', 'fields', '-E', 'separator=\x1f', '-E', 'aggregator=\x1e']
  for port in sorted(ports):
    command += ['-d', f'tcp.port=={port},tds']
  for field in FIELDS:
    command += ['-e', field]

  def ask():
    packets, cells = [], []
    for line in wireshark.run([*command, '-r', str(path)]).stdout.split('\n')[:-1]:
      more = line.split('\x1f')
      cells = cells[:-1] + [cells[-1] + more[0]] + more[1:] if cells else more  # a text may have a line's end in it
      if len(cells) == len(FIELDS):
        packets.append({field: cell.split('\x1e') if cell else [] for field, cell in zip(FIELDS, cells)})
        cells = []
    return packets
  return wireshark.remembered(path, command, ask)


def tds_version(number):
  return {0x70: '7.0', 0x71: '7.1', 0x72: '7.2', 0x73: '7.3', 0x74: '7.4', 5: '5.0', 4: '4.2'}.get(number >> 24)


def server_version(number):
  return f'{number >> 24}.{number >> 16 & 255}.{number & 65535}'


class Said:
  """The same questions of one conversation to both."""

  def __init__(self):
    self.messages, self.errors = collections.Counter(), collections.Counter()
    self.logins, self.versions, self.kinds = {}, {}, {}
    self.rows = 0

  def differences(self, other):
    """(what, line) where this one, tdscope's, and tshark's differ."""
    for what in ('messages', 'errors'):
      mine, theirs = getattr(self, what), getattr(other, what)
      for key in sorted(set(mine) | set(theirs), key=str):
        if mine[key] != theirs[key]:
          yield what, f'{key}: tshark {theirs[key]}, tdscope {mine[key]}'
    for what in ('logins', 'versions', 'kinds'):
      mine, theirs = getattr(self, what), getattr(other, what)
      for key in sorted(set(mine) | set(theirs), key=str):
        if mine.get(key) != theirs.get(key):
          yield 'errors' if what == 'kinds' else what, f'{key}: tshark {theirs.get(key)}, tdscope {mine.get(key)}'
    if self.rows != other.rows:
      yield 'rows', f'tshark {other.rows}, tdscope {self.rows}'


def ends_of(packet):
  return tuple(sorted((str(ipaddress.ip_address((packet[f'ip.{way}'] or packet[f'ipv6.{way}'])[-1])),
                       int(packet[f'tcp.{way}port'][-1])) for way in ('src', 'dst')))


def named(conversations):
  """{name: conversation} of (ends, conversation), in order: several with the same ends are numbered."""
  times, found = collections.Counter(), {}
  for ends, conversation in conversations:
    times[ends] += 1
    number = f' ({times[ends]})' if times[ends] > 1 else ''
    found[' - '.join(f'{address}:{port}' for address, port in ends) + number] = conversation
  return found


class Stream:
  """What tshark says of one TCP stream, packet after packet."""

  def __init__(self, ends):
    self.ends, self.said = ends, Said()
    self.begun = None  # the last packet of a TDS 5.0 login has a type of its own
    self.requested = False

  def take(self, packet):
    said, kinds = self.said, [int(kind, 0) for kind in packet['tds.type']]
    for kind, status in zip(kinds, packet['tds.status']):
      kind = 2 if self.begun == 2 and kind == 15 else kind
      self.begun = None if int(status, 0) & 1 else kind
      self.requested = self.requested or kind in REQUESTS
      if not self.begun:
        said.messages[TYPES.get(kind, str(kind))] += 1
    if 2 in kinds or 16 in kinds:
      self.take_login(packet)
    for name, field in (('user', 'ntlmssp.auth.username'), ('client_host', 'ntlmssp.auth.hostname')):
      for value in (value for value in packet[field] if value not in ('', 'NULL')):
        said.logins.setdefault(name, value)
    self.take_changes(packet)
    for version in packet['tds.loginack.tdsversion']:
      said.versions['tds'] = tds_version(int(version, 0))
      said.logins['acknowledged'] = True
    for version in packet['tds.loginack.progversion'] or (packet['tds.prelogin.option.version'] if kinds == [4] else ()):
      said.versions.setdefault('server', server_version(int(version, 0)))
    for number, state, severity in zip(packet['tds.error.number'], packet['tds.error.state'], packet['tds.error.class']):
      said.errors[int(number, 0)] += 1
      said.kinds.setdefault(f'{int(number, 0)} state, severity', (int(state, 0), int(severity, 0)))
    said.rows += len(packet['tds.row']) + len(packet['tds.nbcrow'])

  def take_login(self, packet):
    logins = self.said.logins
    for name, fields in LOGIN.items():
      values = [value for field in fields for value in packet[field] if value]
      if values:
        logins[name] = values[0]  # tshark calls the place of the extensions a server's name, too
    for name, field in (('client_process_id', 'tds.7login.client_pid'), ('packet_size', 'tds.7login.packet_size')):
      for value in packet[field]:
        if int(value, 0):
          logins[name] = int(value, 0)
    for value in filter(None, packet['tds.7login.databasename']):
      logins['database'] = value
    for version in packet['tds.7login.version']:
      self.said.versions['tds'] = tds_version(int(version, 0))

  def take_changes(self, packet):
    types = [int(kind, 0) for kind in packet['tds.envchange.type']]
    values = packet['tds.envchange.newvalue_string']
    for kind, value in zip((kind for kind in types if kind in ENVCHANGES_OF_TEXT), values):
      if kind == ENVCHANGE_DATABASE and not self.requested:
        self.said.logins['database'] = value
      if kind == ENVCHANGE_PACKET_SIZE and not self.requested:
        self.said.logins['packet_size'] = int(value)


def by_tshark(packets):
  """{conversation: Said}"""
  streams = {}
  for packet in packets:
    streams.setdefault(packet['tcp.stream'][-1], Stream(ends_of(packet))).take(packet)
  return {name: stream.said for name, stream in named((stream.ends, stream) for stream in streams.values()).items()}


def said_by_tdscope(conversation):
  said, login = Said(), conversation['login']
  said.messages.update({kind: times for kind, times in conversation.get('messages', {}).items() if times})
  for name in (*LOGIN, 'client_process_id', 'database', 'packet_size'):
    if name in login:
      said.logins[name] = login[name]
  if 'tds_version' in login:
    said.versions['tds'] = login['tds_version']
  if 'server_version' in login:
    said.versions['server'] = login['server_version']
  if any(step['step'] == 'login-ack' for step in login.get('timeline', ())):
    said.logins['acknowledged'] = True
  for error in conversation.get('errors', []):
    said.errors[error['number']] += error['count']
    said.kinds[f'{error["number"]} state, severity'] = (error.get('state'), error.get('severity'))
  said.rows = conversation.get('requests', {}).get('rows', 0)
  return said


def by_tdscope(conversations):
  """{conversation: Said}"""
  pairs = ((tuple(sorted((str(ipaddress.ip_address(conversation[side]['address'])), conversation[side]['port'])
                         for side in ('client', 'server'))), said_by_tdscope(conversation))
           for conversation in sorted(conversations, key=lambda one: one['id']))
  return named(pairs)


def examine(wireshark, tdscope, name):
  """{what: complaints} of one capture."""
  path = FOLDER / name
  complaints = {what: [] for what in ('messages', 'logins', 'versions', 'errors', 'rows')}
  try:
    listing = run([tdscope, 'conversations', '--format', 'json', str(path)]).stdout
    conversations = [json.loads(line) for line in listing.splitlines()]
    conversations = [conversation for conversation in conversations if conversation['protocol'] in ('tds', 'tds8')]
    packets = packets_of(wireshark, path, {conversation['server']['port'] for conversation in conversations})
    mine, theirs = by_tdscope(conversations), by_tshark(packets)
  except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError) as error:
    return {'run': [f'{type(error).__name__}: {error}']}
  for conversation in sorted(set(mine) | set(theirs)):
    for what, line in mine.get(conversation, Said()).differences(theirs.get(conversation, Said())):
      complaints[what].append(f'{conversation}: {line}')
  return complaints


def main():
  options = read_options('what is read in TDS', KNOWN.name)
  names = options.captures or [name for name in all_captures() if name.startswith(WHERE)]
  skip_unless_comparable(names, 'tshark')
  if not options.captures:
    names += [f'../labelled/{name}' for name in LABELLED if (FOLDER / '../labelled' / name).exists()]
  known, wireshark, tap = KnownDifferences(KNOWN), Wireshark(options.cache), Tap()
  for name in names:
    for what, complaints in examine(wireshark, options.tdscope, name).items():
      if options.differences:
        known.print_lines(name, what, complaints)
      else:
        known.case(tap, name, what, complaints)
  if options.differences:
    return 0
  if not options.captures:
    known.leftovers(tap)
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
