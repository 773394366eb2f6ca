"""What is true of a connection, and what an honest reader may say of it from both captures or from one."""

NORMAL = [('none', 'none.normal')]
PROBE = [('none', 'none.probe'), ('none', 'none.normal'), ('none', 'client.gave-up-before-login')]
DROP = [('network', 'network.drop-to-server'), ('network', 'network.drop-to-client'), ('network', 'network.drop-both-ways'),
        ('network', 'network.idle-drop')]
# Nobody is blamed; which cause stands nearest then is a matter of taste.
OPEN = [('unknown', cause) for cause in (
    'unknown.cut-off', 'network.drop-to-server', 'network.drop-to-client', 'network.drop-both-ways', 'network.idle-drop', 'network.syn-lost',
    'network.device-reset', 'network.device-answers', 'network.delay', 'network.loss', 'client.abort', 'client.login-refused', 'server.reset',
    'server.login-stalled', 'server.closed-in-login', 'server.closed-many', 'server.query-timeout')]

# The same, where a reset is what one sees.
RESET_OPEN = OPEN + [('unknown', 'network.device-reset'), ('unknown', 'server.closed-session'), ('unknown', 'client.closed-in-login')]

# Where a SYN got no answer, or none that helped.
SYN_OPEN = OPEN + [('unknown', 'network.syn-lost'), ('unknown', 'server.no-answer')]

# Somebody closed in the login, and why is not to be told.
LEFT = [('unknown', 'client.closed-in-login'), ('unknown', 'server.closed-in-login')]


def culprit_of(cause):
  return cause.split('.')[0]


def both(causes):
  """[(culprit, cause)] of cause names."""
  return [(culprit_of(cause), cause) for cause in causes]


def label(cause, *also, alone=None, client=None, server=None):
  """The truth about one connection: its cause, and what is right too; `alone`: with one capture, `client`/`server`: with that one."""
  accept = both([cause]) + [a if isinstance(a, tuple) else both([a])[0] for a in also]
  sides = {side: _pairs(alone) + _pairs(more) for side, more in (('client', client), ('server', server))}
  return {'culprit': culprit_of(cause), 'cause': cause, 'accept': sorted(set(accept)),
          'accept_alone': {side: sorted(set(pairs)) for side, pairs in sides.items() if pairs}}


def _pairs(causes):
  return [a if isinstance(a, tuple) else both([a])[0] for a in causes or []]
