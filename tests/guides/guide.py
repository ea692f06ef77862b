#!/usr/bin/env python3
"""Does what a guide says, in a copy of the tree, and checks that it comes out as the guide says.

    guide.py SOURCE BUILD [GUIDE.md...]     none named: all of SOURCE/docs/add-*.md

A guide's fenced blocks count when the fence says what they are:

    ```c attacks/shout.c       A file. Of one that the tree has, the block is an excerpt: its pieces, parted by
                               lines of "...", stand there word for word and in this order. One that the tree
                               has not is made; further blocks of the same name are added to its end.
    ```diff attacks/craft.c    A change of a file that the tree has, as in `git diff` without its head: the
                               lines with a blank or a minus must stand there once. Where the change has been
                               made already (the example is part of the tree) that is all that is asked.
    ```console                 Lines after "$ " are commands, run in the copy; what follows each must be said by
                               it, in this order; "..." stands for anything, alone for any lines. One that
                               says nothing in the guide must succeed. What builds or looks at the tree (ninja,
                               meson, ./dev, git, cd) is not run: this program builds.

A file may be of any kind; what is C is compiled as its neighbours in the build are, with warnings as errors, and linked
into a program of the copy's own, before the libraries, whose version of a changed file then goes unused. A new
one must be named in a changed meson.build. A new test (tests/FOLDER/test_NAME.c) is linked as its neighbours
are, and run. A header that the tree has cannot be changed: all that includes it would have to be compiled anew.
"""
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

NOT_RUN = ("ninja", "meson", "./dev", "git", "cd")


class Stumble(Exception):
	"""Where a guide can't be followed."""


def blocks_of(text):
	"""(line, kind, name, lines) of each fenced block."""
	blocks, block = [], None
	for i, line in enumerate(text.split("\n"), 1):
		if block is None and line.startswith("```"):
			kind, _, name = line[3:].strip().partition(" ")
			block = (i, kind, name.strip(), [])
		elif block is not None and line.startswith("```"):
			blocks.append(block)
			block = None
		elif block is not None:
			block[3].append(line)
	return blocks


def places(lines, part):
	"""Where `part` stands in `lines`."""
	return [i for i in range(len(lines) - len(part) + 1) if lines[i:i + len(part)] == part]


def pieces_of(lines, parting):
	pieces = [[]]
	for line in lines:
		if parting(line):
			pieces.append([])
		else:
			pieces[-1].append(line)
	pieces = [strip_blank(piece) for piece in pieces]
	return [piece for piece in pieces if piece]


def strip_blank(lines):
	while lines and not lines[0].strip():
		lines = lines[1:]
	while lines and not lines[-1].strip():
		lines = lines[:-1]
	return lines


