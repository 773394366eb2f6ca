#!/usr/bin/env python3
"""Compares what tdscope says of logins of real drivers with what happened, and with the bytes in the capture, as TAP.

Over all labelled captures, both ends. stage: what the scenario leads to; encryption: what both PRELOGINs make; versions:
TDS, TLS and its cipher suite, the server; names: host, application, library, user, server, database, connection ID, SNI,
ALPN. A fact whose bytes are not in the capture must be absent. Conversations whose begin the capture has not are left out.

  tests/differential/labelled.py --tdscope build/tdscope
"""
import argparse
import collections
import ipaddress
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'scenes')]
sys.dont_write_bytecode = True
from captures import FOLDER
from login_bytes import Login, connections_of
from scene_pcapng import read_capture
from tap import Tap, skip_all
from wireshark import run

LABELLED = FOLDER.parent / 'labelled'
SUITES = HERE.parents[1] / 'src/facts/tls_suites.def'
GROUPS = {
  'stage': ('stage', 'error'),
  'encryption': ('encrypted',),
  'versions': ('tds_version', 'tls_version', 'cipher', 'server_version'),
  'names': ('client_host', 'application', 'library', 'user', 'server_name', 'database', 'connection_id', 'authentication',
            'tls.server_name', 'tls.alpn_offered'),
}
# How far the login comes; a cause that is not here says nothing of it, and those of a login that goes well are the rest.
STAGES = {
  'client.certificate-rejected': {'tls'}, 'server.dhe-defect': {'tls'}, 'server.tls-refused': {'tls'},
  'client.gave-up-before-login': {'connected', 'prelogin'}, 'client.slow-name-resolution': {'connected', 'prelogin'},
  'none.probe': {'connected'},
  'network.syn-lost': {'syn'}, 'server.no-answer': {'syn'}, 'server.not-listening': {'syn'},
  'server.backlog-full': {'syn', 'prelogin'},
  'client.login-refused': {'refused', 'login'},
  'server.closed-in-login': {'login', 'authenticating'},
}
OPEN = {'client.abort': 'prelogin', 'server.login-late': 'prelogin'}  # some never get any further than this, some log in


def suite_names():
  return {f'0x{int(number, 16):04x}': name
          for number, name in re.findall(r'^SUITE\((0x[0-9a-f]+), (\w+)\)', SUITES.read_text(), re.M)}


def ends_of(conversation):
  return tuple((str(ipaddress.ip_address(conversation[side]['address'])), conversation[side]['port'])
               for side in ('client', 'server'))


def in_order(pairs):
  """{(ends, number): value}: of connections with the same ends, one after the other."""
  times, found = collections.Counter(), {}
  for ends, value in pairs:
    found[ends, times[ends]] = value
    times[ends] += 1
  return found


def by_tdscope(tdscope, path):
  listing = run([tdscope, 'conversations', '--format', 'json', str(path)]).stdout.splitlines()
  conversations = sorted(map(json.loads, listing), key=lambda one: one['id'])
  return in_order((ends_of(one), one) for one in conversations)


def by_bytes(path, suites):
  connections = connections_of(read_capture(path).records)
  return in_order((tuple((str(ipaddress.ip_address(address)), port) for address, port in (one.client, one.server)),
                   (one, Login(one, suites))) for one in connections)


def by_truth(folder, side):
  truth = json.loads((folder / 'truth.json').read_text())
  return in_order((ends_of(one[side]), one) for one in truth['connections'] if side in one)


def said(conversation, name):
  if name.startswith('tls.'):
    return conversation.get('tls', {}).get(name[4:])
  value = conversation['login'].get(name)
  return value['number'] if name == 'error' and value else value


def stages_of(cause, facts):
  """The stages that may be told."""
  if 'stage' in facts:
    return {facts['stage']}
  if cause in OPEN:
    return {'done', OPEN[cause]}
  return STAGES.get(cause, {'done'})


def complaints_of(connection, login, conversation, cause):
  """(group, line) of what is told otherwise."""
  facts, stage = dict(login.facts), conversation['login'].get('stage')
  expected = stages_of(cause, facts)
  if (connection.both_ways or expected == {'syn'}) and stage not in expected:
    yield 'stage', f'{cause}: {stage}, and not {" or ".join(sorted(expected))}'
  facts.pop('stage', None)
  for group, names in GROUPS.items():
    for name in names:
      if name != 'stage' and said(conversation, name) != facts.get(name):
        yield group, f'{name}: {said(conversation, name)}, and not {facts.get(name)}'


def examine(tdscope, suites, folder, side):
  """({group: complaints}, how many conversations were compared) of one capture."""
  path = folder / f'{side}.pcapng'
  ours, theirs, truth = by_tdscope(tdscope, path), by_bytes(path, suites), by_truth(folder, side)
  complaints, compared = {group: [] for group in GROUPS}, 0
  for key, (connection, login) in theirs.items():
    (client, server), number = key
    name = f'{client[0]}:{client[1]} - {server[0]}:{server[1]}' + (f' ({number + 1})' if number else '')
    if key not in ours:
      complaints['stage'].append(f'{name}: not found')
    elif key in truth:
      compared += 1
      for group, line in complaints_of(connection, login, ours[key], truth[key]['cause']):
        complaints[group].append(f'{name}: {line}')
  return complaints, compared


def main():
  options = argparse.ArgumentParser(description='Compares what is said of logins with what happened.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('folders', nargs='*', help='only these, as in normal/1')
  options = options.parse_args()
  folders = [LABELLED / name for name in options.folders] or sorted(path.parent for path in LABELLED.glob('*/*/truth.json'))
  if not folders:
    skip_all('no labelled captures beside the project')
  tap, suites, all_compared = Tap(), suite_names(), 0
  for folder in folders:
    for side in ('client', 'server'):
      if not (folder / f'{side}.pcapng').exists():
        continue
      complaints, compared = examine(options.tdscope, suites, folder, side)
      all_compared += compared
      for group, lines in complaints.items():
        tap.case(f'{folder.relative_to(LABELLED)}/{side}: {group}', lines)
  tap.case(f'{all_compared} logins were compared', [] if all_compared else ['none at all'])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
