#!/usr/bin/env python3
"""Compiles every scene, here and in examples/, lets tdscope diagnose it and compares with what the scene expects; prints TAP."""

import argparse
import fnmatch
import ipaddress
import pathlib
import sys
import tempfile
from datetime import datetime

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / 'examples'
PEER_BUGS = 28
sys.path.insert(0, str(HERE.parent))
sys.dont_write_bytecode = True

import contract
from scene import START_NS, load, write_scene
from scene_files import write_files
from scene_language import SceneError
from scene_tool import capture_arguments, diagnose
from tap import Tap


def same_end(found, host):
  if not isinstance(found, dict) or found.get('port') != host.port:
    return False
  try:
    return ipaddress.ip_address(found.get('address', '')) == ipaddress.ip_address(host.address)
  except ValueError:
    return False


def matching(report, talk):
  """The report's conversations between these two ends, in whichever roles the report gives them."""
  client, server = talk.tcp.ends['client'].host, talk.tcp.ends['server'].host
  out = []
  for conversation in report.get('conversations', []):
    ends = conversation.get('client'), conversation.get('server')
    if same_end(ends[0], client) and same_end(ends[1], server):
      out.append(conversation)
    elif same_end(ends[1], client) and same_end(ends[0], server):
      out.append(conversation)
  return out


def nearest(conversations, talk, scene):
  """Where a pair of ports is used again, the conversation that starts nearest to the scene's."""
  wanted = START_NS + talk.tcp.packets[0].sent

  def distance(conversation):
    text = conversation.get('start', '')
    try:
      seconds = datetime.fromisoformat(text[:26].rstrip('Z') + '+00:00').timestamp()
    except ValueError:
      return float('inf')
    return abs(seconds * 1e9 - wanted)

  ports = [(t.tcp.ends['client'].host.port, t.tcp.ends['client'].host.address) for _, t, _ in scene.talks]
  reused = ports.count((talk.tcp.ends['client'].host.port, talk.tcp.ends['client'].host.address)) > 1
  return [min(conversations, key=distance)] if reused and conversations else conversations


def field_of(conversation, name):
  """`stage`, `login.stage` or `tls.alerts.0.name`: first the conversation's own fields, then those of its login and messages."""
  value = conversation
  for part in name.split('.'):
    if isinstance(value, list) and part.isdigit():
      value = value[int(part)] if int(part) < len(value) else None
    else:
      value = value.get(part) if isinstance(value, dict) else None
  if value is None and '.' not in name:
    for group in ('login', 'messages'):
      if isinstance(conversation.get(group), dict) and name in conversation[group]:
        value = conversation[group][name]
  if isinstance(value, bool):
    return str(value).lower()
  return 'absent' if value is None else str(value)


def differences(conversation, expectation):
  out = []
  for name, accepted in expectation.fields.items():
    if name in ('says', 'unsaid'):
      said = [words for words in accepted if words in conversation.get('explanation', '')]
      out += [f'{name}: {accepted}'] if (name == 'says') != bool(said) else []
      continue
    found = field_of(conversation, name)
    if found not in accepted:
      out.append(f"{name}: expected {' or '.join(accepted)}, found {found}")
  return out


def proof(conversation):
  lines = [f"  frame {e.get('frame', '?')}: {e.get('says', '')}" for e in conversation.get('evidence', [])[:4]]
  return [f"found {conversation.get('cause')} with confidence {conversation.get('confidence')}, "
      f"ending {conversation.get('ending')}, stage {conversation.get('login', {}).get('stage')}"] + lines


def finding_differences(report, cause, expectation):
  found = [finding for finding in report.get('findings', []) if finding.get('cause') == cause]
  if expectation is None:
    return [f"finding {cause}: not expected, but it says: {finding.get('explanation')}" for finding in found]
  if not found:
    return [f"finding {cause}: not there, but {[finding.get('cause') for finding in report.get('findings', [])]}"]
  wrong = min((differences(finding, expectation) for finding in found), key=len)
  return [f'finding {cause}: {line}' for line in wrong + [found[0].get('explanation', '')]] if wrong else []


