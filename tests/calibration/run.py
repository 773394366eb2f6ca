#!/usr/bin/env python3
"""How often verdicts of each confidence are right, over captures with a label: `of verdicts given at 0.9, nine in ten are right`.

  tests/calibration/run.py --tdscope build/tdscope FOLDER...     # folders with client.pcapng, server.pcapng and truth.json, at any depth

Of the conversations that somebody is blamed for, and of those that nobody is: how many, how many name a culprit that the truth
accepts, how many also the cause. Prints a table for all captures and modes together, then each cause that is less sure or surer than right.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

MODES = {'client': ('client',), 'server': ('server',), 'both': ('client', 'server')}
BINS = (0.45, 0.55, 0.65, 0.75, 0.85, 0.92, 1.01)
LEAST_OF_A_CAUSE = 20


def folders_below(roots):
  return sorted(folder for root in roots for folder, _, files in os.walk(root) if 'truth.json' in files)


def key(end):
  return end['address'], int(end['port'])


def report_of(tdscope, folder, sides):
  command = [tdscope, 'diagnose', '--format', 'json', '--quiet']
  for side in sides:
    command += [f'--{side}', os.path.join(folder, f'{side}.pcapng')]
  return json.loads(subprocess.run(command, capture_output=True, check=False).stdout or '{}')


def labelled(truth, report, mode):
  """(conversation, accepted pairs) of each label whose conversation is in the report, and is no port used again."""
  table = collections.defaultdict(list)
  for c in report.get('conversations', []):
    ends = [(c['client'], c['server'])]
    if 'seen_by_server' in c:
      ends.append((c['seen_by_server']['client'], c['seen_by_server']['server']))
    for pair in {(key(a), key(b)) for a, b in ends}:
      table[pair].append(c)
  for label in truth['connections']:
    for side in [side for side in label['seen_in'] if side in MODES[mode]][:1]:
      found = table[key(label[side]['client']), key(label[side]['server'])]
      if len(found) == 1:
        yield found[0], [tuple(pair) for pair in label['accept'] + label.get('accept_alone', {}).get(mode, [])]


def tally(tdscope, roots):
  bins, causes = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
  for folder in folders_below(roots):
    with open(os.path.join(folder, 'truth.json'), encoding='utf-8') as file:
      truth = json.load(file)
    for mode, sides in MODES.items():
      for c, accepted in labelled(truth, report_of(tdscope, folder, sides), mode):
        if c['culprit'] == 'unknown':
          continue
        kind = 'blamed' if c['culprit'] != 'none' else 'none'
        place = next(i for i, end in enumerate(BINS) if c['confidence'] < end)
        right, cause = c['culprit'] in {a[0] for a in accepted}, c['cause'] in {a[1] for a in accepted}
        for counter in (bins[kind, place], causes[c['cause'], c['confidence']]):
          counter.update({'all': 1, 'right': right, 'cause': cause})
  return bins, causes


def percent(part, whole):
  return f'{100 * part / whole:5.1f} %'


def main():
  options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  options.add_argument('--tdscope', required=True)
  options.add_argument('roots', nargs='+')
  chosen = options.parse_args()
  bins, causes = tally(chosen.tdscope, chosen.roots)
  print('| said | verdicts | culprit right | cause right |\n| --- | ---: | ---: | ---: |')
  for (kind, place), n in sorted(bins.items()):
    begin = BINS[place - 1] if place else 0
    said = f'{begin:.2f} to {min(BINS[place], 1):.2f}'
    who = 'somebody is blamed' if kind == 'blamed' else 'nobody is'
    print(f"| {who}, {said} | {n['all']} | {percent(n['right'], n['all'])} | {percent(n['cause'], n['all'])} |")
  print('\nCauses that are less often right than they say:')
  for (cause, said), n in sorted(causes.items()):
    if n['all'] >= LEAST_OF_A_CAUSE and n['cause'] < said * n['all']:
      print(f"  {cause} at {said}: {n['all']} verdicts, culprit {percent(n['right'], n['all'])}, cause {percent(n['cause'], n['all'])}")
  return 0


if __name__ == '__main__':
  sys.exit(main())
