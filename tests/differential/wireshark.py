"""What Wireshark's programs say of a capture, remembered; and the command line that the scripts share which compare with it."""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

from captures import FOLDER
from tap import skip_all

TIMEOUT_S = 300
BETWEEN = '\x1f'  # between several values of one field


def run(command, environment=None):
  return subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=TIMEOUT_S,
                        stdin=subprocess.DEVNULL, env=environment)


class Wireshark:
  """Answers are remembered by the file's content, the question and Wireshark's version."""

  def __init__(self, cache):
    self.cache = cache
    self.cache.mkdir(parents=True, exist_ok=True)
    settings = cache / 'no-settings'
    settings.mkdir(exist_ok=True)
    self.environment = dict(os.environ, LC_ALL='C', WIRESHARK_CONFIG_DIR=str(settings))
    self.version = self.run(['tshark', '--version']).stdout.split('\n')[0]

  def run(self, command):
    return run(command, self.environment)

  def remembered(self, path, question, ask):
    """What ask() says of the file, as JSON can hold it; asked only once."""
    key = repr((self.version, question)).encode() + path.read_bytes()
    remembered = self.cache / f'{hashlib.sha256(key).hexdigest()}.json'
    if remembered.exists():
      return json.loads(remembered.read_text())
    answer = ask()
    unfinished = remembered.with_suffix('.new')
    unfinished.write_text(json.dumps(answer))
    unfinished.replace(remembered)
    return answer

  def fields(self, path, display_filter, fields):
    """For each packet that the filter lets through, the list of values of each field."""
    command = ['tshark', '-n', '-2', '-Y', display_filter, '-T', 'fields', '-E', 'occurrence=a', '-E',
               f'aggregator={BETWEEN}', '-o', 'kerberos.decrypt:FALSE']
    for field in fields:
      command += ['-e', field]
    return self.remembered(path, command, lambda: [
      [value.split(BETWEEN) if value else [] for value in line.split('\t')]
      for line in self.run([*command, '-r', str(path)]).stdout.splitlines()])


def read_options(what, listed_in):
  """The options of a script that compares `what`; differences that are known are listed in the file of that name."""
  options = argparse.ArgumentParser(description=f'Compares {what} with Wireshark.')
  options.add_argument('--tdscope', required=True)
  options.add_argument('--cache', type=pathlib.Path, default=pathlib.Path('build-test/tshark-answers'))
  options.add_argument('--differences', action='store_true', help=f'print lines for {listed_in} instead of TAP')
  options.add_argument('captures', nargs='*', help='only these, named as below the folder of captures')
  return options.parse_args()


def skip_unless_comparable(names, *programs):
  """Ends the script, with all its tests skipped, where there is nothing to compare, or nothing to compare with."""
  if not names:
    skip_all(f'no captures in {os.path.relpath(FOLDER)}')
  missing = [program for program in programs if not shutil.which(program)]
  if missing:
    skip_all(f'no {" and ".join(missing)} to compare with')