def check_scene(scene, report):
  """Differences between what the scene expects and the report, as lines; none when all is as expected."""
  out = []
  for name, talk, expectation in scene.talks:
    if not expectation.fields:
      continue
    found = nearest(matching(report, talk), talk, scene)
    if not found:
      listed = [f"{c.get('client')} -> {c.get('server')}" for c in report.get('conversations', [])][:5]
      out.append(f'conversation {name}: not in the report, which has {listed}')
    for conversation in found:
      wrong = differences(conversation, expectation)
      if wrong:
        out += [f'conversation {name}:'] + ['  ' + line for line in wrong + proof(conversation)]
  for cause, expectation in scene.findings:
    out += finding_differences(report, cause, expectation)
  for what, expectation, part in (('verdict', scene.verdict, report.get('verdict', {})), ('report', scene.report, report)):
    wrong = differences(part, expectation) if expectation else []
    out += [what + ':'] + ['  ' + line for line in wrong] if wrong else []
  return out


def name_of(path):
  return str(path.relative_to(HERE if path.is_relative_to(HERE) else EXAMPLES.parent))


def stale_captures(path, paths):
  """The captures that lie ready beside a scene of examples/ must be what it compiles to."""
  for written in paths.values():
    ready = path.parent / written.name
    if path.is_relative_to(EXAMPLES) and (not ready.exists() or ready.read_bytes() != written.read_bytes()):
      yield f'{ready.name} is not what the scene says: run examples/make.py'


def run_scene(tap, tool, path, keep):
  name = name_of(path)
  try:
    scene = load(path)
  except SceneError as problem:
    tap.case(name, [problem])
    return
  with tempfile.TemporaryDirectory(prefix='tdscope-scene-') as folder:
    paths = write_scene(scene, pathlib.Path(keep) / path.parent.name / path.stem if keep else folder)
    stale = list(stale_captures(path, paths))
    if tool is None:
      tap.case(name, stale)
      return
    hint = ['--server-port', scene.server_port] if scene.server_port else []
    hint += write_files(scene, next(iter(paths.values())).parent, START_NS)
    run, report = diagnose(tool, [*hint, *scene.thresholds, *(paths.values() if scene.infer else capture_arguments(paths))])
  if run.status != 0 or run.died or report is None:
    tap.case(name, [run.complaint if report is not None else 'no JSON report; ' + run.complaint])
    return
  broken = [f'contract: {complaint}' for complaint in contract.complaints(report)]
  tap.case(name, stale + check_scene(scene, report) + broken[:5])


def unshown_bugs():
  """The folder `w` has a scene for each bug that the peer is known to have, by its number."""
  numbers = {path.name[:3] for path in HERE.glob('w/w*.scene')}
  return [f'W{number} has none' for number in range(1, PEER_BUGS + 1) if f'w{number:02}' not in numbers]


def main():
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--tdscope', help='the program to test; without it the scenes are only compiled')
  parser.add_argument('--only', default='*', help="pattern of scenes, as 'server.login-*/*' or '*near-*'")
  parser.add_argument('--keep', help='leave the captures in this folder')
  arguments = parser.parse_args()
  tool = pathlib.Path(arguments.tdscope).resolve() if arguments.tdscope else None
  tap = Tap()
  for path in sorted(HERE.glob('*/*.scene')) + sorted(EXAMPLES.glob('*/*.scene')):
    name = name_of(path)
    if fnmatch.fnmatch(name, arguments.only) or fnmatch.fnmatch(name, arguments.only + '*'):
      run_scene(tap, tool, path, arguments.keep)
  if arguments.only == '*':
    tap.case(f'w: scenes for W1 to W{PEER_BUGS}', unshown_bugs())
  if tap.number == 0:
    print(f'# no scene matches {arguments.only}')
    return 1
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
