"""A terminal in a few lines: runs a program on a pty and keeps the screen that it paints.

It understands what the shell and libedit send to an xterm: moves, erasing, insertion, reports of the cursor. What it does not
know is an error, so that nothing is painted that a test would not see. Every wait is bounded.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata


def columns_of(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Screen:
    """Rows of cells; a wide character takes one cell and an empty one behind it."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.saved = (0, 0)
        self.history = []
        self.pending = b""
        self.answers = b""
        self.mute = False
        self.escape_violations = []

    def line(self, row):
        return "".join(self.cells[row]).rstrip()

    def text(self):
        lines = [self.line(row) for row in range(self.rows)]
        while lines and not lines[-1]:
            lines.pop()
        return "\n".join(lines)

    def everything(self):
        return "\n".join(self.history + [self.text()])

    def newline(self):
        self.row += 1
        if self.row == self.rows:
            self.history.append(self.line(0))
            self.cells.pop(0)
            self.cells.append([" "] * self.columns)
            self.row -= 1

    def put(self, character):
        width = columns_of(character)
        if width == 0:
            return
        if self.column + width > self.columns:
            self.column = 0
            self.newline()
        self.cells[self.row][self.column] = character
        if width == 2:
            self.cells[self.row][self.column + 1] = ""
        self.column += width

    def control(self, arguments, final):
        n = [int(a) if a.isdigit() else 0 for a in arguments.lstrip("?").split(";")]
        first = max(n[0], 1)
        row = self.cells[self.row]
        column = min(self.column, self.columns - 1)
        if final in "hlm":
            return
        if final == "A":
            self.row = max(self.row - first, 0)
        elif final == "B":
            self.row = min(self.row + first, self.rows - 1)
        elif final == "C":
            self.column = min(self.column + first, self.columns - 1)
        elif final == "D":
            self.column = max(self.column - first, 0)
        elif final == "G":
            self.column = min(first, self.columns) - 1
        elif final == "d":
            self.row = min(first, self.rows) - 1
        elif final == "H":
            self.row = min(first, self.rows) - 1
            self.column = min(max(n[1] if len(n) > 1 else 1, 1), self.columns) - 1
        elif final == "K":
            row[column:] = [" "] * (self.columns - column)
        elif final == "J":
            if n[0] == 2:
                self.cells = [[" "] * self.columns for _ in range(self.rows)]
            else:
                row[column:] = [" "] * (self.columns - column)
                for other in range(self.row + 1, self.rows):
                    self.cells[other] = [" "] * self.columns
        elif final == "P":
            del row[column:column + first]
            row.extend([" "] * first)
        elif final == "@":
            row[column:column] = [" "] * first
            del row[self.columns:]
        elif final == "n" and n[0] == 6:
            if not self.mute:
                self.answers += b"\033[%d;%dR" % (self.row + 1, min(self.column, self.columns - 1) + 1)
        else:
            self.escape_violations.append(f"CSI {arguments}{final}")

    def feed(self, data):
        text = (self.pending + data)
        while text:
            if text[0] == 0x1b:
                found = re.match(rb"\033\[([?0-9;]*)([@-~])", text)
                if found:
                    self.control(found[1].decode(), found[2].decode())
                elif text[1:2] in (b"7", b"8"):
                    if text[1:2] == b"7":
                        self.saved = (self.row, self.column)
                    else:
                        self.row, self.column = self.saved
                elif re.fullmatch(rb"\033(\[[?0-9;]*)?", text):
                    break
                else:
                    self.escape_violations.append(repr(text[:8]))
                text = text[found.end() if found else 2:]
                continue
            size = 1 if text[0] < 0x80 else 2 if text[0] < 0xe0 else 3 if text[0] < 0xf0 else 4
            if len(text) < size:
                break
            piece, text = text[:size], text[size:]
            if piece == b"\r":
                self.column = 0
            elif piece == b"\n":
                self.newline()
            elif piece == b"\b":
                self.column = max(self.column - 1, 0)
            elif piece == b"\a":
                pass
            elif piece[0] < 0x20 or piece[0] == 0x7f:
                self.escape_violations.append(repr(piece))
            else:
                self.put(piece.decode("utf-8", "replace")[0])
        self.pending = text


class Timeout(Exception):
    pass


class Terminal:
    """A program on a pty of rows x columns (0 x 0: as a serial line has it)."""

    def __init__(self, argv, env, rows=24, columns=80, size=None, mute=False, argv0=None, cwd="/", seconds=20):
        self.screen = Screen(rows, columns)
        self.screen.mute = mute
        self.seconds = seconds
        self.raw = b""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            set_size(0, *(size or (rows, columns)))
            os.execve(argv[0], [argv0 or argv[0]] + argv[1:], env)
        self.closed = False
        self.answered = False  # something came since the last key

    def resize(self, rows, columns):
        self.screen = Screen(rows, columns)
        set_size(self.fd, rows, columns)

    def read(self, seconds):
        """What comes within this time; False at the end, None when nothing came."""
        if self.closed:
            return False
        if not select.select([self.fd], [], [], seconds)[0]:
            return None
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return False
        self.raw += data
        self.answered = True
        self.screen.feed(data)
        if self.screen.answers:
            os.write(self.fd, self.screen.answers)
            self.screen.answers = b""
        return True

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.answered = False
        end = time.monotonic() + self.seconds
        while data and not self.closed:
            if time.monotonic() > end:
                raise Timeout(f"the program takes no input; screen:\n{self.screen.text()}")
            if select.select([], [self.fd], [], 0.05)[1]:
                data = data[os.write(self.fd, data[:256]):]
            self.read(0)

    def wait(self, pattern, quiet=0.12):
        """Until the line of the cursor, up to it, matches and nothing more comes."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            came = self.read(quiet)
            line = "".join(self.screen.cells[self.screen.row][:self.screen.column])
            if came is None and self.answered and re.search(pattern, line):
                return
            if came is False:
                raise Timeout(f"the program ended; screen:\n{self.screen.text()}")
        raise Timeout(f"waited in vain for {pattern!r}; screen:\n{self.screen.text()}")

    def wait_text(self, pattern):
        """Until it was painted anywhere."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            if re.search(pattern, self.screen.everything()):
                return
            if self.read(0.05) is False:
                break
        raise Timeout(f"waited in vain for {pattern!r}; screen:\n{self.screen.text()}")

    def wait_end(self):
        """Its exit status (as of waitpid)."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
                while self.read(0.02):
                    pass
                return status
        raise Timeout(f"it does not end; screen:\n{self.screen.text()}")

    def close(self):
        try:
            os.close(self.fd)
        except OSError:
            pass
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        self.status = 0


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
