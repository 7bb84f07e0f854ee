"""The command line: python3 -m tools.targethost"""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Never

from tools.targethost.lab import NAME, NET, SUITE, Lab, default_cache
from tools.targethost.process import LabError

Command = Callable[[Lab, argparse.Namespace], None]


def build(lab: Lab, arguments: argparse.Namespace) -> None:
    print(f"building image {arguments.image}, about 40 s if it has to be made", file=sys.stderr)
    built = lab.build(arguments.image, arguments.suite)
    print(f"image {arguments.image} {'is built' if built else 'was up to date'}", file=sys.stderr)


def start(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.start(arguments.name, arguments.ip, arguments.image)


def snapshot(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.host(arguments.name).snapshot(arguments.image)


def stop(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.host(arguments.name).stop()


def freeze(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.host(arguments.name).freeze()


def thaw(lab: Lab, arguments: argparse.Namespace) -> None:
    lab.host(arguments.name).thaw()


def list_hosts(lab: Lab, arguments: argparse.Namespace) -> None:
    for host in lab.hosts():
        print(host.name, host.ip, host.image, "running" if host.is_running else "dead")


def ssh(lab: Lab, arguments: argparse.Namespace) -> None:
    become(lab.host(arguments.name).ssh_command(*arguments.command))


def shell(lab: Lab, arguments: argparse.Namespace) -> None:
    become(lab.host(arguments.name).shell_command(*arguments.command))


def destroy(lab: Lab, arguments: argparse.Namespace) -> None:
    if arguments.cache:
        lab.destroy_cache()
    else:
        lab.destroy()


def become(command: list[str]) -> None:
    os.execvp(command[0], command)  # noqa: S606  (a list of arguments, no shell)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python3 -m tools.targethost",
        description="Throw-away Debian servers to test provisioning against. Needs root on Debian.",
        epilog=f"DEPLOYNIX_TARGET_HOSTS names the folder for images and disks ({default_cache()}).",
    )
    top.add_argument("--lab", default=NAME, help="several labs can be up at once (%(default)s)")
    top.add_argument("--net", default=NET, help="first three octets of the lab's subnet (%(default)s)")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, text: str, *words: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        for word in words:
            command.add_argument(word, metavar=word.upper())
        return command

    making = add("build", build, "make a base image, if it is missing or out of date")
    making.add_argument("image", nargs="?", default="base", metavar="IMAGE")
    making.add_argument("--suite", default=SUITE, help="Debian release (%(default)s)")
    starting = add("start", start, "boot a fresh host and wait for its sshd", "name", "ip")
    starting.add_argument("image", nargs="?", default="base", metavar="IMAGE")
    add("snapshot", snapshot, "power a host off and keep its disk as an image", "name", "image")
    add("stop", stop, "power a host off and throw its disk away", "name")
    add("list", list_hosts, "name, address, image and state of every host")
    for name, run, text in (
        ("ssh", ssh, "log in as root, or run a command, over SSH"),
        ("shell", shell, "enter a host without SSH"),
    ):
        add(name, run, text, "name").add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    add("freeze", freeze, "make a host hang", "name")
    add("thaw", thaw, "let a frozen host go on", "name")
    ending = add("destroy", destroy, "stop all hosts and remove the lab's network")
    ending.add_argument("--cache", action="store_true", help="images and packages too")
    return top


def interrupt(number: int, frame: FrameType | None) -> Never:
    raise KeyboardInterrupt


def main() -> None:
    # An order to end cleans up like Ctrl-C does.
    signal.signal(signal.SIGTERM, interrupt)
    arguments = parser().parse_args()
    try:
        arguments.run(Lab(arguments.lab, arguments.net), arguments)
    except LabError as error:
        sys.exit(f"target host: {error}")
    except KeyboardInterrupt:
        sys.exit("target host: interrupted")
