"""What each verb of a scene does: TCP flags, TDS and TLS messages."""

import re
import shlex

import scene_tds as tds
import scene_tls as tls
import scene_windows as windows
from scene_tcp import ACK, FIN, MICROSECOND, OTHER, RST, SYN, Conversation, Delivery

FLAGS = {
  'SYN': SYN, 'SYN+ACK': SYN | ACK, 'ACK': ACK, 'FIN': FIN | ACK, 'FIN+ACK': FIN | ACK, 'FIN-ONLY': FIN,
  'RST': RST, 'RST+ACK': RST | ACK,
}
SIZES = {'k': 1024, 'm': 1024 * 1024}
NEVER_ENCRYPTED = ('CLIENTHELLO', 'SERVERHELLO', 'CLIENTKEY', 'SERVERFINISHED', 'ALERT', 'DATA', 'TLSDATA', 'SMB', 'NETLOGON')
UNITS = {'ns': 1, 'us': 1_000, 'ms': 1_000_000, 's': 1_000_000_000, 'm': 60_000_000_000, 'h': 3_600_000_000_000}
ERRORS = {
  18456: (1, 14, "Login failed for user '{user}'."),
  18452: (1, 14, 'Login failed. The login is from an untrusted domain and cannot be used with Windows authentication.'),
  4060: (1, 11, 'Cannot open database "{database}" requested by the login. The login failed.'),
  17830: (11, 20, 'Network error code 0x2746 occurred while establishing a connection.'),
  10928: (1, 20, 'Resource ID : 1. The request limit for the database is 120 and has been reached.'),
  208: (1, 16, "Invalid object name 'dbo.orders'."),
}


def duration(text):
  match = re.fullmatch(r'(-?\d+(?:\.\d+)?)(ns|us|ms|s|m|h)', text)
  if not match:
    raise ValueError(f"'{text}' is no duration (say 20ms, 3s, 1.5m)")
  return round(float(match[1]) * UNITS[match[2]])


def size_of(text):
  match = re.fullmatch(r'(\d+)([km]?)', text.lower())
  if not match:
    raise ValueError(f"'{text}' is no size")
  return int(match[1]) * SIZES.get(match[2], 1)


class Step:
  """The words of one scene line, sorted: verb, plain words, key=value pairs, and how the packet travels."""

  def __init__(self, words):
    self.verb = words[0]
    self.options, self.flags = {}, set()
    self.split, self.lose, self.drop, self.delivery = (), (), (), Delivery()
    self.times, self.every = 1, None
    rest = list(words[1:])
    while rest:
      self.take(rest)

  def take(self, rest):
    word = rest.pop(0)
    delivery = self.delivery
    if word == 'lost':
      delivery.lost = True
    elif word == 'delayed':
      delivery.delay = duration(rest.pop(0))
    elif word == 'unseen':
      delivery.unseen_by = ('client', 'server')
      if rest[:1] == ['at']:
        delivery.unseen_by = (rest[1],)
        del rest[:2]
    elif word == 'dup':
      given = rest and re.match(r'\d+(us|ms|s)$', rest[0])
      delivery.dup = duration(rest.pop(0)) if given else MICROSECOND
    elif word == 'split':
      self.split = tuple(int(n) for n in rest.pop(0).split(','))
    elif word == 'lose':
      self.lose = tuple(int(n) for n in rest.pop(0).split(','))
    elif word == 'drop':
      self.drop = tuple(int(n) for n in rest.pop(0).split(','))
    elif re.fullmatch(r'x\d+', word):
      self.times = int(word[1:])
    elif word == 'every':
      self.every = duration(rest.pop(0))
    elif word == 'altered':
      delivery.altered = True
    elif word == 'bad-checksum':
      delivery.bad_checksum = True
    elif '=' in word:
      key, value = word.split('=', 1)
      names = {'ttl': 'ttl', 'ipid': 'ip_id', 'win': 'window', 'ack': 'ack', 'fragments': 'fragment_bytes'}
      if key in names:
        setattr(delivery, names[key], int(value))
      else:
        self.options[key] = value
    else:
      self.flags.add(word)

  def get(self, key, default):
    return self.options.get(key, default)


