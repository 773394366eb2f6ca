#!/usr/bin/env python3
"""The house's rules that a machine can see, as TAP. Each rule says why it is there; each complaint says where.

  tests/structure/run.py [--compiler gcc]
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests'))
sys.dont_write_bytecode = True
import contract
from tap import Tap

CODE_FOLDERS = ('src', 'app', 'include', 'tests')
LONGEST_FILE = 700
LONGEST_TEST = 1000
SEVERAL_BY_DESIGN = {'meson.build', 'README.md', 'run.py'}
DETECTORS = 'src/finding/detectors.def'
CAUSE = re.compile(r'\.cause = "([^"]+)"')
HOST_WORD = re.compile(r'HOST_DETECTORS\(\s*"([^"]+)"')
SCENES_LEAST, NEAR_SCENES_LEAST = 3, 2
PUBLIC_HEADER = 'include/tdscope/tdscope.h'

STRINGS_AND_COMMENTS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
REGISTRY_LINE = re.compile(r'^\s*[A-Z_]+\((\w+)\)', re.M)
OUTSIDE = re.compile(r'(?<![\w.<])/(?:work|tmp/brief|home|root|Users)/|(?<!\w)[A-Z]:\\')
SEEDS = 'tests/fuzz/seeds/'
LOG_LINE = re.compile(r'^\|.*', re.MULTILINE)  # what a machine wrote, in a scene
SHARED = re.compile(r'\.\./shared\b')

ALLOCATING = r'\b(?:malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf)\s*\('
UNBOUNDED = r'\b(?:strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atoll|gmtime|localtime|ctime|asctime|strtok|alloca)\s*\('
TALKING = r'\b(?:printf|fprintf|puts|putchar|perror|exit|_Exit|abort|getenv|time|clock|clock_gettime|gettimeofday|system)\s*\('

# Calls that are forbidden: (rule, pattern, folders, but not in, why).
FORBIDDEN_CALLS = [
  ('one place allocates', ALLOCATING, ('src',), ('src/base/memory.c',), 'it checks sizes and refusals, once'),
  ('no dangerous calls', UNBOUNDED, ('src', 'app'), (),
   'they write without a bound, read without an error, or are not safe with threads'),
  ('library is silent', TALKING, ('src',), ('src/base/memory.c', 'src/os/'),
   'the library never prints, never exits, never reads the clock or the environment'),
]


def files_of_project():
  """What Git holds or would hold; every file outside build folders where there is no Git."""
  command = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
  git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True) if shutil.which('git') else None
  if git and git.returncode == 0:
    names = [name for name in git.stdout.split('\0') if name]
  else:
    names = [str(path.relative_to(ROOT)) for path in ROOT.rglob('*') if path.is_file()]
    names = [name for name in names if not re.match(r'(build[^/]*|bench/data|\.git)/|.*__pycache__/', name)]
  return sorted(name for name in names if (ROOT / name).is_file())


class Tree:
  """The project's files and their text, read once."""

  def __init__(self):
    self.names = files_of_project()
    self.texts = {}
    for name in self.names:
      content = (ROOT / name).read_bytes()
      if b'\0' not in content and not name.startswith(SEEDS):  # a seed is whatever a machine may have written
        self.texts[name] = content.decode('utf-8', errors='replace')

  def under(self, *folders, ends=('.c', '.h')):
    return [name for name in self.texts if name.startswith(tuple(f'{folder}/' for folder in folders)) and
            name.endswith(ends)]

  def code(self, name):
    """The text with comments and strings blanked, lines kept."""
    return STRINGS_AND_COMMENTS.sub(lambda found: re.sub(r'[^\n]', ' ', found[0]), self.texts[name])


def line_of(text, position):
  return text.count('\n', 0, position) + 1


def names_unique(tree):
  """An #include by bare name, and a name that is spoken, mean one file."""
  places = collections.defaultdict(list)
  for name in tree.names:
    if name.startswith(tuple(f'{folder}/' for folder in CODE_FOLDERS)) and name.endswith(('.c', '.h', '.def', '.py', '.build')):
      places[os.path.basename(name)].append(name)
  return [f'{base}: {", ".join(found)}' for base, found in places.items()
          if len(found) > 1 and base not in SEVERAL_BY_DESIGN]


