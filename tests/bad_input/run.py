#!/usr/bin/env python3
"""What tdscope does with input that is not as it should be, and with the command line, as TAP.

Each evil gives one clear sentence on standard error with file, offset where there is one, and reason; what was
readable is analysed; the exit status is the contract's; JSON holds the contract.

  tests/bad_input/run.py --tdscope build/tdscope
"""
import argparse
import gzip
import html.parser
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
SCENES = TESTS / 'scenes'
sys.path[:0] = [str(TESTS), str(SCENES), str(TESTS / 'formats')]
sys.dont_write_bytecode = True
import archive_bytes
import capture_bytes as make
import contract
import netmon_bytes
import packed_bytes
from etl_bytes import Packet
from scene import load, write_scene
from tap import Tap

DONE, FAULT, USAGE, INCOMPLETE, NOTHING = 0, 1, 2, 3, 4
TIMEOUT_S = 60
FRAMES = make.exchange()
SOUND = make.pcap(FRAMES)
NETMON = netmon_bytes.netmon([Packet((make.START_S * 1000 + number) * 10**6, frame, len(frame)) for number, frame in enumerate(FRAMES)],
                             netmon_bytes.Style())
LOG = b'\r\nActive Connections\r\n\r\n  Proto  Local Address          Foreign Address        State\r\n' \
  b'  TCP    10.1.0.5:50123         10.2.0.9:1433          ESTABLISHED\r\n'
SANITIZER = re.compile(r'Sanitizer|runtime error:')


class Tdscope:
  def __init__(self, program, folder, tap):
    self.program = program
    self.folder = folder
    self.tap = tap

  def run(self, *arguments, stdin=b'', stdout=subprocess.PIPE):
    return subprocess.run([self.program, *map(str, arguments)], input=stdin, stdout=stdout, stderr=subprocess.PIPE,
                          timeout=TIMEOUT_S, cwd=self.folder)

  def file(self, name, content):
    path = self.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return name

  def evidence(self, name, arguments, status, says=(), packets=None, sentences=None, stdin=b''):
    """One case: `diagnose --format json ARGUMENTS`. status: allowed ones; says: patterns that standard error must
    match; packets: how many must have been read; sentences: how many lines on standard error."""
    done = self.run('diagnose', '--format', 'json', *arguments, stdin=stdin)
    self.tap.case(name, [*self.judge(done, status, says, sentences), *self.judge_report(done, packets)])

  @staticmethod
  def judge(done, status, says=(), sentences=None):
    said = done.stderr.decode(errors='replace')
    allowed = status if isinstance(status, tuple) else (status,)
    wrong = []
    if done.returncode not in allowed:
      wrong.append(f'exit status {done.returncode}, not {" or ".join(map(str, allowed))}')
    wrong += [f'standard error does not say {pattern!r}' for pattern in says if not re.search(pattern, said, re.I)]
    lines = [line for line in said.splitlines() if line.strip()]
    if sentences is not None and len(lines) != sentences:
      wrong.append(f'{len(lines)} sentences on standard error, not {sentences}')
    if SANITIZER.search(said):
      wrong.append('a sanitizer complains')
    return wrong + ['standard error: ' + line for line in lines] if wrong else []

  @staticmethod
  def judge_report(done, packets):
    if not done.stdout.strip():
      return ['no report'] if done.returncode in (DONE, INCOMPLETE) else []
    try:
      report = json.loads(done.stdout)
    except ValueError as error:
      return [f'the report is not JSON: {error}']
    wrong = contract.complaints(report)
    if not wrong and packets is not None:
      read = sum(capture['packets'] for capture in report['captures'])
      if read != packets:
        wrong.append(f'{read} packets read, not {packets}')
    return wrong

  def command(self, name, arguments, status, says=(), prints=(), stdin=b''):
    """One case of the command line. prints: patterns that standard output must match."""
    done = self.run(*arguments, stdin=stdin)
    wrong = self.judge(done, status, says)
    printed = done.stdout.decode(errors='replace')
    wrong += [f'standard output does not say {pattern!r}' for pattern in prints if not re.search(pattern, printed, re.I)]
    self.tap.case(name, wrong)


