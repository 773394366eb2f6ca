#!/usr/bin/env python3
"""Writes causes/ beside this file from the program's own words: one page a cause, and README.md, which lists them.

  docs/make.py [--tdscope build/tdscope]
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CAUSES = HERE / 'causes'
INDEX = 'README.md'
SECTIONS = (
  ('network', 'The network'),
  ('client', 'The client'),
  ('server', 'The server'),
  ('machine', 'A machine, the client\'s or the server\'s'),
  ('none', 'Nothing is wrong'),
  ('unknown', 'Not to be told'),
  ('capture', 'The capture itself'),
)
FOOT = '\n<!-- Written by `./dev docs` from what `tdscope explain` says. -->\n'


def explained(tool):
  """The words of every cause, in the program's order."""
  run = subprocess.run([str(tool), 'explain', '--format', 'json'], capture_output=True, text=True, check=True)
  return [json.loads(line) for line in run.stdout.splitlines()]


def markdown(text):
  """Plain text with `commands` as Markdown that shows the same."""
  parts = text.split('`')
  return '`'.join(part if i % 2 else re.sub(r'([\\*_<>|])', r'\\\1', part) for i, part in enumerate(parts))


def pages_of(causes):
  """Causes that share all their words, client's and server's, share a page."""
  pages = {}
  for cause in causes:
    words = {key: value for key, value in cause.items() if key not in ('cause', 'culprit')}
    pages.setdefault(json.dumps(words, sort_keys=True), []).append(cause)
  return list(pages.values())


def name_of(page):
  return page[0]['cause'] if len(page) == 1 else 'machine.' + page[0]['cause'].split('.')[1]


def page_text(page):
  words = page[0]
  out = ['# ' + ', '.join(cause['cause'] for cause in page), '', markdown(words['title']) + '.', '']
  out += [f"Culprit: {' or '.join(cause['culprit'] for cause in page)}. Severity: {words['severity']}.", '',
          '## How it is recognised', '', markdown(words['holds_when']), '']
  if 'holds_with_both' in words:
    out += ['With the captures of both ends: ' + markdown(words['holds_with_both']), '']
  if 'limits' in words:
    out += ['When it is left open: ' + markdown(words['limits']), '']
  out += ['## What it means', '', markdown(words['means']), '', '## What to do', '']
  out += [f'{number}. {markdown(action)}' for number, action in enumerate(words['actions'], 1)]
  return '\n'.join(out) + '\n' + FOOT


def index_text(pages):
  out = ['# Causes', '', 'What tdscope can name, and what each means. `tdscope explain CAUSE` says the same.', '']
  for culprit, heading in SECTIONS:
    rows = [page for page in pages if name_of(page).split('.')[0] == culprit]
    if not rows:
      continue
    out += [f'## {heading}', '', '| cause | says | severity |', '| --- | --- | --- |']
    for page in rows:
      names = ', '.join(f"[{cause['cause']}]({name_of(page)}.md)" for cause in page)
      out.append(f"| {names} | {markdown(page[0]['title'])} | {page[0]['severity']} |")
    out.append('')
  return '\n'.join(out[:-1]) + '\n' + FOOT


def documents(tool):
  """Every file of causes/ by its name."""
  pages = pages_of(explained(tool))
  texts = {name_of(page) + '.md': page_text(page) for page in pages}
  texts[INDEX] = index_text(pages)
  return texts


def main():
  options = argparse.ArgumentParser(description='Writes docs/causes/ from what the program says.')
  options.add_argument('--tdscope', default=HERE.parent / 'build/tdscope', type=pathlib.Path)
  texts = documents(options.parse_args().tdscope.resolve())
  CAUSES.mkdir(exist_ok=True)
  for old in CAUSES.glob('*.md'):
    if old.name not in texts:
      old.unlink()
  for name, text in texts.items():
    (CAUSES / name).write_text(text, encoding='utf-8')
  print(f'wrote {len(texts)} files to {CAUSES.relative_to(HERE.parent)}')


if __name__ == '__main__':
  sys.exit(main())