def files_short(tree):
  """A file that has outgrown its one purpose wants to be two. A test is a list of cases, and may be longer."""
  return [f'{name}: {count} lines' for name in tree.under(*CODE_FOLDERS, 'bench', ends=('.c', '.h', '.def', '.py'))
          if (count := tree.texts[name].count('\n')) > (LONGEST_TEST if name.startswith('tests/') else LONGEST_FILE)]


def forbidden_calls(tree, pattern, folders, allowed):
  for name in tree.under(*folders):
    if name.startswith(allowed):
      continue
    code = tree.code(name)
    for found in re.finditer(pattern, code):
      yield f'{name}:{line_of(code, found.start())}: {found[0]}...'


def public_header_alone(tree):
  """Whoever uses the library has nothing but this header."""
  return [f'{PUBLIC_HEADER} includes "{include}"' for include in INCLUDE.findall(tree.texts[PUBLIC_HEADER])]


def command_line_public(tree):
  """The command line can do what any other program can: it sees the public header and its own files."""
  own = {os.path.basename(name) for name in tree.under('app')}
  return [f'{name} includes "{include}"' for name in tree.under('app')
          for include in INCLUDE.findall(tree.texts[name])
          if include != 'tdscope/tdscope.h' and include not in own]


def includes_by_bare_name(tree):
  """The build says what a folder may see; a path in an #include would go around it."""
  return [f'{name} includes "{include}"' for name in tree.under('src') for include in INCLUDE.findall(tree.texts[name])
          if '/' in include and include != 'tdscope/tdscope.h']


def registries_have_files(tree):
  """One line in a registry, one file beside it."""
  wrong = []
  for name in tree.under('src', ends=('.def',)):
    for entry in REGISTRY_LINE.findall(tree.code(name)):
      if f'{os.path.dirname(name)}/{entry}.c' not in tree.texts:
        wrong.append(f'{name}: {entry} has no {entry}.c')
  return wrong


def registered_detectors(tree):
  """(causes, text of the file) of each line of the registry."""
  for entry in REGISTRY_LINE.findall(tree.code(DETECTORS)):
    text = tree.texts[f'src/finding/{entry}.c']
    yield CAUSE.findall(text) + [f'{side}.{word}' for word in HOST_WORD.findall(text) for side in ('client', 'server')], text


def every_cause_explained(tree):
  """The contract's list of causes and what `tdscope explain` knows are the same."""
  explained = {cause for causes, _ in registered_detectors(tree) for cause in causes}
  promised = {f'{culprit}.{word}' for culprit, words in contract.CAUSES.items() for word in words}
  promised |= {f'{side}.{word}' for side in ('client', 'server') for word in contract.MACHINE_CAUSES}
  return [f'{cause} has no detector' for cause in sorted(promised - explained)] + \
         [f'{cause} is not in tests/contract.py' for cause in sorted(explained - promised)]


def expectations(tree, name):
  """The words of each line of a scene that says what is expected."""
  return [line.split()[1:] for line in tree.texts[name].splitlines() if line.startswith('expect ')]


def shows(causes, words):
  """The line asks for one of the causes."""
  return not set(causes).isdisjoint(words) and words[0] != 'no'


def denies(causes, words):
  """The line does not let the cause pass, or lets it pass without an accusation: a culprit that is not known."""
  if words[0] in ('finding', 'report'):
    return False
  return set(causes).isdisjoint(words) or words[0] == 'no' or words[:2] == ['culprit', 'unknown']


def causes_have_scenes(tree):
  """A rule that is not shown to hold, and not to hold where it nearly does, is a guess: three scenes and two near ones at least.

  The contract's list says which causes there are, not what happens to lie in the folder; and a scene counts by what it expects.
  """
  wrong = []
  kinds = [[f'{group}.{word}'] for group, words in contract.CAUSES.items() for word in words]
  kinds += [[f'client.{word}', f'server.{word}'] for word in contract.MACHINE_CAUSES]  # one rule for either machine
  for causes in sorted(kinds):
    scenes = [name for cause in causes for name in tree.under(f'tests/scenes/{cause}', ends=('.scene',))]
    near = [name for name in scenes if os.path.basename(name).startswith('near-')]
    showing = sum(any(shows(causes, words) for words in expectations(tree, name)) for name in scenes if name not in near)
    denying = sum(any(denies(causes, words) for words in expectations(tree, name)) for name in near)
    if showing < SCENES_LEAST or denying < NEAR_SCENES_LEAST:
      wrong.append(f'{causes[0]}: {showing} scenes that show it, {denying} near ones that do not')
  return wrong


