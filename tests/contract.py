#!/usr/bin/env python3
"""What the JSON of `tdscope diagnose` and `tdscope conversations` promises to other programs, as a checker.

A shape is a type, a function of (value) that returns whether it holds, a list of one shape, or a dict from key to
shape; a key that ends in ? may be absent, and keys that are not named are an error, so that none comes to be by
accident.

  build/tdscope diagnose --format json FILE | tests/contract.py
"""
import ipaddress
import json
import re
import sys

CULPRITS = {'client', 'server', 'network', 'none', 'unknown'}
CAUSES = {culprit: set(words.split()) for culprit, words in {
  'none': 'normal mars-close probe',
  'network': 'drop-both-ways drop-to-server drop-to-client idle-drop syn-lost device-reset device-answers loss delay '
             'mtu-black-hole',
  'client': 'gave-up-before-login abort closed-in-login no-ack slow-reader port-exhaustion no-pooling '
            'certificate-rejected slow-name-resolution login-refused',
  'server': 'not-listening backlog-full no-answer login-late login-stalled closed-in-login closed-many reset no-ack '
            'slow-response query-timeout slow-domain-controller tls-refused dhe-defect io-stall scheduler-stall',
  'unknown': 'cut-off',
  'capture': 'duplicated one-direction truncated offload dropped windows-differ nat limits',
}.items()}
MACHINE_CAUSES = set('firewall-drop filter-driver offload rss-disabled old-network-driver virtual-nic tls-settings '
                     'dhe-enabled port-range memory-pressure keep-alive-settings'.split())
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z')


def text(value):
  return isinstance(value, str) and value != ''


def count(value):
  return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def positive(value):
  return count(value) and value > 0


def seconds(value):
  return isinstance(value, (int, float)) and not isinstance(value, bool)


def confidence(value):
  return seconds(value) and 0 <= value <= 1


def time(value):
  return isinstance(value, str) and TIME.fullmatch(value) is not None


def address(value):
  try:
    ipaddress.ip_address(value)
  except ValueError:
    return False
  return isinstance(value, str)


def port(value):
  return count(value) and value <= 65535


def cause(value):
  if not isinstance(value, str) or '.' not in value:
    return False
  culprit, word = value.split('.', 1)
  return word in CAUSES.get(culprit, ()) or (culprit in ('client', 'server') and word in MACHINE_CAUSES)


def one_of(words):
  words = set(words.split()) if isinstance(words, str) else words

  def holds(value):
    return value in words

  holds.__name__ = 'one of ' + ' '.join(sorted(words))
  return holds


culprit = one_of(CULPRITS)
ENDPOINT = {'address': address, 'port': port}
EVIDENCE = {'capture?': count, 'source?': count, 'frame?': positive, 'line?': positive, 'time?': time, 'says': text}
LOGIN = {
  'stage': one_of('syn connected prelogin tls login authenticating done refused unknown'), 'duration_s?': seconds,
  'encrypted?': one_of('no login full strict'), 'tls_version?': text, 'cipher?': text, 'tds_version?': text,
  'client_host?': text, 'application?': text, 'library?': text, 'user?': text, 'database?': text, 'server_name?': text,
  'server_version?': text, 'connection_id?': text, 'authentication?': one_of('sql ntlm kerberos entra'),
  'error?': {'number': int, 'state': count, 'severity': count, 'message?': text},
}
CONVERSATION = {
  'id': positive, 'protocol': text, 'client': ENDPOINT, 'server': ENDPOINT,
  'seen_by_server?': {'client': ENDPOINT, 'server': ENDPOINT}, 'seen_in': [count],
  'start': time, 'end': time, 'packets': positive, 'bytes': count,
  'ending': one_of('open fin reset timeout refused no-answer'), 'closed_first_by?': one_of('client server device'),
  'retransmits': count, 'keep_alives': count, 'zero_windows': count, 'login?': LOGIN, 'messages?': dict,
  'errors?': [{'number': int, 'count': positive}], 'mars?': bool, 'culprit': culprit, 'cause': cause,
  'confidence': confidence, 'evidence': [EVIDENCE], 'display_filter?': text,
}
CAPTURE = {
  'file': text, 'format?': text, 'role': one_of('client server middle unknown'), 'packets': count, 'bytes': count,
  'first?': time, 'last?': time, 'dropped_by_capture?': count, 'truncated_to?': positive, 'notes': [text],
}
SOURCE = {
  'file': text,
  'kind': one_of('netstat ss port-range ring-buffer errorlog sqlcheck firewall-log events wfp pktmon error-text sqlna-csv '
                 'sqltrace-log host-settings ipconfig tasklist unknown'),
  'machine?': text, 'encoding?': text, 'records': count, 'joined': count, 'first?': time, 'last?': time, 'notes': [text],
}
FINDING = {
  'cause': cause, 'scope': one_of('conversation client server path capture host'), 'culprit': culprit,
  'severity': one_of('fault risk note'), 'confidence': confidence, 'title': text, 'explanation': text, 'subject?': dict,
  'conversations': [positive], 'first?': time, 'last?': time, 'evidence': [EVIDENCE], 'actions': [text],
}
DIAGNOSIS = {
  'schema': one_of('tdscope/1'),
  'verdict': {'culprit': culprit, 'cause': cause, 'confidence': confidence, 'summary': text},
  'captures': [CAPTURE], 'sources': [SOURCE],
  'unread?': [text],
  'clock?': {'server_minus_client_s': seconds, 'uncertainty_s': seconds, 'drift_ppm?': seconds},
  'conversations': [CONVERSATION], 'findings': [FINDING],
  'workflow?': [{'step': text, 'title': text, 'state': one_of('done needs-evidence does-not-apply'), 'says': text}],
}


