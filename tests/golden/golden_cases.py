"""The golden outputs: which command is run on which scene, and how what changes from run to run is taken out."""

import difflib
import json
import pathlib
import re
import sys
import tempfile
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
SCENES = HERE.parent / 'scenes'
sys.path[:0] = [str(SCENES), str(HERE.parent)]
sys.dont_write_bytecode = True

from scene import load, write_scene
from scene_tool import capture_arguments, run_tool


@dataclass(frozen=True)
class Case:
  """One golden file: `words` before the captures of `scene` (none: the words alone)."""

  file: str
  words: tuple
  scene: str | None = None
  status: int = 0


def report_case(file, scene, command='diagnose'):
  words = (command, '--format', 'json') if file.endswith('.json') else (command,)
  return Case(file, words, scene)


CASES = (
  report_case('login-stalled.txt', 'server.login-stalled/clear-until-client-leaves'),
  report_case('login-stalled.json', 'server.login-stalled/clear-until-client-leaves'),
  report_case('login-refused.txt', 'client.login-refused/18456'),
  report_case('login-refused.json', 'client.login-refused/18456'),
  report_case('syn-lost.txt', 'network.syn-lost/others-are-accepted'),
  report_case('loss.txt', 'network.loss/large-answers'),
  report_case('gave-up.txt', 'client.gave-up-before-login/handshake-only'),
  report_case('normal-both-sides.txt', 'none.normal/both-sides-skewed-clocks'),
  report_case('delay-both-sides.txt', 'network.delay/both-captures'),
  report_case('delay-both-sides.json', 'network.delay/both-captures'),
  report_case('normal-truncated.json', 'none.normal/truncated-to-180'),
  report_case('mars-close.json', 'none.mars-close/benign-reset'),
  report_case('cut-off.txt', 'unknown.cut-off/ends-two-seconds-after-login7'),
  report_case('not-listening.txt', 'server.not-listening/many-clients'),
  report_case('port-exhaustion.txt', 'client.port-exhaustion/gave-up-before-login'),
  report_case('no-pooling.txt', 'client.no-pooling/in-the-background'),
  report_case('one-direction.txt', 'capture.one-direction/only-the-client'),
  report_case('every-minute.txt', 'pattern/every-minute'),
  report_case('many-servers.txt', 'pattern/many-servers'),
  report_case('behind-a-translator.txt', 'network.drop-to-server/both-behind-a-translator'),
  report_case('probes.txt', 'none.probe/health-check-fin'),
  report_case('slow-response.txt', 'server.slow-response/one-slow-answer'),
  report_case('dhe-defect.txt', 'server.dhe-defect/another-suite'),
  report_case('conversations.txt', 'network.syn-lost/others-are-accepted', 'conversations'),
  report_case('conversations.jsonl', 'network.syn-lost/others-are-accepted', 'conversations'),
  Case('show-login-stalled.txt', ('show', '1'), 'server.login-stalled/clear-until-client-leaves'),
  Case('show-hung-login.txt', ('show', '1'), 'w/w07-hung-login'),
  Case('show-tls-alert.txt', ('show', '10.1.0.5:50123'), 'w/w06-tls-alert-wrapped'),
  Case('show-tls-alert.json', ('show', '--format', 'json', '1'), 'w/w06-tls-alert-wrapped'),
  Case('show-both-ends.txt', ('show', '1'), 'network.device-reset/both-ends-are-reset'),
  Case('show-loss.txt', ('show', '1'), 'network.loss/large-answers'),
  Case('conversations-marks.txt', ('conversations', '--marks'), 'none.normal/login-encrypted'),
  Case('explain-login-stalled.txt', ('explain', 'server.login-stalled')),
  Case('explain-no-pooling.txt', ('explain', 'client.no-pooling')),
  Case('explain-mars-close.txt', ('explain', 'none.mars-close')),
  Case('explain-drop-to-client.txt', ('explain', 'network.drop-to-client')),
  Case('explain-filter-driver.txt', ('explain', 'server.filter-driver')),
  Case('explain-rss-disabled.json', ('explain', '--format', 'json', 'client.rss-disabled')),
  Case('collect-windows.txt', ('collect', '--for', 'windows')),
  Case('collect-linux.txt', ('collect', '--for', 'linux')),
  Case('collect-macos.txt', ('collect', '--for=macos')),
  Case('help.txt', ('--help',)),
)


def normal(text, case):
  """The text without versions; JSON laid out one field a line."""
  text = re.sub(r'\btdscope \d+\.\d+(\.\d+)?\S*', 'tdscope VERSION', text)
  text = re.sub(r'("(?:tool_)?version": ?)"\d+\.\d+[^"]*"', r'\1"VERSION"', text)
  if case.file.endswith('.json'):
    try:
      text = json.dumps(json.loads(text), indent=2, ensure_ascii=False) + '\n'
    except json.JSONDecodeError:
      pass
  return text


def output_of(tool, case):
  """(text, complaint): what the tool prints for this case; complaint is empty when it ended as it should."""
  with tempfile.TemporaryDirectory(prefix='tdscope-golden-') as folder:
    words = list(case.words)
    if case.file.endswith('.jsonl'):
      words += ['--format', 'json']
    if case.scene:
      paths = write_scene(load(SCENES / f'{case.scene}.scene'), folder)
      words += capture_arguments({vantage: path.name for vantage, path in paths.items()})
    run = run_tool(tool, words, folder)
    complaint = '' if run.status == case.status and not run.died else run.complaint
    return normal(run.out.replace(folder + '/', ''), case), complaint


def difference(case, golden, found):
  return ''.join(difflib.unified_diff(
    golden.splitlines(keepends=True), found.splitlines(keepends=True), f'golden/{case.file}', 'tdscope',
  ))