def every_source_built(tree):
  """A file that the build does not know is dead."""
  builds = '\n'.join(text for name, text in tree.texts.items() if name.endswith('meson.build'))
  registered = {f'{os.path.dirname(name)}/{entry}.c' for name in tree.under('src', ends=('.def',))
                for entry in REGISTRY_LINE.findall(tree.code(name))}
  return [name for name in tree.under('src', 'app', ends=('.c',))
          if name not in registered and os.path.basename(name) not in builds]


def headers_used(tree):
  """A header that nobody includes is dead."""
  used = {os.path.basename(include) for name in tree.under(*CODE_FOLDERS, ends=('.c', '.h', '.def'))
          for include in INCLUDE.findall(tree.texts[name])}
  return [name for name in tree.under('src', 'app', ends=('.h',)) if os.path.basename(name) not in used]


def no_trailing_blanks(tree):
  """Blanks at a line's end only make noise in diffs; tabs and missing line ends, too."""
  wrong = []
  for name, text in tree.texts.items():
    for number, line in enumerate(text.split('\n'), 1):
      if line.endswith((' ', '\t', '\r')):
        wrong.append(f'{name}:{number}: blank at the end')
      if '\t' in line and name.endswith(('.c', '.h', '.py', '.build')):
        wrong.append(f'{name}:{number}: tab')
    if text and not text.endswith('\n'):
      wrong.append(f'{name}: no line end at the end')
  return wrong


def nothing_outside(tree):
  """The project stands on its own wherever it is cloned; only tests look at captures beside it."""
  this = str(pathlib.Path(__file__).resolve().relative_to(ROOT))
  wrong = []
  for name, text in tree.texts.items():
    if name == this:
      continue
    own = LOG_LINE.sub('', text) if name.endswith('.scene') else text
    wrong += [f'{name}:{line_of(text, found.start())}: {found[0]}' for found in OUTSIDE.finditer(own)]
    if not name.startswith('tests/'):
      wrong += [f'{name}:{line_of(text, found.start())}: {found[0]}' for found in SHARED.finditer(text)]
  return wrong


def headers_stand_alone(tree, compiler):
  """A header brings what it needs: it compiles as the first and only #include of a file."""
  folders = sorted({os.path.dirname(name) for name in tree.under('src', 'app', ends=('.h',))})
  includes = [f'-I{ROOT / folder}' for folder in ['include', *folders]]

  def compile_alone(name):
    source = f'#include "{ROOT / name}"\n#include "{ROOT / name}"\ntypedef int not_empty;\n'
    done = subprocess.run([*shlex.split(compiler), '-std=c11', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-x', 'c',
                           *includes, '-'], input=source, capture_output=True, text=True)
    return [f'{name}: {done.stderr.splitlines()[0] if done.stderr else "does not compile"}'] if done.returncode else []

  headers = [PUBLIC_HEADER, *tree.under('src', 'app', ends=('.h',))]
  with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    return [complaint for complaints in pool.map(compile_alone, headers) for complaint in complaints]


def main():
  options = argparse.ArgumentParser(description='Checks what a machine can see of the house rules.')
  options.add_argument('--compiler', default=os.environ.get('CC', 'cc'))
  compiler = options.parse_args().compiler
  tree = Tree()
  tap = Tap()

  def rule(name, reason, complaints):
    complaints = list(complaints)
    tap.case(name, [f'why: {reason}', *complaints] if complaints else [])

  for check in (names_unique, files_short, public_header_alone, command_line_public, includes_by_bare_name,
                registries_have_files, every_cause_explained, causes_have_scenes,
                every_source_built, headers_used, no_trailing_blanks, nothing_outside):
    rule(check.__name__.replace('_', ' '), ' '.join(check.__doc__.split()), check(tree))
  for name, pattern, folders, allowed, reason in FORBIDDEN_CALLS:
    rule(name, reason, forbidden_calls(tree, pattern, folders, allowed))
  rule('headers stand alone', ' '.join(headers_stand_alone.__doc__.split()), headers_stand_alone(tree, compiler))
  return tap.finish()


if __name__ == '__main__':
  sys.exit(main())