def shape_complaints(value, shape, where):
  if isinstance(shape, dict):
    if not isinstance(value, dict):
      yield f'{where}: {value!r} is not an object'
      return
    allowed = {key.rstrip('?') for key in shape}
    for key in value:
      if key not in allowed:
        yield f'{where}.{key}: not in the contract'
    for key, inner in shape.items():
      name = key.rstrip('?')
      if name in value:
        yield from shape_complaints(value[name], inner, f'{where}.{name}')
      elif not key.endswith('?'):
        yield f'{where}.{name}: missing'
  elif isinstance(shape, list):
    if not isinstance(value, list):
      yield f'{where}: {value!r} is not a list'
      return
    for index, item in enumerate(value):
      yield from shape_complaints(item, shape[0], f'{where}[{index}]')
  elif isinstance(shape, type):
    if not isinstance(value, shape):
      yield f'{where}: {value!r} is not {shape.__name__}'
  elif not shape(value):
    yield f'{where}: {value!r} is not {shape.__name__}'


def evidence_complaints(report):
  """Evidence must lead to a packet or a line that is there."""
  captures, sources = report['captures'], report['sources']
  for owner in report['conversations'] + report['findings']:
    for proof in owner['evidence']:
      where = f'evidence {proof}'
      if 'capture' in proof:
        if proof['capture'] >= len(captures):
          yield f'{where}: there are {len(captures)} captures'
        elif not 1 <= proof.get('frame', 1) <= captures[proof['capture']]['packets']:
          yield f'{where}: that capture has {captures[proof["capture"]]["packets"]} packets'
      elif 'source' in proof:
        if proof['source'] >= len(sources):
          yield f'{where}: there are {len(sources)} sources'
      else:
        yield f'{where}: of no capture and no source'


def link_complaints(report):
  ids = [conversation['id'] for conversation in report['conversations']]
  if len(set(ids)) != len(ids):
    yield 'conversations: an id occurs twice'
  for conversation in report['conversations']:
    where = f'conversation {conversation["id"]}'
    if any(index >= len(report['captures']) for index in conversation['seen_in']):
      yield f'{where}: seen in a capture that is not listed'
    if conversation['start'] > conversation['end']:
      yield f'{where}: ends before it starts'
  for finding in report['findings']:
    if not set(finding['conversations']) <= set(ids):
      yield f'finding {finding["cause"]}: names a conversation that is not listed'


def culprit_complaints(report):
  """The part of a cause before the dot is the culprit, or the culprit stays open: a pattern may be certain where
  whose fault it is cannot be told from one side. What a capture lacks is nobody's fault."""
  for judged in [report['verdict']] + report['conversations'] + report['findings']:
    before_dot = judged['cause'].split('.')[0]
    if judged['culprit'] not in ('none' if before_dot == 'capture' else before_dot, 'unknown'):
      yield f'{judged["cause"]} blames {judged["culprit"]}'


def complaints(report):
  """What is wrong with one `tdscope diagnose --format json`."""
  found = list(shape_complaints(report, DIAGNOSIS, 'report'))
  if not found:
    for check in (evidence_complaints, link_complaints, culprit_complaints):
      found += check(report)
  return found


def conversation_complaints(conversation):
  """What is wrong with one line of `tdscope conversations --format json`."""
  return list(shape_complaints(conversation, CONVERSATION, 'conversation'))


if __name__ == '__main__':
  wrong = complaints(json.load(sys.stdin))
  print('\n'.join(wrong) or 'holds')
  sys.exit(1 if wrong else 0)