class Copy:
	"""The tree, with what the guide makes of it: real folders, and links to files until one is changed."""

	def __init__(self, source, build, folder):
		self.source, self.build, self.folder = source, build, folder
		self.made, self.changed = [], []
		for at, folders, files in os.walk(source):
			folders[:] = [f for f in folders if not f.startswith((".", "build"))]
			here = os.path.join(folder, os.path.relpath(at, source))
			os.makedirs(here, exist_ok=True)
			for name in files:
				os.symlink(os.path.join(at, name), os.path.join(here, name))
		os.mkdir(os.path.join(folder, "build"))
		os.mkdir(os.path.join(folder, "objects"))
		os.symlink(os.path.join(build, "synod"), os.path.join(folder, "build", "synod"))

	def path(self, name):
		return os.path.join(self.folder, name)

	def is_of_the_tree(self, name):
		return os.path.exists(os.path.join(self.source, name))

	def read(self, name):
		with open(self.path(name)) as file:
			return file.read()

	def write(self, name, text):
		path = self.path(name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		if os.path.islink(path):
			os.unlink(path)
		with open(path, "w") as file:
			file.write(text)

	def file_block(self, name, lines):
		if not self.is_of_the_tree(name):
			before = self.read(name) if name in self.made else ""
			self.write(name, before + "\n".join(lines) + "\n")
			if name not in self.made:
				self.made.append(name)
			return
		have, at = self.read(name).split("\n"), 0
		for piece in pieces_of(lines, lambda line: line.strip() in ("...", "/* ... */")):
			found = [i for i in places(have, piece) if i >= at]
			if not found:
				raise Stumble("%s has not, in this place, what begins with: %s" % (name, piece[0]))
			at = found[0] + len(piece)

	def diff_block(self, name, lines):
		if not self.is_of_the_tree(name) and name not in self.made:
			raise Stumble("there is no %s to change" % name)
		for hunk in pieces_of(lines, lambda line: line.startswith("@@") or line.strip() == "..."):
			hunk = [line or " " for line in hunk]
			before = [line[1:] for line in hunk if line[0] in " -"]
			after = [line[1:] for line in hunk if line[0] in " +"]
			have = self.read(name).split("\n")
			if places(have, after):
				continue
			found = places(have, before)
			if len(found) != 1 or not before:
				raise Stumble("%s has %d times what is to change: %s" % (name, len(found), hunk[0]))
			have[found[0]:found[0] + len(before)] = after
			self.write(name, "\n".join(have))
			if name not in self.changed:
				self.changed.append(name)

	def run(self, command, **more):
		return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)

	def compile(self, commands, name):
		"""Returns (its object, the object that it takes the place of or is beside)."""
		def entry_of(name):
			return next((c for c in commands if os.path.normpath(
				os.path.join(c["directory"], c["file"])) == os.path.join(self.source, name)), None)

		entry = entry_of(name)
		if entry is None:
			folder, first = os.path.split(name)
			first = "test_" if first.startswith("test_") else ""
			near = sorted(os.listdir(os.path.join(self.source, folder)))
			near = [entry_of(os.path.join(folder, n)) for n in near if n.startswith(first)]
			entry = next((n for n in near if n is not None), None)
			if entry is None:
				raise Stumble("%s has no neighbour in the build to be compiled like" % name)
			build_files = [n for n in self.changed if n.endswith("meson.build")]
			word = os.path.basename(name)
			word = word[len("test_"):-2] if first else word
			if not any(word in self.read(n) for n in build_files):
				raise Stumble("no meson.build is told of %s" % name)
		command = [a for a in shlex.split(entry["command"]) if a != "ccache"]
		out = self.path("objects/" + name.replace("/", "_") + ".o")
		copied = []
		for i, argument in enumerate(command):
			if argument == entry["file"]:
				command[i] = self.path(name)
			elif i > 0 and command[i - 1] in ("-o", "-MF", "-MQ"):
				command[i] = out + {"-MF": ".d"}.get(command[i - 1], "")
			elif argument.startswith("-I../"):
				copied.append("-I" + self.path(argument[5:]))
		result = self.run(command + ["-Werror"] + copied, cwd=self.build)
		if result.returncode != 0:
			raise Stumble("%s does not compile:\n%s" % (name, result.stdout))
		return out, entry["output"]

	def link(self, like, out, objects):
		"""Links as the program `like` is, with these objects before or instead of its own."""
		text = self.run(["ninja", "-C", self.build, "-t", "commands", like]).stdout
		command = shlex.split(text.strip().split("\n")[-1])
		at = command.index("-o")
		command[at + 1] = out
		old = [o for _, o in objects]
		command = [a for a in command if a not in old]
		command[at + 2:at + 2] = [o for o, _ in objects]
		result = self.run(command, cwd=self.build)
		if result.returncode != 0:
			raise Stumble("it does not link:\n%s" % result.stdout)

	def make(self):
		sources = [n for n in self.made + self.changed if n.endswith(".c")]
		headers = [n for n in self.changed if n.endswith(".h")]
		if headers:
			raise Stumble("%s is a header that the tree has" % headers[0])
		if not sources:
			return
		with open(os.path.join(self.build, "compile_commands.json")) as file:
			commands = json.load(file)
		objects = {name: self.compile(commands, name) for name in sources}
		mine = [objects[n] for n in sources if not n.startswith("tests/")]
		if mine:
			program = self.path("build/synod")
			os.unlink(program)
			self.link("synod", program, mine)
		for name in sources:
			if name.startswith("tests/"):
				beside = objects[name][1]
				test = self.path("objects/" + os.path.basename(name)[:-2])
				self.link(beside.split(".p/")[0], test, [objects[name]] + mine)
				result = self.run([test], cwd=self.folder)
				if result.returncode != 0:
					raise Stumble("%s fails:\n%s" % (name, result.stdout))

	def console_block(self, lines):
		commands = []
		for line in lines:
			if line.startswith("$ "):
				commands.append((line[2:], []))
			elif commands and commands[-1][0].endswith("\\"):
				commands[-1] = (commands[-1][0][:-1] + line, [])
			elif commands:
				commands[-1][1].append(line)
		n_run = 0
		for command, expected in commands:
			if command.split()[0] in NOT_RUN:
				continue
			n_run += 1
			path = self.path("build") + ":" + os.environ["PATH"]
			result = self.run(command, shell=True, cwd=self.folder, env=dict(os.environ, PATH=path))
			expected = [line for line in expected if line.strip() not in ("", "...")]
			if not expected and result.returncode != 0:
				raise Stumble("$ %s ends with %d:\n%s" % (command, result.returncode, result.stdout))
			said = iter(result.stdout.split("\n"))
			for line in expected:
				pattern = re.escape(line.rstrip()).replace(re.escape("..."), ".*")
				if not any(re.fullmatch(pattern, s.rstrip()) for s in said):
					raise Stumble("$ %s\ndoes not say, in this place: %s\nbut:\n%s" % (
						command, line, result.stdout[:4000]))
		return n_run


def follow(source, build, guide):
	"""Returns what was done, as text."""
	with open(guide) as file:
		blocks = blocks_of(file.read())
	folder = tempfile.mkdtemp(prefix="synod-guide-")
	n_files = n_commands = 0
	line = 0
	try:
		copy = Copy(source, build, folder)
		for line, kind, name, lines in blocks:
			if kind == "diff" and name:
				copy.diff_block(name, lines)
				n_files += 1
			elif name:
				copy.file_block(name, lines)
				n_files += 1
		line = 0
		copy.make()
		for line, kind, name, lines in blocks:
			if kind == "console":
				n_commands += copy.console_block(lines)
	except Stumble as stumble:
		raise Stumble("%s:%d: %s" % (guide, line, stumble))
	finally:
		shutil.rmtree(folder)
	return "%d blocks of files (%d made, %d changed), %d commands" % (
		n_files, len(copy.made), len(copy.changed), n_commands)


def main():
	source, build = (os.path.realpath(a) for a in sys.argv[1:3])
	failed = 0
	guides = sys.argv[3:] or sorted(glob.glob(os.path.join(source, "docs", "add-*.md")))
	for guide in guides:
		try:
			print("%s: %s" % (os.path.basename(guide), follow(source, build, guide)))
		except Stumble as stumble:
			print(stumble)
			failed += 1
	passed = len(guides) - failed
	print("[  PASSED  ] %d test(s)." % passed)
	if failed:
		print("[  FAILED  ] %d test(s), listed below:" % failed)
	sys.exit(failed != 0)


if __name__ == "__main__":
	main()
