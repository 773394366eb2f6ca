"""Logs and command outputs beside a scene's captures: their lines, with the scene's times in the form that each format has."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from scene_tds import guid

FORMS = {
  'errorlog': lambda t: f'{t:%Y-%m-%d %H:%M:%S}.{t.microsecond // 10000:02}',
  'iso': lambda t: f'{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond:06}0Z',
  'seconds': lambda t: f'{t:%Y-%m-%d %H:%M:%S}',
  'milliseconds': lambda t: f'{t:%Y-%m-%d %H:%M:%S}.{t.microsecond // 1000:03}',
  'slashes': lambda t: f'{t:%Y/%m/%d %H:%M:%S}.{t.microsecond // 1000:03}',
  'american': lambda t: f'{t.month}/{t.day}/{t.year} {t.hour}:{t.minute}:{t.second}.{t.microsecond // 1000}',
}
CONNECTION = re.compile(r'\{connection ([\w-]+)\}')
PLACEHOLDER = re.compile(r'\{(-?\d+(?:\.\d+)?)s(?: ([a-z]+))?(?: ([+-]\d+)h)?\}')


@dataclass
class SourceFile:
  """A file of evidence that is no capture."""

  name: str
  side: str | None = None  # tdscope is told that it is that machine's
  encoding: str = 'utf-8'
  line_end: str = '\n'
  lines: list = field(default_factory=list)

  def write(self, folder, start_ns, talks):
    labels = {name: talk.label for name, talk, _ in talks}
    text = ''.join(filled(line, start_ns, labels) + self.line_end for line in self.lines)
    path = folder / self.name
    path.write_bytes(text.encode(self.encoding))
    return path


def filled(line, start_ns, labels):
  """`{3s}`, `{3s iso}`, `{3s errorlog -5h}`: the time three seconds after the scene's begin, in that form, five hours behind UTC.

  `{connection main}`: the ID in that conversation's PRELOGIN.
  """
  def time(match):
    moment = datetime.fromtimestamp(start_ns / 1e9, timezone.utc) + timedelta(seconds=float(match[1]), hours=float(match[3] or 0))
    return FORMS[match[2] or 'errorlog'](moment)
  line = CONNECTION.sub(lambda match: str(uuid.UUID(bytes_le=guid(labels[match[1]] + '/connection'))), line)
  return PLACEHOLDER.sub(time, line)


def read_header(words):
  """`file NAME [of client|server] [encoding=utf-16] [crlf]`."""
  source = SourceFile(words[0])
  words = words[1:]
  if words[:1] == ['of']:
    source.side, words = words[1], words[2:]
    if source.side not in ('client', 'server'):
      raise ValueError('say: file NAME of client|server')
  for word in words:
    if word.startswith('encoding='):
      source.encoding = word.split('=', 1)[1]
    elif word == 'crlf':
      source.line_end = '\r\n'
    else:
      raise ValueError(f"'{word}' after file: of client|server, encoding=, crlf")
  return source


def write_files(scene, folder, start_ns):
  """Writes them; returns the arguments by which tdscope is given them."""
  arguments = []
  for source in scene.files:
    path = source.write(folder, start_ns, scene.talks)
    arguments += [f'--{source.side}', path] if source.side else [path]
  return arguments