def not_captures(t):
  t.evidence('an empty file', [t.file('empty.pcap', b'')], NOTHING, ['empty\\.pcap', 'is empty'], sentences=1)
  t.evidence('a text', [t.file('notes.txt', b'Monday: the server was slow.\n' * 40)], NOTHING, ['notes\\.txt'], sentences=1)
  noise = bytes((index * index * 31 + index * 17 + 7) % 251 for index in range(5000))
  t.evidence('noise', [t.file('noise.bin', noise)], NOTHING, ['noise\\.bin'], sentences=1)
  t.evidence('one byte', [t.file('one', b'\xd4')], NOTHING, ['one'], sentences=1)
  t.evidence('a compressed capture', [t.file('sound.pcap.gz', gzip.compress(SOUND, mtime=0))], DONE, packets=len(FRAMES), sentences=0)
  t.evidence('a compressed text', [t.file('notes.gz', gzip.compress(b'text\n' * 40, mtime=0))], NOTHING, ['notes\\.gz'],
             sentences=1)
  t.evidence('a pcap header alone', [t.file('header.pcap', SOUND[:make.FILE_HEADER_BYTES])], (DONE, NOTHING), packets=0)
  t.evidence('a pcap header cut', [t.file('header-cut.pcap', SOUND[:10])], NOTHING, ['header-cut\\.pcap'], sentences=1)
  t.evidence('a pcapng section cut', [t.file('section-cut.pcapng', make.pcapng(FRAMES)[:20])], NOTHING,
             ['section-cut\\.pcapng'], sentences=1)


def cut_and_absurd(t):
  last = len(SOUND) - len(make.pcap_record(FRAMES[-1], 0))
  t.evidence('pcap cut in a packet', [t.file('cut.pcap', SOUND[:-5])], INCOMPLETE, ['cut\\.pcap', f'\\b{last}\\b'],
             packets=len(FRAMES) - 1, sentences=1)
  t.evidence('pcap cut in a record header', [t.file('cut-header.pcap', SOUND[:last + 7])], INCOMPLETE,
             ['cut-header\\.pcap', f'\\b{last}\\b'], packets=len(FRAMES) - 1, sentences=1)
  sound = make.pcapng(FRAMES)
  last = len(sound) - len(make.pcapng_packet(FRAMES[-1], 0))
  t.evidence('pcapng cut in a packet', [t.file('cut.pcapng', sound[:-9])], INCOMPLETE, ['cut\\.pcapng', f'\\b{last}\\b'],
             packets=len(FRAMES) - 1, sentences=1)
  huge = make.pcap_record(FRAMES[-1], 9, captured=0xFFFFFFFF)
  t.evidence('pcap packet of 4 GB', [t.file('huge.pcap', SOUND + huge)], INCOMPLETE, ['huge\\.pcap', f'\\b{len(SOUND)}\\b'],
             packets=len(FRAMES), sentences=1)
  huge = make.pcapng_packet(FRAMES[-1], 9, length=0xFFFFFFFC)
  t.evidence('pcapng block of 4 GB', [t.file('huge.pcapng', sound + huge)], INCOMPLETE,
             ['huge\\.pcapng', f'\\b{len(sound)}\\b'], packets=len(FRAMES), sentences=1)
  short = make.pcapng_packet(FRAMES[-1], 9, length=8)
  t.evidence('pcapng block of 8 bytes', [t.file('short.pcapng', sound + short)], INCOMPLETE,
             ['short\\.pcapng', f'\\b{len(sound)}\\b'], packets=len(FRAMES), sentences=1)
  liar = make.pcapng_packet(FRAMES[-1], 9, captured=0xFFFFFFFF)
  t.evidence('pcapng packet longer than its block', [t.file('liar.pcapng', sound + liar)], INCOMPLETE,
             ['liar\\.pcapng', f'\\b{len(sound)}\\b'], packets=len(FRAMES), sentences=1)
  stray = make.pcapng_packet(FRAMES[-1], 9, interface=7)
  t.evidence('pcapng packet of an interface that is not there', [t.file('stray.pcapng', sound + stray)], INCOMPLETE,
             ['stray\\.pcapng', f'\\b{len(sound)}\\b'], packets=len(FRAMES), sentences=1)
  t.evidence('netmon cut in its table', [t.file('cut.cap', NETMON[:-5])], INCOMPLETE, ['cut\\.cap', 'table of records'], packets=len(FRAMES),
             sentences=1)
  broken = NETMON[:-8] + b'\xff' * 4 + NETMON[-4:]
  t.evidence('netmon with a wrong offset', [t.file('wrong.cap', broken)], INCOMPLETE, ['wrong\\.cap', '1 of 7 records'], packets=len(FRAMES) - 1,
             sentences=1)


