"""The macros of the scene language: lines that stand for several."""

import shlex

import scene_tls as tls
from scene_steps import Step
from scene_tcp import MICROSECOND, MILLISECOND, OTHER


def macro_handshake(talk, step, **when):
  talk.say('client SYN', **when)
  talk.say('server SYN+ACK')
  talk.say('client ACK')


def macro_tls(talk, step, **when):
  """The TLS handshake: in PRELOGIN packets, or bare with ALPN."""
  bare = ' bare alpn=' + tls.TDS8_PROTOCOL_NAME if 'strict' in step.flags else ''
  version = step.get('version', '1.3' if 'strict' in step.flags else '1.2')
  server = ''.join(f' {name}={step.options[name]}' for name in ('cipher', 'cn', 'issuer', 'names', 'valid') if name in step.options)
  sni = f" sni={step.options['sni']}" if 'sni' in step.options else ''
  talk.say(f'client CLIENTHELLO version={version}{bare}{sni}', **when)
  talk.say(f'server SERVERHELLO version={version}{server}{bare}', gap=1500 * MICROSECOND)
  talk.say(f"client CLIENTKEY{bare and ' bare'}", gap=900 * MICROSECOND)
  if version != '1.3':
    talk.say(f"server SERVERFINISHED{bare and ' bare'}", gap=600 * MICROSECOND)


def macro_prelogin(talk, step, **when):
  """Up to the point where LOGIN7 may be sent."""
  mars = ' mars' if 'mars' in step.flags else ''
  if 'strict' in step.flags:
    macro_tls(talk, step, **when)
    talk.encrypted = True
    talk.say(f'client PRELOGIN encrypt=strict{mars}')
    talk.say('server PRELOGIN encrypt=strict' + mars)
    return
  encrypt = 'on' if 'full' in step.flags else 'off' if 'encrypted' in step.flags else 'notsup'
  talk.say(f'client PRELOGIN encrypt={encrypt}{mars}', **when)
  talk.say(f'server PRELOGIN encrypt={encrypt}{mars}', gap=400 * MICROSECOND)
  if encrypt == 'notsup':
    return
  macro_tls(talk, step)
  talk.encrypted = 'full' in step.flags
  talk.login_encrypted = True


def login7_words(step):
  names = ('user', 'host', 'app', 'database', 'server', 'library', 'sspi', 'ticket', 'password', 'language')
  return ' '.join(f'{n}={shlex.quote(step.options[n])}' for n in names if n in step.options)


def macro_login(talk, step, **when):
  """A login that succeeds: in clear, `encrypted` (login only), `full` or `strict`; sspi=ntlm|kerberos."""
  if 'ntlm' in step.flags:
    step.options['sspi'] = 'ntlm'
  if 'kerberos' in step.flags:
    step.options['sspi'] = 'kerberos'
  macro_prelogin(talk, step, **when)
  talk.say('client LOGIN7 ' + login7_words(step))
  if step.get('sspi', '') == 'ntlm':
    talk.say('server NTLM-CHALLENGE', gap=700 * MICROSECOND)
    talk.say('client NTLM-AUTH', gap=1200 * MICROSECOND)
  kerberos = ' sspi=kerberos' if step.get('sspi', '') == 'kerberos' else ''
  talk.say('server LOGINACK' + kerberos, gap=2 * MILLISECOND)


def macro_query(talk, step, **when):
  size = step.get('size', '400')
  lose = f" lose {','.join(map(str, step.lose))}" if step.lose else ''
  for number in range(step.times):
    if number and step.every is not None:
      when = {'at': asked + step.every}
    elif number:
      when = {'gap': 5 * MILLISECOND}
    asked = talk.tcp.moment('client', when.get('gap'), when.get('at'))
    talk.say('client BATCH', **when)
    talk.say(f'server RESULT size={size}{lose}', gap=800 * MICROSECOND)
    if talk.tcp.last_packet.sender == 'server':
      talk.say('client ACK', gap=40 * MILLISECOND)


def macro_rpc(talk, step, **when):
  talk.say('client RPC', **when)
  talk.say(f"server RPCRESULT size={step.get('size', '300')}", gap=800 * MICROSECOND)
  if talk.tcp.last_packet.sender == 'server':
    talk.say('client ACK', gap=40 * MILLISECOND)


def macro_close(talk, step, **when):
  first = 'server' if 'server' in step.flags else 'client'
  second = OTHER[first]
  talk.say(f'{first} FIN', **when)
  talk.say(f'{second} ACK')
  talk.say(f'{second} FIN')
  talk.say(f'{first} ACK')


def macro_normal(talk, step, **when):
  macro_handshake(talk, step, **when)
  macro_login(talk, step)
  macro_query(talk, Step(['query']), gap=3 * MILLISECOND)
  macro_rpc(talk, Step(['rpc']), gap=50 * MILLISECOND)
  macro_query(talk, Step(['query', 'size=' + step.get('size', '3000')]), gap=200 * MILLISECOND)
  macro_close(talk, Step(['close']), gap=100 * MILLISECOND)


def macro_probe(talk, step, **when):
  macro_handshake(talk, step, **when)
  if 'reset' in step.flags:
    talk.say('client RST+ACK')
  else:
    macro_close(talk, Step(['close']))


def macro_idle(talk, step, **when):
  """Healthy keep-alives both ways: idle x4 [every 30s]."""
  every = step.every or 30_000 * MILLISECOND
  for _ in range(step.times):
    talk.say('client KEEPALIVE', gap=every)
    talk.say('server ACK')


def macro_mars_open(talk, step, **when):
  talk.say('client SMP-SYN join', **when)
  talk.say('client BATCH', **when)
  talk.say('server RESULT', gap=800 * MICROSECOND)
  talk.say('client ACK', gap=40 * MILLISECOND)


def macro_mars_close(talk, step, **when):
  """The benign reset: the server's SMP FIN crosses the client's FIN, whose stack has nobody left to give it to."""
  talk.say('client SMP-FIN', **when)
  answered = talk.tcp.last_packet.arrives + 100 * MICROSECOND
  talk.say('client FIN', gap=250 * MICROSECOND)
  talk.say('server SMP-FIN', at=answered)
  talk.say('client RST+ACK')


MACROS = {
  'handshake': macro_handshake, 'tls': macro_tls, 'prelogin': macro_prelogin, 'login': macro_login,
  'query': macro_query, 'rpc': macro_rpc, 'close': macro_close, 'normal': macro_normal, 'probe': macro_probe,
  'idle': macro_idle, 'mars-open': macro_mars_open, 'mars-close': macro_mars_close,
}
