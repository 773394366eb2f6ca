"""Packs files into archives: zip, tar and Windows' cabinets. members: [(name, content)]."""
import io
import struct
import tarfile
import zipfile


def make_zip(members):
  out = io.BytesIO()
  with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
    for name, content in members:
      archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
  return out.getvalue()


def make_tar(members, compression=''):
  out = io.BytesIO()
  with tarfile.open(fileobj=out, mode=f'w:{compression}') as archive:
    for name, content in members:
      entry = tarfile.TarInfo(name)
      entry.size = len(content)
      archive.addfile(entry, io.BytesIO(content))
  return out.getvalue()


def make_cab(members):
  """MS-CAB: one folder, without compression, and with names in UTF-8."""
  block = 1 << 15
  whole = b''.join(content for _, content in members)
  blocks = [whole[at:at + block] for at in range(0, len(whole), block)]
  files, at = b'', 0
  for name, content in members:
    files += struct.pack('<IIHHHH', len(content), at, 0, 0x5800, 0, 0xA0) + name.encode() + b'\0'
    at += len(content)
  first_file = 36 + 8
  first_block = first_file + len(files)
  data = b''.join(struct.pack('<IHH', 0, len(content), len(content)) + content for content in blocks)
  head = struct.pack('<4sIIIIIBBHHHHH', b'MSCF', 0, first_block + len(data), 0, first_file, 0, 3, 1, 1, len(members), 0, 0, 0)
  return head + struct.pack('<IHH', first_block, len(blocks), 0) + files + data


KINDS = {'zip': make_zip, 'tar': make_tar, 'tar.gz': lambda members: make_tar(members, 'gz'), 'tar.xz': lambda members: make_tar(members, 'xz'),
         'cab': make_cab}
