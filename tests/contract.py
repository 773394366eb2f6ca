#!/usr/bin/env python3
"""What the JSON of `tdscope diagnose`, `conversations` and `show` promises to other programs, as a checker.

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
  'network': 'drop-both-ways drop-to-server drop-to-client idle-drop syn-lost device-reset device-answers device-alters loss '
             'delay mtu-black-hole',
  'client': 'gave-up-before-login abort closed-in-login no-ack slow-reader port-exhaustion no-pooling '
            'certificate-rejected slow-name-resolution login-refused',
  'server': 'not-listening backlog-full no-answer login-late login-stalled closed-in-login closed-many closed-session reset '
            'thread-starvation no-ack slow-response query-timeout slow-domain-controller tls-refused dhe-defect io-stall scheduler-stall',
  'unknown': 'cut-off',
  'capture': 'duplicated one-direction truncated offload dropped windows-differ nat proxy limits',
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


def measures(value):
  """Names that say their unit, and numbers."""
  return isinstance(value, dict) and all(text(name) and seconds(number)
                                         for name, number in value.items())


def one_of(words):
  words = set(words.split()) if isinstance(words, str) else words

  def holds(value):
    return value in words

  holds.__name__ = 'one of ' + ' '.join(sorted(map(str, words)))
  return holds


def one_of_numbers(*numbers):
  def holds(value):
    return count(value) and value in numbers

  holds.__name__ = f'one of {numbers}'
  return holds


culprit = one_of(CULPRITS)
ENDPOINT = {'address': address, 'port': port}
EVIDENCE = {'capture?': count, 'source?': count, 'frame?': positive, 'line?': positive, 'time?': time, 'says': text}
TDS_REQUEST = {'type': text, 'procedure?': text}
TIMES = {'count': positive, 'mean_s': seconds, 'slowest_s': seconds, 'half_below_s?': seconds, 'most_below_s?': seconds}
REQUESTS = {
  'count?': positive, 'answered?': count, 'rows?': count, 'answers_not_walked?': positive, 'errors_not_read?': positive,
  'first_byte?': TIMES, 'end?': TIMES, 'slowest?': TDS_REQUEST, 'last?': TDS_REQUEST,
}
MARS_SESSIONS = {
  'opened': positive, 'closed': count, 'not_followed?': positive, 'window_stalls?': positive, 'longest_stall_s?': seconds,
  'stalled_since?': time,
}
TDS_ERROR = {
  'number': int, 'count': positive, 'state?': count, 'severity?': count, 'server?': text, 'procedure?': text,
  'line?': positive, 'message?': text, 'time?': time, 'capture?': count, 'frame?': positive,
}
LOGIN = {
  'stage': one_of('syn connected prelogin tls login authenticating done refused unknown'), 'duration_s?': seconds,
  'encrypted?': one_of('no login full strict'), 'tls_version?': text, 'cipher?': text, 'tds_version?': text,
  'client_host?': text, 'application?': text, 'library?': text, 'user?': text, 'domain?': text, 'database?': text,
  'server_name?': text,
  'server_version?': text, 'connection_id?': text, 'authentication?': one_of('sql ntlm kerberos entra'),
  'client_process_id?': positive, 'client_thread_id?': positive, 'client_version?': text, 'instance?': text,
  'language?': text, 'packet_size?': positive, 'read_only_intent?': bool, 'changes_password?': bool,
  'user_instance?': bool, 'fedauth_required?': bool, 'features_asked?': [text], 'features_granted?': [text],
  'activity_id?': text, 'activity_sequence?': count, 'sts_url?': text, 'sts_spn?': text,
  'error?': {'number': int, 'state': count, 'severity': count, 'message?': text},
  'timeline?': [{'step': text, 'from?': one_of('client server'), 'time': time, 'capture?': count, 'frame?': positive,
                 'duration_s?': seconds, 'waited_for?': one_of('client server network'), 'slowest?': bool}],
}
CERTIFICATE = {
  'sha256': text, 'readable': bool, 'subject?': text, 'issuer?': text, 'not_before?': text, 'not_after?': text,
  'key?': text, 'key_bits?': positive, 'signature?': text, 'names?': [text], 'self_signed?': bool,
  'sql_server_fallback?': bool,
}
TLS = {
  'versions_offered?': [text], 'version?': text, 'ciphers_offered?': positive, 'cipher?': text, 'server_name?': text,
  'alpn_offered?': [text], 'alpn?': text, 'resumed?': one_of('no session-id ticket psk'), 'retried?': bool,
  'handshake?': {'reached': one_of('client-hello retry server-hello client-key server-finished done'),
                 'turn_of?': one_of('client server'), 'stopped_by?': one_of('client server'),
                 'stopped_with?': one_of('alert close')},
  'certificates?': [CERTIFICATE], 'certificates_cut?': bool,
  'alerts': [{'from': one_of('client server'), 'time': time, 'capture': count, 'frame': positive, 'encrypted': bool,
              'level?': one_of('warning fatal'), 'number?': count, 'name?': text}],
  'alerts_beyond?': positive, 'records': {'client': count, 'server': count},
}
SEGMENTS = {'mss?': positive, 'largest?': positive, 'largest_acknowledged?': positive, 'larger_unacknowledged?': positive}
FRAME = {'capture': count, 'frame': positive, 'time': time}
PASSAGE = {  # packets of one side on their way to the other end
  'arrived': count, 'lost': count, 'lost_with_data?': positive, 'lost_at_end?': positive, 'injected?': positive,
  'duplicated?': positive, 'reordered?': positive, 'late?': positive, 'payloads_changed?': positive, 'sack_untranslated?': positive,
  'missed_by_capture?': positive,
  'not_judged?': positive, 'largest_arrived?': positive, 'smallest_lost?': positive,
  'changed?': [one_of('addresses ports sequence-numbers mss options window payload')],
  'shortest_s?': seconds, 'longest_s?': seconds, 'first_lost?': FRAME, 'last_lost?': FRAME, 'first_injected?': FRAME,
}
CONVERSATION = {
  'id': positive, 'view_of?': positive, 'protocol': text, 'client': ENDPOINT, 'server': ENDPOINT,
  'compared?': {'relayed?': bool, 'to_server?': PASSAGE, 'to_client?': PASSAGE},
  'matched_by?': one_of('connection-id sequence-numbers addresses-and-syn traces addresses bytes-in-flight'),
  'match_bits?': positive, 'match_traces?': [one_of('message-contents plain-contents timestamps ip-ids')],
  'path?': [{'from': count, 'to': count, 'relayed?': bool, 'to_server?': PASSAGE, 'to_client?': PASSAGE}],
  'seen_by_server?': {'client': ENDPOINT, 'server': ENDPOINT}, 'seen_in': [count],
  'start': time, 'end': time, 'packets': positive, 'bytes': count,
  'ending': one_of('open fin reset timeout refused no-answer'), 'closed_first_by?': one_of('client server device'),
  'server_name_asked?': text, 'name_lookup?': positive, 'instance_asked?': text, 'instance_lookup?': positive,
  'named_pipe?': text,
  'retransmits': count, 'keep_alives': count, 'zero_windows': count, 'segments?': {'client?': SEGMENTS, 'server?': SEGMENTS},
  'login?': LOGIN, 'tls?': TLS, 'messages?': dict,
  'errors?': [TDS_ERROR], 'errors_beyond?': positive, 'mars?': bool, 'spid?': positive,
  'routed_to?': {'server?': text, 'port': port}, 'requests?': REQUESTS, 'attention_times?': {'first': time, 'acknowledged?': time},
  'mars_sessions?': MARS_SESSIONS, 'culprit': culprit, 'cause': cause,
  'confidence': confidence, 'evidence': [EVIDENCE], 'display_filter?': text,
}
FATE = one_of('arrived lost injected duplicated missed-by-capture not-judged')
SHOWN = {  # a line of `show`: a conversation, or a view of one, with its packets
  'conversation': CONVERSATION, 'packets_left_out?': positive,
  'packets': [{
    'capture': count, 'frame': positive, 'time': time, 'from': one_of('client server'), 'flags?': text, 'seq?': count, 'ack?': count,
    'length?': count, 'window?': count, 'says': text,
  }],
  'crossings?': [{  # each packet on its way through all captures: where it was seen, and what became of it from one to the next
    'from': one_of('client server'), 'fate': FATE, 'client_frame?': positive, 'server_frame?': positive, 'took_s?': seconds,
    'seen': [FRAME], 'stretches': [{'from': count, 'to': count, 'fate': FATE}],
  }],
}
CAPTURE = {
  'file': text, 'format?': text, 'role': one_of('client server middle unknown'), 'packets': count, 'bytes': count,
  'first?': time, 'last?': time, 'dropped_by_capture?': count, 'truncated_to?': positive, 'notes': [text],
}
DELAY = {'packets': positive, 'shortest_s': seconds, 'longest_s': seconds}
MOMENT = {'capture': count, 'frame': positive, 'time': time}
EXCHANGE = {
  'id': positive, 'over': one_of('udp tcp'), 'client': ENDPOINT, 'server': ENDPOINT, 'tries': count, 'answers': count,
  'asked?': MOMENT, 'last_asked?': MOMENT, 'answered?': MOMENT, 'wait_s?': seconds,
  'refused?': {'count': positive, 'icmp_version': one_of_numbers(4, 6), 'type': count, 'code': count, 'reporter': address,
               'first': MOMENT},
}
NAME_LOOKUP = {
  **EXCHANGE, 'service': one_of('dns llmnr mdns'), 'transaction': count, 'name?': text, 'type?': text, 'opcode?': text,
  'rcode?': text, 'truncated?': bool, 'addresses?': [address], 'addresses_beyond?': positive, 'ttl_s?': count,
}
INSTANCE_LOOKUP = {
  **EXCHANGE, 'question?': one_of('broadcast all one dac'), 'instance?': text, 'dac_port?': port,
  'instances?': [{'address': address, 'server_name?': text, 'name?': text, 'version?': text, 'tcp_port?': port,
                  'pipe?': text, 'clustered': bool}],
  'instances_beyond?': positive, 'answer_cut?': bool,
}
TICKET = {
  **EXCHANGE, 'kind?': one_of('as tgs'), 'spn?': text, 'realm?': text, 'client_name?': text,
  'error?': {'code': int, 'name': text, 'text?': text}, 'retried_over_tcp?': bool,
}
DOMAIN_CONTROLLER = {
  'sql_server': address, 'controller': address,
  'services': [{'service': text, 'port': port, 'conversations': count, 'requests': count, 'failed': count,
                'slowest_s?': seconds, 'slowest?': MOMENT}],
}
SOURCE = {
  'file': text,
  'kind': one_of('netstat ss port-range ring-buffer errorlog sqlcheck firewall-log events wfp pktmon error-text sqlna-csv '
                 'sqltrace-log host-settings ipconfig tasklist unknown'),
  'role?': one_of('client server middle'), 'machine?': text, 'encoding?': text, 'records': count, 'joined': count, 'first?': time, 'last?': time, 'notes': [text],
}
PATTERN = {
  'says': text, 'failures': positive, 'clients': positive, 'servers': positive, 'first': time, 'last': time,
  'clients_without_failure?': positive, 'application?': text, 'library?': text,
  'bursts': [{'first': time, 'last': time, 'count': positive}], 'bursts_beyond?': positive,
  'period_s?': seconds, 'off_period_at_most_s?': seconds, 'worked_between?': bool, 'p_value?': confidence,
}
FINDING = {
  'cause': cause, 'scope': one_of('conversation client server path capture host'), 'culprit': culprit,
  'severity': one_of('fault risk note'), 'confidence': confidence, 'title': text, 'explanation': text, 'subject?': dict,
  'conversations': [positive], 'conversation_count?': positive, 'first?': time, 'last?': time, 'evidence': [EVIDENCE],
  'actions': [text], 'would_settle?': text, 'measured?': measures, 'hides?': text, 'pattern?': PATTERN,
}
DIAGNOSIS = {
  'schema': one_of('tdscope/1'),
  'verdict': {'culprit': culprit, 'cause': cause, 'confidence': confidence, 'summary': text, 'pattern?': PATTERN},
  'captures': [CAPTURE], 'sources': [SOURCE],
  'unread?': [text],
  'name_lookups?': [NAME_LOOKUP], 'instance_lookups?': [INSTANCE_LOOKUP], 'tickets?': [TICKET],
  'domain_controllers?': [DOMAIN_CONTROLLER],
  'response_times?': [{
    'server': ENDPOINT, 'connections': positive, 'first_byte': TIMES, 'distribution': [{'below_s?': seconds, 'count': positive}],
    'worst': [{'conversation': positive, 'capture': count, 'frame': positive, 'time': time, 'first_byte_s': seconds, 'request?': TDS_REQUEST}],
  }],
  'thresholds?': measures,
  'clock?': {'server_minus_client_s': seconds, 'uncertainty_s': seconds, 'drift_ppm?': seconds},
  'clocks?': [{'near': count, 'far': count, 'connections': count, 'far_minus_near_s?': seconds, 'uncertainty_s?': seconds,
    'curve?': [{'time': time, 'far_minus_near_s': seconds}], 'curve_uncertainty_s?': seconds}],
  'delays?': [{'near': count, 'far': count, 'slice_s': seconds, 'slices': [{'from': time, 'to_far?': DELAY, 'to_near?': DELAY}]}],
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
  whose fault it is cannot be told from one side. What a capture lacks is nobody's fault. A login may be refused for what
  the server is in (paused, full)."""
  for judged in [report['verdict']] + report['conversations'] + report['findings']:
    before_dot = judged['cause'].split('.')[0]
    refused = judged['cause'] == 'client.login-refused' and judged['culprit'] == 'server'
    if not refused and judged['culprit'] not in ('none' if before_dot == 'capture' else before_dot, 'unknown'):
      yield f'{judged["cause"]} blames {judged["culprit"]}'


