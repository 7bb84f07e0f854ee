import json
import sys
from importlib.machinery import ModuleSpec

sources = json.loads(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))


class Sent:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name in sources else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(sources[module.__name__], module.__name__ + ".py", "exec"), module.__dict__)  # noqa: S102


sys.meta_path.append(Sent())
exec(compile(sources["__main__"], sys.argv[1], "exec"))  # noqa: S102
