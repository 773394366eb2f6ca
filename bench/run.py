#!/usr/bin/env python3
"""Time and peak memory of tdscope beside other programs that read the same capture, in one run.

Ratios within one run are what counts: the rounds are interleaved, so that what else the machine does hits all alike,
and the capture is in the page cache. A program that is slow runs once. Never asserts anything.

  bench/run.py --tdscope build/tdscope
  bench/run.py --tdscope build/tdscope --processor 1
  bench/run.py --tdscope build/tdscope --format pcapng
  bench/run.py --tdscope build/tdscope --kind many --conversations 1000000 --clients 200000
"""
import argparse
import collections
import ctypes
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

from generate import KINDS

HERE = pathlib.Path(__file__).resolve().parent
ONE_THREAD, TWO_THREADS = 'tdscope diagnose', 'tdscope diagnose, two threads'
TUNED, TUNED_TWO_THREADS = 'tdscope diagnose, tuned build', 'tdscope diagnose, tuned build, two threads'
PEERS = {  # every round, unless rounds says otherwise
  'cat': ['cat'],
  'capinfos -c': ['capinfos', '-c'],
  'tshark -z conv,tcp': ['tshark', '-n', '-q', '-z', 'conv,tcp', '-r'],
  'tcptrace -n': ['tcptrace', '-n'],
  'ndpiReader': ['ndpiReader', '-q', '-i'],
}
ONCE = {'tshark -z conv,tcp'}
VERSIONS = {
  'capinfos -c': ['capinfos', '--version'], 'tshark -z conv,tcp': ['tshark', '--version'],
  'tcptrace -n': ['tcptrace', '-version'], 'ndpiReader': ['ndpiReader', '-h'],
}

Run = collections.namedtuple('Run', 'seconds peak_bytes')


def adopt_orphans():
  """Makes this script the parent of processes whose own parent has ended."""
  PR_SET_CHILD_SUBREAPER = 36
  ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_once(command):
  """Wall-clock time, and what the kernel counted of the process; adopt_orphans() comes first.

  The kernel counts a process's peak from its fork on, so that a child of this script would never show less than the
  script has: a small shell starts it instead, and ends."""
  started = time.perf_counter()
  shell = subprocess.run(['sh', '-c', '"$@" >/dev/null 2>&1 & echo $!', 'sh', *command], stdout=subprocess.PIPE,
                         stdin=subprocess.DEVNULL, check=True)
  _, status, usage = os.wait4(int(shell.stdout), 0)
  seconds = time.perf_counter() - started
  if os.WIFSIGNALED(status):
    print(f'{command[0]} died of signal {os.WTERMSIG(status)}', file=sys.stderr)
  return seconds, usage


def measure(command):
  seconds, usage = run_once(command)
  return Run(seconds, usage.ru_maxrss * 1024)


def first_line(command):
  try:
    done = subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=20)
  except (OSError, subprocess.TimeoutExpired):
    return ''
  lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip() and 'root' not in line]
  return lines[0].strip() if lines else ''


def processor():
  try:
    with open('/proc/cpuinfo', encoding='utf-8') as file:
      return next(line.split(':')[1].strip() for line in file if line.startswith('model name'))
  except (OSError, StopIteration):
    return platform.machine()


def describe_machine(tdscope):
  print(f'{platform.system()} {platform.release()}, {processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}')
  print(first_line([tdscope, '--version']))


def megabytes(size):
  return f'{size / 1e6:.1f} MB'


def print_table(rows):
  widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
  for row in rows:
    print('  '.join(cell.ljust(width) if column == 0 else cell.rjust(width)
                    for column, (cell, width) in enumerate(zip(row, widths))))
  print()


def ratios(ours, peer):
  """tdscope / peer, round by round; a peer that ran once is compared with every round."""
  divisors = peer if len(peer) == len(ours) else peer * len(ours)
  return [our.seconds / their.seconds for our, their in zip(ours, divisors)]


def report(runs, subjects):
  rows = [['', 'median', 'min', 'max', 'peak memory', 'runs']]
  for name, results in runs.items():
    times = [run.seconds for run in results]
    rows.append([name, *(f'{value:.2f} s' for value in (statistics.median(times), min(times), max(times))),
                 megabytes(max(run.peak_bytes for run in results)), str(len(results))])
  print_table(rows)
  for subject in subjects:
    rows = [[f'{subject} compared with', 'time: median', 'min', 'max', 'memory']]
    for name, results in runs.items():
      if name in subjects:
        continue
      times = ratios(runs[subject], results)
      memory = max(run.peak_bytes for run in runs[subject]) / max(run.peak_bytes for run in results)
      rows.append([name, *(f'{value:.3g} x' for value in (statistics.median(times), min(times), max(times))),
                   f'{memory:.3g} x'])
    print_table(rows)


