#!/usr/bin/env python3
"""Whether scenes hold what they say, as TAP: tshark decodes their packets as intended, and finds none of them malformed.

Of what the captures that others made do not have: named pipes over SMB, the talk with a domain controller, the Browser.

  tests/differential/scenes.py --tdscope build/tdscope
"""
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / 'scenes')]
sys.dont_write_bytecode = True
from scene import load, write_scene
from tap import Tap
from wireshark import Wireshark, read_options, skip_unless_comparable

MALFORMED = '_ws.malformed && !tds'  # tshark 4.0 stumbles over every SSPI token, also of real servers
PIPES = 'smb2.cmd == 5 && smb2.flags.response == 0 && smb2.filename matches "sql.query$"'
INTENDED = {
  'none.normal/named-pipe': {
    'smb2.cmd == 0': 2, 'smb2.cmd == 1 && ntlmssp': 2, 'smb2.tree contains "IPC$" && smb2.cmd == 3 && smb2.flags.response == 0': 1,
    PIPES: 1},
  'none.normal/named-pipe-of-an-instance': {PIPES: 1, 'smb2.cmd == 5 && smb2.flags.response == 1 && smb2.nt_status == 0': 3},
  'server.slow-domain-controller/netlogon-slow': {
    'ldap.protocolOp == 3': 1, 'ldap.resultCode == 0': 1, 'dcerpc.cn_bind_to_uuid == 12345678-1234-abcd-ef00-01234567cffb': 1,
    'rpc_netlogon && dcerpc.opnum == 39': 2, 'ntlmssp.messagetype == 3 && tds.type == 0x11': 1},
  'w/w22-browser-answers-one-of-three': {
    'udp.dstport == 1434 && data.data[0] == 4': 2, 'udp.srcport == 1434 && data.data[0] == 5': 1,
    'udp.dstport == 1434 && data.data[0] == 2': 1},
}


def main():
  options = read_options('what scenes hold', 'nothing')
  skip_unless_comparable(list(INTENDED), 'tshark')
  wireshark, tap = Wireshark(options.cache), Tap()
  for name, frames in INTENDED.items():
    with tempfile.TemporaryDirectory(prefix='tdscope-scene-') as folder:
      (path,) = write_scene(load(HERE.parent / 'scenes' / f'{name}.scene'), pathlib.Path(folder)).values()
      complaints = []
      for what, expected in {**frames, MALFORMED: 0}.items():
        found = wireshark.fields(path, what, ('frame.number',))
        if len(found) != expected:
          complaints.append(f'{what}: {len(found)} frames, not {expected}')
      tap.case(name, complaints)
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