class Talk:
  """A conversation of a scene while its lines are carried out: TCP below, the state of login and MARS above."""

  def __init__(self, conversation: Conversation):
    self.tcp = conversation
    self.label = conversation.label
    self.cipher_state = None
    self.tls_version = '1.2'
    self.cipher = 0xC030
    self.encrypted = False
    self.login_encrypted = False
    self.mars = None
    self.joined = {'client': b'', 'server': b''}
    self.messages = 0
    self.user, self.database = 'app', 'Sales'
    self.spid = 60
    self.from_server = False

  def run(self, side, step, *, gap=None, at=None):
    """Carries out one line of one side, as often as it says."""
    for number in range(step.times):
      if number and step.every is not None:
        gap, at = None, self.tcp.last_packet.sent + step.every
      elif number:
        gap, at = None, None
      self.once(side, step, self.tcp.moment(side, gap, at))

  def once(self, side, step, time):
    tcp, delivery = self.tcp, step.delivery
    if step.verb == 'again' or 'again' in step.flags:
      tcp.send_again(side, time=time, delivery=delivery, split=step.split)
    elif step.verb in FLAGS:
      tcp.send(side, FLAGS[step.verb], time=time, delivery=delivery, dsack='dsack' in step.flags)
    elif step.verb == 'KEEPALIVE':
      tcp.keep_alive(side, time=time, delivery=delivery)
    else:
      payload = self.joined[side] + self.payload(side, step)
      self.joined[side] = b''
      if 'join' in step.flags:
        self.joined[side] = payload
        return
      tcp.send_message(
        side, payload, time=time, split=step.split, lose=step.lose, drop=step.drop, delivery=delivery,
        giant='giant' in step.flags,
      )

  def payload(self, side, step):
    maker = getattr(self, 'make_' + step.verb.lower().replace('-', '_'), None)
    if maker is None:
      raise ValueError(f"'{step.verb}' is not a flag or message")
    self.messages += 1
    data = maker(side, step)
    hidden = self.encrypted or (step.verb == 'LOGIN7' and self.login_encrypted)
    if hidden and step.verb not in NEVER_ENCRYPTED:
      return tls.application_data(f'{self.label}/{self.messages}', len(data), self.tls_version)
    return data

  def wrapped(self, data, step):
    """TLS handshakes travel in PRELOGIN packets, or bare where TLS comes first (TDS 8)."""
    return data if 'bare' in step.flags else tds.message(tds.PACKET_PRELOGIN, data)

  def make_data(self, side, step):
    if 'text' in step.options:
      return step.options['text'].encode().decode('unicode_escape').encode('latin-1')
    if 'hex' in step.options:
      return bytes.fromhex(step.options['hex'])
    return tls.filler(f'{self.label}/data{self.messages}', size_of(step.get('size', '100')))

  def make_tlsdata(self, side, step):
    size = size_of(step.get('size', '200'))
    return tls.application_data(f'{self.label}/{self.messages}', size, self.tls_version)

  def make_prelogin(self, side, step):
    return tds.prelogin(
      encrypt=step.get('encrypt', 'off'), from_client=side == 'client', label=self.label,
      mars='mars' in step.flags, trace_id='notrace' not in step.flags, fed_auth='fedauth' in step.flags,
      instance=step.get('instance', ''),
    )

  def make_clienthello(self, side, step):
    version = step.get('version', '1.2')
    return self.wrapped(
      tls.client_hello(self.label, server_name=step.get('sni', None), version=version, alpn=step.get('alpn', None)),
      step,
    )

  def make_serverhello(self, side, step):
    self.tls_version = step.get('version', '1.2')
    self.cipher = int(step.get('cipher', '0x1302' if self.tls_version == '1.3' else '0xc030'), 16)
    flight = tls.server_flight(
      self.label, cipher=self.cipher, version=self.tls_version, alpn=step.get('alpn', None),
      common_name=step.get('cn', 'SSL_Self_Signed_Fallback'), chain=int(step.get('chain', '1')),
      issuer=step.get('issuer', None), names=[name for name in step.get('names', '').split(',') if name],
      dates=step.get('valid', '250101-350101').split('-'),
    )
    return self.wrapped(flight, step)

  def make_clientkey(self, side, step):
    return self.wrapped(tls.client_key_flight(self.label, cipher=self.cipher, version=self.tls_version), step)

  def make_serverfinished(self, side, step):
    return self.wrapped(tls.server_finished(self.label), step)

  def make_alert(self, side, step):
    if 'hidden' in step.flags:
      return self.wrapped(tls.hidden_alert(self.label, self.tls_version), step)
    return self.wrapped(tls.alert(description=int(step.get('description', '40'))), step)

  def make_login7(self, side, step):
    sspi = b''
    if step.get('sspi', '') == 'ntlm':
      sspi = tds.ntlm_negotiate()
    elif step.get('sspi', '') == 'kerberos':
      sspi = tds.kerberos_token(self.label, size_of(step.get('ticket', '1800')))
    features = tds.fed_auth_feature() if 'fedauth' in step.flags else b''
    self.user = step.get('user', '' if sspi else 'app')
    self.database = step.get('database', 'Sales')
    return tds.login7(
      host=step.get('host', 'WEB01'), user=self.user, password='' if sspi or features else step.get('password', 'not-a-secret'),
      app=step.get('app', 'Orders'), server=step.get('server', 'sql01'), library=step.get('library', 'ODBC'),
      language=step.get('language', ''), database=self.database, sspi=sspi, features=features,
    )

  def make_ntlm_challenge(self, side, step):
    return tds.response(tds.sspi_token(tds.ntlm_challenge(self.label)), spid=0)

  def make_ntlm_auth(self, side, step):
    return tds.ntlm_authenticate(self.label, host=step.get('host', 'WEB01'), user=step.get('user', 'svc_orders'))

  def make_fedauthinfo(self, side, step):
    url = step.get('url', 'https://login.example.net/common')
    return tds.response(tds.fed_auth_info(url, step.get('spn', 'https://database.example.net/')), spid=0)

  def make_fedauth(self, side, step):
    return tds.fed_auth_token(tls.filler(self.label + '/token', size_of(step.get('size', '1500'))))

  def make_loginack(self, side, step):
    route = step.get('route', '').rpartition(':')
    body = tds.login_ack_body(
      database=self.database, info='noinfo' not in step.flags, route=(route[0], int(route[2])) if route[0] else None,
    )
    if step.get('sspi', '') == 'kerberos':
      body = tds.sspi_token(tls.filler(self.label + '/ap-rep', 120)) + body
    return tds.response(body, spid=self.spid)

  def make_error(self, side, step):
    number = int(step.get('number', '18456'))
    state, severity, text = ERRORS.get(number, (1, 16, f'Error {number}.'))
    text = step.get('message', text).format(user=self.user, database=self.database)
    state, severity = int(step.get('state', str(state))), int(step.get('severity', str(severity)))
    text = text.ljust(int(step.get('length', '0')), 'x')
    more = [int(other) for other in step.get('more', '').split(',') if other]
    return self.in_session(
      side, tds.response(tds.login_refused_body(number, state, severity, text, more=more), spid=self.spid))

  def make_batch(self, side, step):
    text = step.get('text', "SELECT id, name FROM dbo.orders WHERE day = '2026-03-02'")
    if 'size' in step.options:
      text = text.ljust(size_of(step.options['size']) // 2)
    return self.in_session(side, tds.batch(text))

  def make_rpc(self, side, step):
    statement = step.get('text', 'SELECT id, name FROM dbo.orders WHERE id = 7')
    return self.in_session(side, tds.rpc(statement, step.get('procedure', None)))

  def make_bulk(self, side, step):
    return tds.message(tds.PACKET_BULK, tds.result_body(size_of(step.get('size', '20000')), 'bulk'))

  def make_result(self, side, step):
    size, label = size_of(step.get('size', '400')), f'row{self.messages}'
    body = tds.result_body(size, label)
    if 'error' in step.options:
      body = tds.failed_result_body(size, int(step.get('error', '')), label)
    return self.in_session(side, tds.response(body, spid=self.spid))

  def make_rpcresult(self, side, step):
    body = tds.rpc_result_body(size_of(step.get('size', '400')), f'row{self.messages}')
    return self.in_session(side, tds.response(body, spid=self.spid))

  def make_done(self, side, step):
    return self.in_session(side, tds.response(tds.done(tds.DONE_COUNT, 0xC3, 1), spid=self.spid))

  def make_attention(self, side, step):
    return self.in_session(side, tds.attention())

  def make_attention_ack(self, side, step):
    return self.in_session(side, tds.attention_answer(spid=self.spid))

  def make_smb(self, side, step):
    from_server = side == 'server'
    if 'negotiate' in step.flags:
      return windows.smb2_negotiate(from_server)
    if 'session' in step.flags:
      return windows.smb2_session(from_server, tds.ntlm_challenge(self.label) if from_server else tds.ntlm_negotiate())
    if 'tree' in step.flags:
      return windows.smb2_tree(from_server, step.get('server', 'SQL01'))
    return windows.smb2_create(from_server, step.get('pipe', 'sql\\query'))

  def make_netlogon(self, side, step):
    if 'bind' in step.flags:
      return windows.netlogon_bind(side == 'server')
    return windows.netlogon_logon(side == 'server', tls.filler(f'{self.label}/{self.messages}', size_of(step.get('size', '480'))))

  def make_smp_syn(self, side, step):
    self.mars = {'client': 0, 'server': 0, 'session': int(step.get('sid', '0'))}
    return tds.smp(tds.SMP_SYN, self.mars['session'], 0, 4)

  def make_smp_fin(self, side, step):
    mars = self.mars
    return tds.smp(tds.SMP_FIN, mars['session'], mars[side], mars[OTHER[side]] + 4)

  def make_smp_ack(self, side, step):
    mars = self.mars
    return tds.smp(tds.SMP_ACK, mars['session'], mars[side], mars[OTHER[side]] + 4)

  def in_session(self, side, data):
    """With MARS on, each TDS packet travels in a session packet of its own."""
    if self.mars is None:
      return data
    out = b''
    while data:
      size = int.from_bytes(data[2:4], 'big')
      self.mars[side] += 1
      out += tds.smp(
        tds.SMP_DATA, self.mars['session'], self.mars[side], self.mars[OTHER[side]] + 4, data[:size]
      )
      data = data[size:]
    return out

  def say(self, text, **when):
    """Carries out a line given as text; macros are written so."""
    side, *words = shlex.split(text)
    self.run(side, Step(words), **when)
