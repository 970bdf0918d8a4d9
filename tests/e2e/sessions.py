"""Statements as `psql -qAt -c` would run and print them, without a process for each, which takes 300 times as long.

A session is kept for the next statement, which finds nothing of the one before: no transaction, setting, lock or temporary table.
"""

import collections
import select
import threading

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, new_type, register_type, string_types

KEPT = 3  # databases of which a thread keeps a session: every test has databases of its own, and a server has a hundred places

# Of a session that is neither trivet's nor ended, a training does not know whether it has reported its counters (027_source_state.sql).
NAME = "trivet-tests"

AS_TEXT = new_type(tuple(string_types), "AS_TEXT", lambda value, cursor: value)


class SqlError(Exception):
    """What the server, or the way to it, said."""


class Sessions:
    """The kept sessions of one server; threads do not wait for each other."""

    def __init__(self):
        self.threads = threading.local()

    def ask(self, uri, sql):
        """The last statement's rows; as in psql, several statements without BEGIN are one transaction."""
        kept = self._kept()
        if " database " in f" {sql.lower()} ":
            while kept:  # a database that is dropped, renamed or copied must have no session
                kept.popitem()[1].close()
        connection = kept.pop(uri, None)
        if connection is None or _gone(connection):
            connection = _connect(uri, NAME)
        try:
            text = _run(connection, sql)
            usable = _clean(connection)
        except BaseException:
            connection.close()
            raise
        if usable:
            kept[uri] = connection
            if len(kept) > KEPT:
                kept.popitem(last=False)[1].close()
        else:
            connection.close()
        return text

    def _kept(self):
        if not hasattr(self.threads, "kept"):
            self.threads.kept = collections.OrderedDict()
        return self.threads.kept


def ask_once(uri, sql):
    """In a session that ends: for logins and settings of logins, which hold from the next session on."""
    connection = _connect(uri, "psql")
    try:
        return _run(connection, sql)
    finally:
        connection.close()


def _connect(uri, name):
    try:
        connection = psycopg2.connect(uri, fallback_application_name=name)
    except psycopg2.Error as error:
        raise SqlError(str(error)) from None
    connection.autocommit = True
    register_type(AS_TEXT, connection)
    return connection


def _run(connection, sql):
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else []
    except psycopg2.Error as error:
        raise SqlError(error.pgerror or str(error)) from None
    return "\n".join("|".join("" if value is None else value for value in row) for row in rows).rstrip("\n")


def _gone(connection):
    """A server that ends says so, or closes; nothing else comes unasked."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _clean(connection):
    """As a new session, with its counters reported, as those of a session that ended; False where that cannot be had."""
    if connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
            cursor.execute("SELECT pg_stat_force_next_flush()")
    except psycopg2.Error:
        return False
    return True
