"""The command `lendwire`: serve, migrate, rebuild, new-epoch, with-database, create-user and more.

Whatever goes wrong in an expected way is one sentence on standard error and an exit code; a
traceback is a bug.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from server.configuration.settings import (
    API_VERSION,
    Settings,
    read_settings,
    remarks_on_environment,
)
from server.failures import StartRefused

SECRET_SETTINGS = frozenset(
    {"jwt_secret_key", "sync_node_key", "admin_password", "database_url", "redis_url"}
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = given.run
    try:
        return run(given)
    except StartRefused as refusal:
        sys.stderr.write(f"lendwire: {refusal.sentence}\n")
        return refusal.exit_code
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lendwire", description="A loan server that keeps working when the line goes down."
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"lendwire {version('lendwire')}, which speaks version {API_VERSION} of its API",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve until Ctrl-C or SIGTERM")
    serve.add_argument("--host", help="address to listen on (HOST)")
    serve.add_argument("--port", help="port to listen on; 0 takes a free one (PORT)")
    serve.add_argument("--workers", help="worker processes (WORKERS)")
    serve.set_defaults(run=_serve)

    migrate = commands.add_parser("migrate", help="bring the database to this program's schema")
    migrate.set_defaults(run=_migrate)

    rebuild = commands.add_parser(
        "rebuild", help="prove that what is kept follows from the events, and repair what does not"
    )
    rebuild.add_argument("--check", action="store_true", help="only say what differs; exit 1 then")
    rebuild.set_defaults(run=_rebuild)

    _add_restoring(commands)

    create = commands.add_parser("create-user", help="make a user; the password is asked for")
    create.add_argument("--email", required=True)
    create.add_argument("--full-name", required=True)
    create.add_argument(
        "--role", required=True, choices=["customer", "officer", "manager", "operator", "admin"]
    )
    create.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    create.set_defaults(run=_create_user)

    check = commands.add_parser("check", help="check the settings and show them, without secrets")
    check.set_defaults(run=_check)

    conform = commands.add_parser("conform", help="run published cases through the loan engine")
    conform.add_argument("files", nargs="+", metavar="FILE", help="a file of cases (JSON)")
    conform.set_defaults(run=_conform)

    openapi = commands.add_parser("openapi", help="print the OpenAPI document")
    openapi.set_defaults(run=_openapi)

    asyncapi = commands.add_parser("asyncapi", help="print the AsyncAPI document")
    asyncapi.set_defaults(run=_asyncapi)
    return parser


def _add_restoring(commands: Any) -> None:
    """What a restore needs; how it is used is in docs/operations.md."""
    epoch = commands.add_parser(
        "new-epoch", help="say that the database was put back, where nothing else tells it"
    )
    epoch.set_defaults(run=_new_epoch)

    beside = commands.add_parser(
        "with-database", help="run a program on the database: pg_dump, pg_restore, psql"
    )
    beside.add_argument("program", metavar="PROGRAM")
    beside.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...")
    beside.set_defaults(run=_with_database)


def _serve(given: argparse.Namespace) -> int:
    from server.serve import serve

    flags = {"host": given.host, "port": given.port, "workers": given.workers}
    return serve(read_settings(flags))


def _migrate(_: argparse.Namespace) -> int:
    from persistence.migration import Migrated
    from persistence.store import Store
    from server.jobs.one_off import run_errand

    async def report(_: Store, migrated: Migrated) -> Migrated:
        return migrated

    migrated = run_errand(read_settings(), report, makes_home=True)
    if migrated.before == migrated.after:
        _say(f"The schema is at revision {migrated.after}: it is up to date.")
    else:
        before = migrated.before or "nothing"
        _say(f"The schema was brought from {before} to revision {migrated.after}.")
    return 0


def _rebuild(given: argparse.Namespace) -> int:
    from server.jobs.one_off import run_errand
    from server.jobs.rebuild import rebuild

    settings = read_settings()
    return run_errand(
        settings, lambda store, _: rebuild(store, settings.zone, _say, only_check=given.check)
    )


def _new_epoch(_: argparse.Namespace) -> int:
    from server.jobs.one_off import run_errand

    begun = run_errand(read_settings(), lambda store, _: store.feed.begin_epoch())
    _say(f"The change feed has another epoch, {begun.epoch}, from entry {begun.seq} on.")
    _say(
        "Clients that listened before are told so when they come back, "
        "and read anew what they show."
    )
    return 0


def _with_database(given: argparse.Namespace) -> int:
    from server.jobs.one_off import run_program

    return run_program(read_settings(), (given.program, *given.arguments))


def _create_user(given: argparse.Namespace) -> int:
    from server.jobs.create_user import NewUser, create_user
    from server.jobs.one_off import run_errand

    settings = read_settings()
    password = sys.stdin.readline().rstrip("\n") if given.password_stdin else _asked_password()
    user = NewUser(given.email, given.full_name, given.role, password)
    made = run_errand(
        settings, lambda store, _: create_user(store, user, settings.zone), makes_home=True
    )
    _say(f"Made the {made.role} {made.email} with the id {made.id}.")
    return 0


def _asked_password() -> str:
    if not sys.stdin.isatty():
        raise StartRefused("There is no terminal to ask for the password: use --password-stdin.")
    try:
        password = getpass.getpass("Password: ")
        again = getpass.getpass("Once more: ")
    except EOFError as ended:
        raise StartRefused("No password was given: nothing was made.") from ended
    if again != password:
        raise StartRefused("The two passwords differ: nothing was made.")
    return password


def _check(_: argparse.Namespace) -> int:
    from server.configuration.policy import remarks

    settings = read_settings()
    for name in sorted(Settings.model_fields):
        value = getattr(settings, name)
        if name == "must_change_password":
            value = settings.asks_own_password
        if name in SECRET_SETTINGS:
            value = "(set)" if value else "(empty)"
        elif isinstance(value, tuple):
            value = ",".join(value)
        _say(f"{name.upper()}={value}")
    for remark in (*remarks(settings), *remarks_on_environment()):
        _say(f"Note: {remark}.")
    _say("The settings are right.")
    return 0


def _openapi(_: argparse.Namespace) -> int:
    from server.configuration.settings_slices import web_options
    from web.openapi import openapi_document

    # The document describes the program, not one node: no key is needed to write it.
    return _print(openapi_document(web_options(read_settings(), b"")))


def _asyncapi(_: argparse.Namespace) -> int:
    from server.configuration.settings_slices import web_options
    from web.asyncapi import asyncapi_document

    return _print(asyncapi_document(web_options(read_settings(), b"")))


def _print(document: object) -> int:
    json.dump(document, sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")
    return 0


def _conform(given: argparse.Namespace) -> int:
    from server.conformance.report import conform

    return conform([Path(name) for name in given.files], _say)


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
