"""Questions of the lab that wait, and sweeps that stop halfway, so that a test can look at what they say meanwhile."""

import contextlib

import psycopg2


@contextlib.contextmanager
def nobody_reads(place):
    """A question about ratings waits: another session has locked the table."""
    connection = psycopg2.connect(place.postgres_uri)
    try:
        connection.cursor().execute("lock table trivet.rating")
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def sweep_waits(place, statement, at):
    """A sweep over min_rating runs `statement` before it goes over the ratings for the value `at`."""
    place.psql("alter function trivet.filter_parameters(jsonb) rename to filter_parameters_kept")
    place.psql("create function trivet.filter_parameters(jsonb) returns trivet.filter_values language plpgsql as $$ begin "
               f"if $1 ->> 'min_rating' = '{at}' then perform {statement}; end if; "
               "return trivet.filter_parameters_kept($1); end $$")
    try:
        yield
    finally:
        place.psql("drop function trivet.filter_parameters(jsonb)")
        place.psql("alter function trivet.filter_parameters_kept(jsonb) rename to filter_parameters")
