#!/usr/bin/env python3
"""Compares what tdscope and tshark read in TDS, over the captures of TDS that others made, as TAP.

messages: of each type, by the packets that end one. logins: user, host, application, library, server, database and TDS
version asked for. versions: the server's and that of TDS, as the server says. errors: numbers and how often. rows: of
result sets. Ports that tdscope finds TDS on are decoded as TDS by tshark, too.

Differences that are known, with the reason, are listed in known_tds.tsv; one that is listed and no longer occurs is an
error. --differences prints what would have to be listed.

  tests/differential/tds.py --tdscope build/tdscope
"""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True
from captures import FOLDER, all_captures
from tap import Tap, skip_all

KNOWN = HERE / 'known_tds.tsv'
WHERE = '1-tds/'
TIMEOUT_S = 300
TYPES = {1: 'batch', 2: 'old_login', 3: 'rpc', 4: 'response', 6: 'attention', 7: 'bulk', 8: 'fedauth', 14: 'transaction',
         15: 'batch', 16: 'login', 17: 'sspi', 18: 'prelogin'}
LOGIN = {'user': ('tds.7login.username', 'tds.login.username'), 'client_host': ('tds.7login.clientname', 'tds.login.hostname'),
         'application': ('tds.7login.appname', 'tds.login.appname'),
         'library': ('tds.7login.libraryname', 'tds.login.progname'),
         'server_name': ('tds.7login.servername', 'tds.login.servname')}
FIELDS = ['tds.type', 'tds.status', 'tds.7login.version', 'tds.prelogin.option.version', 'tds.loginack.tdsversion',
          'tds.loginack.progversion', 'tds.error.number', 'tds.row', 'tds.nbcrow', 'tds.7login.client_pid']
FIELDS += [field for both in LOGIN.values() for field in both]


def run(command, environment=None):
  return subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=TIMEOUT_S,
                        stdin=subprocess.DEVNULL, env=environment)


class Tshark:
  """The TDS fields of each packet of a file, remembered by the file's content, the question and tshark's version."""

  def __init__(self, cache):
    self.cache = cache
    self.cache.mkdir(parents=True, exist_ok=True)
    settings = cache / 'no-settings'
    settings.mkdir(exist_ok=True)
    self.environment = dict(os.environ, LC_ALL='C', WIRESHARK_CONFIG_DIR=str(settings))
    self.version = run(['tshark', '--version'], self.environment).stdout.split('\n')[0]

  def ask(self, path, ports):
    command = ['tshark', '-n', '-Y', 'tds', '-T', 'fields', '-E', 'separator=\x1f', '-E', 'aggregator=\x1e', '-r', str(path)]
    for port in sorted(ports):
      command += ['-d', f'tcp.port=={port},tds']
    for field in FIELDS:
      command += ['-e', field]
    digest = hashlib.sha256('\n'.join([self.version, *command[:-1]]).encode() + path.read_bytes()).hexdigest()
    remembered = self.cache / f'tds-{digest}.json'
    if remembered.exists():
      return json.loads(remembered.read_text())
    packets, cells = [], []
    for line in run(command, self.environment).stdout.split('\n')[:-1]:
      more = line.split('\x1f')
      cells = cells[:-1] + [cells[-1] + more[0]] + more[1:] if cells else more  # a text may have a line's end in it
      if len(cells) == len(FIELDS):
        packets.append({field: cell.split('\x1e') if cell else [] for field, cell in zip(FIELDS, cells)})
        cells = []
    unfinished = remembered.with_suffix('.new')
    unfinished.write_text(json.dumps(packets))
    unfinished.replace(remembered)
    return packets


def tds_version(number):
  return {0x70: '7.0', 0x71: '7.1', 0x72: '7.2', 0x73: '7.3', 0x74: '7.4', 5: '5.0', 4: '4.2'}.get(number >> 24)


def server_version(number):
  return f'{number >> 24}.{number >> 16 & 255}.{number & 65535}'


class Said:
  """The same questions to both."""

  def __init__(self):
    self.messages, self.logins, self.versions, self.errors = (collections.Counter() for _ in range(4))
    self.rows = 0

  def complaints(self, other):
    for what in ('messages', 'logins', 'versions', 'errors'):
      mine, theirs = getattr(self, what), getattr(other, what)
      lines = [f'only tshark: {key} ({times})' for key, times in sorted((theirs - mine).items())]
      lines += [f'only tdscope: {key} ({times})' for key, times in sorted((mine - theirs).items())]
      yield what, lines
    yield 'rows', [] if self.rows == other.rows else [f'tshark {other.rows}, tdscope {self.rows}']