def packed(t):
  """Compressed files that are damaged, cut short, or made to fill a disk."""
  many = make.pcap(FRAMES * 300)
  squeezed = gzip.compress(many, mtime=0)
  t.evidence('a gzip file cut short', [t.file('cut.pcap.gz', squeezed[:-len(squeezed) // 4])], INCOMPLETE, ['cut\\.pcap\\.gz', 'cut short'], sentences=1)
  read = json.loads(t.run('--format', 'json', 'cut.pcap.gz').stdout)['captures'][0]['packets']
  t.tap.case('and what came before is read', [] if len(FRAMES) * 200 < read < len(FRAMES) * 300 else [f'{read} packets'])
  t.evidence('a gzip file with a wrong sum', [t.file('sum.pcap.gz', squeezed[:-8] + bytes(8))], INCOMPLETE, ['sum\\.pcap\\.gz', 'data check'],
             packets=len(FRAMES) * 300, sentences=1)
  t.evidence('a gzip file with other bytes behind it', [t.file('more.pcap.gz', squeezed + b'more')], INCOMPLETE, ['more\\.pcap\\.gz', 'not compressed'],
             packets=len(FRAMES) * 300, sentences=1)
  for name, pack in packed_bytes.PACKINGS.items():
    whole = pack(many)
    done = t.run('--format', 'json', t.file(f'cut.{name}', whole[:len(whole) * 3 // 4]))
    t.tap.case(f'a file cut short: {name}', t.judge(done, (INCOMPLETE, NOTHING), [f'cut\\.{name}', 'cut short|damaged'], sentences=1))
    t.evidence(f'nothing, compressed: {name}', [t.file(f'nothing.{name}', pack(b''))], NOTHING, ['is empty'], sentences=1)
  log = gzip.compress(LOG * 1000, mtime=0)
  t.evidence('a log cut short', [t.file('cut-log.gz', log[:-20])], INCOMPLETE)
  t.evidence('compressed again and again', [t.file('four.gz', packed_bytes.gz(packed_bytes.gz(packed_bytes.gz(squeezed))))], NOTHING,
             ['more often'], sentences=1)
  bomb = packed_bytes.gz(packed_bytes.gz(make.pcap_header() + bytes(160 << 20)))
  t.evidence('a bomb', [t.file('bomb.gz', bomb)], INCOMPLETE, ['bomb\\.gz', '1000 times'], sentences=1)


def archives(t):
  """Archives that are damaged, hostile, or hold others."""
  many = make.pcap(FRAMES * 300)
  members = [('a.pcap', many), ('b.txt', LOG), ('c.pcap', SOUND)]
  for kind, pack in archive_bytes.KINDS.items():
    whole = pack(members)
    t.evidence(f'a {kind}', [t.file(f'whole.{kind}', whole)], DONE, packets=len(FRAMES) * 301, sentences=0)
    done = t.run('--format', 'json', t.file(f'cut.{kind}', whole[:len(whole) // 2]))
    t.tap.case(f'a {kind} cut short', [*t.judge(done, (INCOMPLETE, NOTHING), [f'cut\\.{kind}']), *t.judge_report(done, None)])
    wrong = []
    for place in range(40):
      spoilt = bytearray(whole)
      at = len(whole) * place // 40
      spoilt[at:at + 8] = bytes(reversed(spoilt[at:at + 8]))
      done = t.run('--format', 'json', t.file(f'spoilt.{kind}', bytes(spoilt)))
      wrong += [f'{at}: {complaint}' for complaint in [*t.judge(done, (DONE, INCOMPLETE, NOTHING)), *t.judge_report(done, None)]]
    t.tap.case(f'a {kind} that is damaged anywhere', wrong[:10])
  inner = archive_bytes.make_zip([('a.pcap', SOUND)])
  t.evidence('archives in an archive', [t.file('outer.zip', archive_bytes.make_zip([('in.zip', inner), ('in.tgz', archive_bytes.make_tar([('x', b'y')], 'gz')), ('a.pcap', SOUND)]))],
             INCOMPLETE, ['outer\\.zip/in\\.zip looks like a zip', 'outer\\.zip/in\\.tgz looks like a tar'], packets=len(FRAMES), sentences=2)
  t.evidence('an archive through a pipe', ['-'], NOTHING, ['a zip archive', 'unpack it first'], sentences=1, stdin=inner)
  t.evidence('an archive of nothing', [t.file('none.zip', archive_bytes.make_zip([]))], NOTHING, ['no file in this archive'], sentences=1)
  t.evidence('names that lead elsewhere', [t.file('names.tar', archive_bytes.make_tar([('../../up.pcap', SOUND), ('/etc/x\n\x1b[31m.pcap', SOUND[:-5]), ('..', SOUND[:-9])]))],
             INCOMPLETE, ['names\\.tar/etc/x', 'names\\.tar/member 3'], packets=len(FRAMES) * 3 - 2, sentences=2)
  bomb = archive_bytes.make_zip([('bomb.pcap', make.pcap_header() + bytes(160 << 20)), ('a.pcap', SOUND)])
  t.evidence('a bomb in an archive', [t.file('bomb.zip', bomb)], INCOMPLETE, ['bomb\\.zip: ', '1000 times', 'bomb\\.pcap'], sentences=2)
  t.evidence('thousands of files in one', [t.file('thousands.tgz', archive_bytes.make_tar([(f'{number}.txt', LOG) for number in range(3000)], 'gz'))], DONE, sentences=0)
  before = (t.folder / 'whole.zip').read_bytes()
  for name in ('whole.zip', '.'):
    wrong = t.judge(t.run('diagnose', '-o', 'whole.zip', name), USAGE, ['another name'])
    t.tap.case(f'-o onto an archive of {name}', wrong + ([] if (t.folder / 'whole.zip').read_bytes() == before else ['it was overwritten']))


def every_cut(t):
  """No cutting place of either format makes it fall."""
  for name, whole in (('pcap', SOUND), ('pcapng', make.pcapng(FRAMES)), ('netmon', NETMON)):
    wrong = []
    for end in range(0, len(whole), 13):
      t.file('prefix', whole[:end])
      done = t.run('diagnose', '--format', 'json', 'prefix')
      wrong += [f'{end} bytes: {complaint}' for complaint in
                [*t.judge(done, (DONE, INCOMPLETE, NOTHING)), *t.judge_report(done, None)]]
    t.tap.case(f'any beginning of a {name}', wrong[:10])


def odd_but_readable(t):
  back = make.pcap(FRAMES, milliseconds=lambda number: 3_600_000 - number * 60_000)
  t.file('backwards.pcap', back)
  done = t.run('diagnose', '--format', 'json', 'backwards.pcap')
  wrong = [*t.judge(done, DONE), *t.judge_report(done, len(FRAMES))]
  if not wrong:
    said = ' '.join([done.stderr.decode(errors='replace'), *json.loads(done.stdout)['captures'][0]['notes']])
    if not re.search(r'backward|earlier|back in time|out of order', said, re.I):
      wrong.append(f'nothing is said of times that go backwards: {said!r}')
  t.tap.case('time goes backwards', wrong)
  t.evidence('an unknown link type', [t.file('link.pcap', make.pcap(FRAMES, link_type=147))], (INCOMPLETE, NOTHING),
             ['link\\.pcap', '\\b147\\b'], sentences=1)
  t.evidence('an unknown link type in pcapng', [t.file('link.pcapng', make.pcapng(FRAMES, link_type=147))],
             (INCOMPLETE, NOTHING), ['link\\.pcapng', '\\b147\\b'], sentences=1)
  t.evidence('packets of noise', [t.file('dirt.pcap', make.pcap([bytes([number * 7 % 256] * number) for number in range(90)]))],
             (DONE, NOTHING), packets=90)


def files_and_folders(t):
  (t.folder / 'nothing').mkdir()
  t.evidence('an empty folder', ['nothing'], NOTHING, ['nothing'], sentences=1)
  t.file('unreadable/a.txt', b'text\n' * 9)
  t.file('unreadable/b.pcap', b'')
  t.evidence('a folder with none readable', ['unreadable'], NOTHING, ['a\\.txt', 'b\\.pcap'])
  t.evidence('a missing file', ['absent.pcap'], NOTHING, ['absent\\.pcap', 'no such file'], sentences=1)
  t.file('sound.pcap', SOUND)
  t.file('mixed/one.pcap', SOUND)
  t.file('mixed/two.txt', b'text\n' * 9)
  t.evidence('a sound file', ['sound.pcap'], DONE, packets=len(FRAMES), sentences=0)
  t.evidence('a sound file and a missing one', ['sound.pcap', 'absent.pcap'], INCOMPLETE, ['absent\\.pcap'],
             packets=len(FRAMES), sentences=1)
  t.evidence('a sound file and a text', ['sound.pcap', 'notes.txt'], INCOMPLETE, ['notes\\.txt'], packets=len(FRAMES),
             sentences=1)
  t.evidence('a folder with one readable', ['mixed'], INCOMPLETE, ['two\\.txt'], packets=len(FRAMES), sentences=1)
  t.evidence('a name with a line end', [t.file('two\nlines.pcap', b'')], NOTHING, sentences=1)
  t.evidence('standard input', ['-'], DONE, packets=len(FRAMES), sentences=0, stdin=SOUND)
  t.evidence('standard input in pcapng', ['-'], DONE, packets=len(FRAMES), sentences=0, stdin=make.pcapng(FRAMES))
  t.evidence('standard input that is empty', ['-'], NOTHING, ['empty'], sentences=1)
  a_log_alone(t)
  t.evidence('standard input that is cut', ['-'], INCOMPLETE, packets=len(FRAMES) - 1, sentences=1, stdin=SOUND[:-5])


def a_log_alone(t):
  """Without a capture, from a file and through a pipe."""
  reports = []
  for name, given, stdin in (('a log', t.file('ports.txt', LOG), b''), ('a log through a pipe', '-', LOG),
                             ('a compressed log', t.file('ports.gz', packed_bytes.gz(LOG)), b''), ('a compressed log through a pipe', '-', packed_bytes.gz(LOG))):
    done = t.run('diagnose', '--format', 'json', given, stdin=stdin)
    wrong = t.judge(done, DONE)
    sources = [] if wrong else json.loads(done.stdout)['sources']
    reports.append([{**source, 'file': ''} for source in sources])
    t.tap.case(name, wrong + ([] if [s['file'] for s in sources] == [str(given)] else [f'{sources} is not named {given}']))
  t.tap.case('all tell the same', [] if all(report == reports[0] for report in reports) else ['they differ'])
  t.command('conversations of a log', ['conversations', 'ports.txt'], DONE, prints=['No packet capture'])
  t.evidence('a text that is no log through a pipe', ['-'], NOTHING, ['looks like plain text'], sentences=1, stdin=b'text\n' * 9)


class Tags(html.parser.HTMLParser):
  """The elements of a page, and what is wrong with how they stand in each other."""
  EMPTY = {'meta', 'br'}

  def __init__(self):
    super().__init__()
    self.open, self.seen, self.wrong, self.text = [], set(), [], ''

  def handle_starttag(self, tag, attributes):
    self.seen.add(tag)
    if tag not in self.EMPTY:
      self.open.append(tag)

  def handle_endtag(self, tag):
    if not self.open or self.open.pop() != tag:
      self.wrong.append(f'</{tag}> ends nothing')

  def handle_data(self, data):
    self.text += data


def database(t):
  """The tables agree with each other and with JSON."""
  t.run('diagnose', '--format', 'sqlite', '-o', 'report.db', 'sound.pcap')
  report = json.loads(t.run('diagnose', '--format', 'json', 'sound.pcap').stdout)
  tables = sqlite3.connect(t.folder / 'report.db')
  told = tables.execute('SELECT id, culprit, cause, packets, client_port FROM conversations').fetchall()
  wanted = [(c['id'], c['culprit'], c['cause'], c['packets'], c['client']['port']) for c in report['conversations']]
  wrong = [] if told == wanted else [f'{told}, not {wanted}']
  if tables.execute('SELECT culprit, cause FROM verdict').fetchall() != [(report['verdict']['culprit'], report['verdict']['cause'])]:
    wrong.append('the verdict differs')
  if tables.execute('SELECT count(*) FROM findings').fetchone()[0] != len(report['findings']):
    wrong.append('findings differ')
  if tables.execute('PRAGMA integrity_check').fetchone()[0] != 'ok':
    wrong.append('the file is damaged')
  t.tap.case('a database', wrong)


def page_of_html(t):
  """Names of files are strangers' words, and stay text."""
  name = t.file('<script>alert(1)</script>&amp;"x\'.pcap', SOUND)
  for command in ('diagnose', 'conversations'):
    tags = Tags()
    tags.feed(t.run(command, '--format', 'html', name).stdout.decode())
    wrong = tags.wrong + [f'<{tag}> is not closed' for tag in tags.open]
    wrong += ['a script'] if 'script' in tags.seen else []
    if command == 'diagnose' and name not in tags.text:
      wrong.append('the name of the file is not in the page')
    t.tap.case(f'{command} as HTML', wrong)
  t.command('show as HTML', ['show', '1', name, '--format', 'html'], USAGE, ['no form in html'])


def command_line(t):
  t.command('--help', ['--help'], DONE, prints=['usage', 'examples?', 'tdscope diagnose', '--format'])
  for command in ('diagnose', 'conversations', 'explain', 'collect'):
    t.command(f'{command} --help', [command, '--help'], DONE, prints=['usage', 'examples?', command])
  t.command('--version', ['--version'], DONE, prints=['^tdscope \\d+\\.\\d+'])
  t.command('no arguments', [], USAGE, ['usage|--help'])
  t.command('diagnose without evidence', ['diagnose'], USAGE, ['.'])
  t.command('an unknown option', ['diagnose', '--frobnicate', 'sound.pcap'], USAGE, ['--frobnicate'])
  t.command('an unknown format', ['diagnose', '--format', 'papyrus', 'sound.pcap'], USAGE, ['papyrus', 'json'])
  t.command('an option without its value', ['diagnose', 'sound.pcap', '--format'], USAGE, ['--format'])
  for port in ('0', '65536', 'sql', '-1', ''):
    t.command(f'server port {port!r}', ['diagnose', '--server-port', port, 'sound.pcap'], USAGE, ['port'])
  for option, values in (('--slow-query', ('0', '-1', '1e3', '86401', 'two', '.5', '5.', '')), ('--short-frames', ('0', '1.5', '-3')),
                         ('--memory', ('0', '63M', '512', '4T', '1.5G', '-1G', 'M', '99999999M', ''))):
    for value in values:
      t.command(f'{option} {value!r}', ['diagnose', option, value, 'sound.pcap'], USAGE, [option, 'takes'])
  t.command('thresholds', ['diagnose', '--slow-login', '0.5', '--late-login=1', '--delay', '2', 'sound.pcap'], DONE,
            prints=['slow_login_s: 0.5 .usually 2.', 'late_login_s: 1 ', 'delay_s: 2 '])
  t.command('a memory ceiling that is not reached', ['diagnose', '--memory', '64M', 'sound.pcap'], DONE)
  t.command('explain a cause', ['explain', 'server.login-stalled'], DONE, prints=['login'])
  t.command('explain an unknown cause', ['explain', 'server.on-strike'], USAGE, ['server\\.on-strike'])
  for name, arguments in (('show', ['show', '1', 'sound.pcap']), ('explain', ['explain', 'server.reset']), ('explain all', ['explain'])):
    t.command(f'{name} as csv', [*arguments, '--format', 'csv'], USAGE, ['no form in csv'])
  page_of_html(t)
  database(t)
  for system in ('linux', 'macos'):
    script = t.run('collect', '--for', system).stdout
    checked = subprocess.run(['sh', '-n'], input=script, stderr=subprocess.PIPE)
    t.tap.case(f'what collect prints for {system} is a script', [checked.stderr.decode()] if checked.returncode or not script else [])
  t.command('collect for another system', ['collect', '--for', 'dos'], USAGE, ['windows, linux or macos'])
  t.command('collect takes no evidence', ['collect', 'sound.pcap'], USAGE, ['diagnose'])
  t.command('explain two causes', ['explain', 'server.reset', 'client.abort'], USAGE, ['one cause'])
  for name, arguments in (('a cause', ['explain', 'a\nb\x1b[31m']), ('an option', ['--x\n\x1b[31m', 'sound.pcap']),
                          ('a value', ['--format', '\x1b[31m\n', 'sound.pcap']), ('a name', ['\xc2\x9b31m\x07'.encode('latin-1')]),
                          ('a cause of bytes', ['explain', b'\x9b31m \xe2\x9b \xd0\x96']),
                          ('a conversation', ['show', '1\x1b[31m', 'sound.pcap']), ('an output', ['-o', 'no\x1b/a\nb', 'sound.pcap'])):
    done = t.run(*arguments)
    wrong = t.judge(done, (USAGE, NOTHING), sentences=1)
    t.tap.case(f'control characters in {name}', wrong + ([] if not re.search(rb'[\x00-\x09\x0b-\x1f\x7f]|(?<!\xd0)\x9b', done.stderr) else [f'they stay: {done.stderr}']))
  for arguments in ([''], ['--client', '', 'sound.pcap'], ['show', '1', ''], ['sound.pcap', '']):
    t.command(f'an empty name: {" ".join(arguments)!r}', arguments, USAGE, ['name'])
  t.command('evidence without a command', ['sound.pcap'], DONE, prints=['.'])
  t.file('refused.pcap', make.pcap(make.refusals(6)))
  t.command('a fault without --exit-code', ['diagnose', 'refused.pcap'], DONE, prints=['server'])
  t.command('a fault with --exit-code', ['diagnose', '--exit-code', 'refused.pcap'], FAULT)
  t.command('no fault with --exit-code', ['diagnose', '--exit-code', 'sound.pcap'], DONE)
  t.file('unanswered.pcap', make.pcap(make.unanswered_syns(), milliseconds=lambda number: 1000 * (2**number - 1)))
  t.command('a fault of an unknown culprit with --exit-code', ['--exit-code', '--format', 'json', 'unanswered.pcap'], FAULT,
            prints=['"verdict":{"culprit":"unknown"'])
  risk = write_scene(load(SCENES / 'server.slow-response' / 'at-the-server-linux.scene'), t.folder / 'risk')
  t.command('a risk with --exit-code', ['--exit-code', '--format', 'json', *risk.values()], DONE, prints=['"severity":"risk"'])
  t.command('-o writes a file', ['diagnose', '--format', 'json', '-o', 'out.json', 'sound.pcap'], DONE)
  t.tap.case('and the file holds the report', contract.complaints(json.loads((t.folder / 'out.json').read_bytes()))
             if (t.folder / 'out.json').exists() else ['no file'])
  evidence_is_spared(t)
  done = t.run('diagnose', '-o', 'no/such/folder/out', 'sound.pcap')
  t.tap.case('-o where nothing can be written', t.judge(done, (USAGE, INCOMPLETE, NOTHING), ['no/such/folder/out']))


def evidence_is_spared(t):
  """-o never replaces what was read, by whatever name, nor what is write-protected."""
  t.file('folder/member.pcap', SOUND)
  t.file('protected.txt', b'a report to keep')
  (t.folder / 'protected.txt').chmod(0o444)
  (t.folder / 'alias.pcap').symlink_to('sound.pcap')
  for name, arguments, kept in (
    ('the capture', ['-o', 'sound.pcap', 'sound.pcap'], 'sound.pcap'),
    ('a link to the capture', ['-o', 'alias.pcap', 'sound.pcap'], 'sound.pcap'),
    ('a capture in the folder', ['-o', 'folder/member.pcap', 'folder'], 'folder/member.pcap'),
    ('a write-protected file', ['-o', 'protected.txt', 'sound.pcap'], 'protected.txt'),
  ):
    before = (t.folder / kept).read_bytes()
    wrong = t.judge(t.run('diagnose', *arguments), USAGE, ['another name'])
    t.tap.case(f'-o onto {name}', wrong + ([] if (t.folder / kept).read_bytes() == before else ['it was overwritten']))
  with open(t.folder / 'sound.pcap', 'rb') as opened:
    done = subprocess.run([t.program, 'diagnose', '-o', 'sound.pcap', '-'], stdin=opened, capture_output=True,
                          timeout=TIMEOUT_S, cwd=t.folder)
  wrong = t.judge(done, USAGE, ['another name'])
  t.tap.case('-o onto standard input', wrong + ([] if (t.folder / 'sound.pcap').read_bytes() == SOUND else ['it was overwritten']))


def outputs(t):
  done = t.run('conversations', '--format', 'json', 'refused.pcap')
  rows = done.stdout.decode().splitlines()
  wrong = t.judge(done, DONE) + ([] if len(rows) == 6 else [f'{len(rows)} rows, not 6'])
  for row in rows:
    wrong += contract.conversation_complaints(json.loads(row))
  t.tap.case('conversations: one JSON object a line', wrong)
  whole = json.loads(t.run('diagnose', '--format', 'json', 'refused.pcap').stdout)
  t.tap.case('conversations: the same objects as in diagnose',
             [] if [json.loads(row) for row in rows] == whole['conversations'] else ['they differ'])
  one, two = (t.run('diagnose', '--format', 'json', 'refused.pcap').stdout for _ in range(2))
  t.tap.case('the same report twice', [] if one == two else ['two runs differ'])
  what_is_not_written(t)


def what_is_not_written(t):
  """Where standard output takes nothing, it is said, of help as of reports; a reader that goes away is no reason to complain."""
  if not os.path.exists('/dev/full'):
    return
  for name, arguments in (('a report', ['diagnose', 'sound.pcap']), ('JSON', ['--format', 'json', 'sound.pcap']),
                          ('conversations', ['conversations', 'sound.pcap']), ('packets', ['show', '1', 'sound.pcap']),
                          ('a cause', ['explain', 'server.reset']), ('causes', ['explain']), ('causes as JSON', ['explain', '--format', 'json']),
                          ('help', ['--help']), ("a command's help", ['show', '--help']), ('the version', ['--version'])):
    with open('/dev/full', 'wb') as full:
      done = t.run(*arguments, stdout=full)
    t.tap.case(f'a full disk: {name}', t.judge(done, NOTHING, ['standard output'], sentences=1))
    for how, command in (('closed', 'exec "$0" "$@" >&-'), ('left', '"$0" "$@" | true')):
      done = subprocess.run(['sh', '-c', command, t.program, *arguments], capture_output=True, timeout=TIMEOUT_S, cwd=t.folder)
      t.tap.case(f'standard output that is {how}: {name}', t.judge(done, NOTHING if how == 'closed' else DONE, sentences=how == 'closed'))
  t.evidence('a device without an end', ['/dev/full'], NOTHING, ['is a device'], sentences=1)
  t.evidence('nothing', ['/dev/null'], NOTHING, ['is empty'], sentences=1)
  with open('/dev/full', 'rb') as endless:
    done = subprocess.run([t.program, '-'], stdin=endless, capture_output=True, timeout=TIMEOUT_S, cwd=t.folder)
  t.tap.case('standard input without an end', t.judge(done, NOTHING, ['is a device'], sentences=1))


def main():
  options = argparse.ArgumentParser(description='Feeds tdscope bad input.')
  options.add_argument('--tdscope', required=True)
  program = os.path.abspath(options.parse_args().tdscope)
  tap = Tap()
  with tempfile.TemporaryDirectory(prefix='tdscope-') as folder:
    t = Tdscope(program, pathlib.Path(folder), tap)
    for part in (not_captures, cut_and_absurd, packed, archives, every_cut, odd_but_readable, files_and_folders, command_line, outputs):
      try:
        part(t)
      except (subprocess.TimeoutExpired, ValueError) as error:
        tap.case(part.__name__, [f'{type(error).__name__}: {error}'])
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
