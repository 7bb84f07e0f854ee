import sys

exec(compile(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())), sys.argv[1], "exec"))  # noqa: S102