def by_tshark(packets):
  said = Said()
  begun = None  # the last packet of a TDS 5.0 login has a type of its own
  for packet in packets:
    for kind, status in zip(packet['tds.type'], packet['tds.status']):
      kind = 2 if begun == 2 and int(kind, 0) == 15 else int(kind, 0)
      begun = None if int(status, 0) & 1 else kind
      if not begun:
        said.messages[TYPES.get(kind, str(kind))] += 1
    if any(int(kind, 0) in (2, 16) for kind in packet['tds.type']):
      for name, fields in LOGIN.items():
        for value in {value for field in fields for value in packet[field] if value}:
          said.logins[name, value] += 1
      for pid in packet['tds.7login.client_pid']:
        if int(pid, 0):
          said.logins['client_process_id', pid] += 1
    for version in packet['tds.loginack.tdsversion']:
      said.versions['tds', tds_version(int(version, 0))] += 1
    if packet['tds.type'] == ['4']:
      for version in packet['tds.prelogin.option.version']:
        said.versions['server', server_version(int(version, 0))] += 1
    said.errors.update(int(number, 0) for number in packet['tds.error.number'])
    said.rows += len(packet['tds.row']) + len(packet['tds.nbcrow'])
  return said


def by_tdscope(conversations):
  said = Said()
  for conversation in conversations:
    login = conversation['login']
    for kind, times in conversation.get('messages', {}).items():
      said.messages[kind] += times
    if conversation['messages'].get('login') or conversation['messages'].get('old_login'):
      for name in (*LOGIN, 'client_process_id'):
        if name in login:
          said.logins[name, str(login[name])] += 1
    if login['stage'] == 'done' and 'tds_version' in login:
      said.versions['tds', login['tds_version']] += 1
    if 'server_version' in login and conversation['messages'].get('prelogin'):
      said.versions['server', login['server_version']] += 1
    for error in conversation.get('errors', []):
      said.errors[error['number']] += error['count']
    said.rows += conversation.get('requests', {}).get('rows', 0)
  for counter in (said.messages, said.errors):
    for key in [key for key in counter if not counter[key]]:
      del counter[key]
  return said


def examine(tshark, tdscope, name):
  """[(what, complaints)] of one capture."""
  path = FOLDER / name
  try:
    listing = run([tdscope, 'conversations', '--format', 'json', str(path)]).stdout
    conversations = [json.loads(line) for line in listing.splitlines()]
    conversations = [conversation for conversation in conversations if conversation['protocol'] in ('tds', 'tds8')]
    packets = tshark.ask(path, {conversation['server']['port'] for conversation in conversations})
  except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
    return [('run', [f'{type(error).__name__}: {error}'])]
  return list(by_tdscope(conversations).complaints(by_tshark(packets)))


def read_known():
  """{(file, what): reason}"""
  known = {}
  for line in KNOWN.read_text(encoding='utf-8').splitlines():
    if line and not line.startswith('#'):
      name, what, reason = line.split('\t')
      known[name, what] = reason
  return known


def main():
  options = argparse.ArgumentParser(description='Compares what tdscope and tshark read in TDS.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('--cache', type=pathlib.Path, default=pathlib.Path('build-test/tshark-answers'))
  options.add_argument('--differences', action='store_true', help='print lines for known_tds.tsv instead of TAP')
  options.add_argument('captures', nargs='*', help='only these, named as below the folder of captures')
  options = options.parse_args()
  names = options.captures or [name for name in all_captures() if name.startswith(WHERE)]
  if not names:
    skip_all(f'no captures in {os.path.relpath(FOLDER)}')
  if not shutil.which('tshark'):
    skip_all('no tshark to compare with')
  known = read_known()
  tshark = Tshark(options.cache)
  tap = Tap()
  seen = set()
  for name in names:
    for what, complaints in examine(tshark, options.tdscope, name):
      seen.add((name, what))
      reason = known.get((name, what))
      if options.differences:
        if complaints:
          print(name, what, reason or '; '.join(complaints), sep='\t')
      elif reason and not complaints:
        tap.case(f'{name}: {what}', [f'known_tds.tsv lists a difference that no longer occurs: {reason}'])
      else:
        tap.case(f'{name}: {what}', complaints, todo=reason)
  if options.differences:
    return 0
  if not options.captures:
    tap.case('known_tds.tsv names only what is there', [' '.join(line) for line in known if line not in seen])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
