#!/usr/bin/env python3
"""How time and memory of diagnose grow with bytes and with conversations: a table, and a plot as SVG.

Time is user and system time, the least of several runs, which what else the machine does disturbs least. Each capture is
made, measured and removed again. Never asserts anything.

  bench/growth.py --tdscope build/tdscope
  bench/growth.py --tdscope build/tdscope --conversations 25000 50000 100000 --bytes 50000000 100000000
"""
import argparse
import os
import pathlib
import subprocess
import sys

from run import adopt_orphans, run_once

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEIGHT, MARGIN = 420, 260, 60


def measure(command):
  """CPU time and peak memory of one run."""
  _, usage = run_once(command)
  return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def series(options, kind, word, sizes):
  """[(size, seconds, bytes of memory)]"""
  points = []
  capture = HERE / 'data' / f'growth-{os.getpid()}.pcap'
  for size in sizes:
    subprocess.run([sys.executable, str(HERE / 'generate.py'), '--kind', kind, f'--{word}', str(size), str(capture)],
                   check=True, stderr=subprocess.DEVNULL)
    runs = [measure([options.tdscope, 'diagnose', '--quiet', *options.option, str(capture)])
            for _ in range(options.rounds)]
    actual = capture.stat().st_size if word == 'bytes' else size
    capture.unlink()
    points.append((actual, min(run[0] for run in runs), max(run[1] for run in runs)))
    seconds, memory = points[-1][1:]
    print(f'{kind:>9}  {actual:>12} {word:<13}  {seconds:8.2f} s  {memory / 1e6:8.1f} MB', flush=True)
  return points


def panel(left, top, title, points, unit):
  """One plot: a line through (x, y), both axes from zero."""
  most_x, most_y = max(x for x, _ in points), max(y for _, y in points)
  inner_width, inner_height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
  at = [(left + MARGIN + x / most_x * inner_width, top + HEIGHT - MARGIN - y / most_y * inner_height)
        for x, y in [(0, 0), *points]][1:]
  bottom = top + HEIGHT - MARGIN
  lines = [f'<text x="{left + MARGIN}" y="{top + MARGIN - 14}" font-weight="bold">{title}</text>',
           f'<path d="M{left + MARGIN} {top + MARGIN} V{bottom} H{left + WIDTH - MARGIN}" fill="none" stroke="#888"/>',
           f'<text x="{left + MARGIN - 6}" y="{top + MARGIN + 4}" text-anchor="end">{most_y:.4g} {unit}</text>',
           f'<text x="{left + WIDTH - MARGIN}" y="{bottom + 18}" text-anchor="end">{most_x:,}</text>',
           f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in at)}" fill="none" stroke="#06c" stroke-width="2"/>']
  return lines + [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#06c"/>' for x, y in at]


def plot(path, by_conversations, by_bytes):
  rows = [('conversations', by_conversations), ('bytes', by_bytes)]
  lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{2 * HEIGHT}" '
           'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="#fff"/>']
  for row, (word, points) in enumerate(rows):
    lines += panel(0, row * HEIGHT, f'CPU time by {word}', [(size, seconds) for size, seconds, _ in points], 's')
    lines += panel(WIDTH, row * HEIGHT, f'peak memory by {word}', [(size, memory / 1e6) for size, _, memory in points],
                   'MB')
  path.write_text('\n'.join([*lines, '</svg>', '']), encoding='utf-8')


def main():
  options = argparse.ArgumentParser(description='Shows how time and memory of diagnose grow.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('--rounds', type=int, default=3)
  options.add_argument('--conversations', type=int, nargs='+', default=[50_000, 100_000, 200_000, 400_000])
  options.add_argument('--bytes', type=int, nargs='+', default=[125_000_000, 250_000_000, 500_000_000, 1_000_000_000])
  options.add_argument('--option', action='append', default=[], help='given to diagnose: --option=--memory=64M')
  options.add_argument('--plot', type=pathlib.Path, default=HERE / 'data' / 'growth.svg',
                       help='written there (default: %(default)s)')
  options = options.parse_args()
  adopt_orphans()
  by_conversations = series(options, 'many', 'conversations', options.conversations)
  by_bytes = series(options, 'ordinary', 'bytes', options.bytes)
  options.plot.parent.mkdir(parents=True, exist_ok=True)
  plot(options.plot, by_conversations, by_bytes)
  print(f'{os.path.relpath(options.plot)} shows it', file=sys.stderr)


if __name__ == '__main__':
  main()