# "1 packets", "1 of its connections are": a number and its words that do not go together.
NOUNS = 'packet|connection|conversation|answer|byte|piece|port|time|record|line|checksum|file|hop|client|server|failure|other|attempt|login'
NUMBER_SLIP = re.compile(rf'(?<![\d.,:/#-])1 (?:(?:{NOUNS})s\b|of (?:its|the|\d+) [\w ,]{{1,80}}?\b(?<!that )(?:are|were|have)\b)')


def texts_of(value):
  if isinstance(value, str):
    yield value
  elif isinstance(value, (list, dict)):
    for each in value.values() if isinstance(value, dict) else value:
      yield from texts_of(each)


def number_slips(report):
  return [f'number and words differ: {text}' for text in texts_of(report) if ' ' in text and NUMBER_SLIP.search(text)]


def complaints(report):
  """What is wrong with one `tdscope diagnose --format json`."""
  found = list(shape_complaints(report, DIAGNOSIS, 'report'))
  if not found:
    for check in (evidence_complaints, link_complaints, culprit_complaints, number_slips):
      found += check(report)
  return found


def conversation_complaints(conversation):
  """What is wrong with one line of `tdscope conversations --format json`."""
  return list(shape_complaints(conversation, CONVERSATION, 'conversation'))


def shown_complaints(shown):
  """What is wrong with one line of `tdscope show --format json`, or one of its objects."""
  return list(shape_complaints(shown, SHOWN, 'shown'))


if __name__ == '__main__':
  wrong = complaints(json.load(sys.stdin))
  print('\n'.join(wrong) or 'holds')
  sys.exit(1 if wrong else 0)
