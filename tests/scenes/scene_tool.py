"""Runs tdscope for the tests."""

import json
import os
import subprocess
from dataclasses import dataclass

TIMEOUT_S = 60


@dataclass
class Run:
  """What one run of the tool left behind; `status` is negative for a signal, None for a run that did not end."""

  status: int | None
  out: str
  err: str

  @property
  def died(self):
    sanitizer = 'AddressSanitizer' in self.err or 'runtime error:' in self.err or 'LeakSanitizer' in self.err
    return self.status is None or self.status < 0 or sanitizer

  @property
  def complaint(self):
    status = 'did not end' if self.status is None else f'status {self.status}'
    return f'{status}; standard error:\n{self.err.strip()[:2000]}'


def run_tool(tool, arguments, folder=None, piped=b''):
  environment = {**os.environ, 'TZ': 'UTC', 'LC_ALL': 'C.UTF-8'}
  environment.pop('COLUMNS', None)
  try:
    done = subprocess.run(
      [str(tool), *map(str, arguments)], capture_output=True, timeout=TIMEOUT_S, env=environment, cwd=folder,
      input=piped, check=False,
    )
  except subprocess.TimeoutExpired:
    return Run(None, '', f'no end after {TIMEOUT_S} s')
  return Run(done.returncode, done.stdout.decode('utf-8', 'replace'), done.stderr.decode('utf-8', 'replace'))


def capture_arguments(paths):
  out = []
  for vantage in ('client', 'server'):
    if vantage in paths:
      out += [f'--{vantage}', paths[vantage]]
  return out


def diagnose(tool, arguments):
  """The run of `diagnose --format json` and its report, None when standard output is no JSON object."""
  run = run_tool(tool, ['diagnose', '--format', 'json', *arguments])
  try:
    report = json.loads(run.out)
  except json.JSONDecodeError:
    report = None
  return run, report if isinstance(report, dict) else None