def report_threads(runs):
  for one, two in ((ONE_THREAD, TWO_THREADS), (TUNED, TUNED_TWO_THREADS)):
    if two in runs:
      times = sorted(ratios(runs[one], runs[two]))
      print(f'{two}: {statistics.median(times):.3g} times as fast as one thread ({times[0]:.3g} to {times[-1]:.3g})')


def capture_for(options):
  sizes = {'--bytes': options.bytes} if options.kind not in ('many', 'open') else {
    '--conversations': options.conversations, '--clients': options.clients}
  capture = HERE / 'data' / f'{options.kind}-{"-".join(str(size) for size in sizes.values())}.pcap'
  if not capture.exists():
    command = [sys.executable, str(HERE / 'generate.py'), '--kind', options.kind, str(capture)]
    subprocess.run(command + [str(word) for size in sizes.items() for word in size], check=True)
  return capture if options.format == 'pcap' else rewritten(capture, options.format)


def rewritten(capture, format):
  other = capture.with_suffix(f'.{format}')
  if not other.exists():
    unfinished = other.with_suffix('.unfinished')
    subprocess.run(['editcap', '-F', format, str(capture), str(unfinished)], check=True)
    unfinished.replace(other)
  return other


def leave_page_cache(capture):
  with open(capture, 'rb') as file:
    os.fsync(file.fileno())
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def enter_page_cache(capture):
  """From the disk, as a user's captures come: what a script wrote piece by piece lies there in pieces, which take half as long again to read."""
  leave_page_cache(capture)
  subprocess.run(['cat', str(capture)], stdout=subprocess.DEVNULL, check=True)


def main():
  options = argparse.ArgumentParser(description='Measures tdscope beside other programs.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('--tuned', help='the same, from ./dev build --tuned')
  options.add_argument('--rounds', type=int, default=5)
  options.add_argument('--kind', choices=KINDS, default='ordinary',
                       help='of capture, see generate.py (default: %(default)s)')
  options.add_argument('--bytes', type=int, default=1_050_000_000,
                       help='size of the capture (default: %(default)s); not many, open')
  options.add_argument('--conversations', type=int, default=1_000_000, help='of many and open (default: %(default)s)')
  options.add_argument('--clients', type=int, default=1000, help='of many: their addresses (default: %(default)s)')
  options.add_argument('--format', choices=['pcap', 'pcapng'], default='pcap',
                       help='of the file; pcapng is written by editcap (default: %(default)s)')
  options.add_argument('--without', action='append', default=[], metavar='PEER', choices=PEERS, help='leave it out')
  options.add_argument('--processor', type=int, help='everything runs on this one: virtual machines have slower ones')
  options.add_argument('--cold', action='store_true', help='the capture leaves the page cache before each run')
  options.add_argument('--capture', type=pathlib.Path, help='this one instead of a made one')
  options = options.parse_args()
  capture = options.capture or capture_for(options)

  subjects = {
    ONE_THREAD: [options.tdscope, 'diagnose', '--quiet', '--threads', '1'],
    TWO_THREADS: [options.tdscope, 'diagnose', '--quiet', '--threads', '2'],
    'tdscope diagnose, JSON': [options.tdscope, 'diagnose', '--quiet', '--threads', '1', '--format', 'json'],
    'tdscope conversations': [options.tdscope, 'conversations', '--quiet', '--threads', '1', '--format', 'json'],
  }
  if options.tuned:
    subjects[TUNED] = [options.tuned, *subjects[ONE_THREAD][1:]]
    subjects[TUNED_TWO_THREADS] = [options.tuned, *subjects[TWO_THREADS][1:]]
  if options.processor is not None:
    for name in (TWO_THREADS, TUNED_TWO_THREADS):
      subjects.pop(name, None)
  peers = {name: command for name, command in PEERS.items() if name not in options.without}
  missing = [name for name, command in peers.items() if not shutil.which(command[0])]
  commands = {**subjects, **{name: command for name, command in peers.items() if name not in missing}}

  describe_machine(options.tdscope)
  for name in filter(VERSIONS.get, peers):
    print(f'{name} is not here' if name in missing else f'{name}: {first_line(VERSIONS[name])}')
  print(f'{os.path.relpath(capture)}: {capture.stat().st_size} bytes, {"not " if options.cold else ""}in the page cache; {options.rounds} rounds\n')

  if options.processor is not None:
    os.sched_setaffinity(0, {options.processor})
    print(f'all on processor {options.processor}\n')
  adopt_orphans()
  enter_page_cache(capture)
  runs = collections.defaultdict(list)
  for turn in range(options.rounds):
    for name, command in commands.items():
      if turn == 0 or name not in ONCE:
        if options.cold:
          leave_page_cache(capture)
        runs[name].append(measure([*command, str(capture)]))
  report(runs, list(subjects))
  report_threads(runs)


if __name__ == '__main__':
  main()
