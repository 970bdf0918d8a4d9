"""Sweeps that stop halfway, so that a test can look at what they say meanwhile."""

import contextlib

ROW = ("min_users_for_item int, min_items_for_user int, max_items_for_user int, max_row_number bigint, "
       "rated_since timestamptz, rated_until timestamptz, genres text[], min_rating real, sample_users real")


@contextlib.contextmanager
def sweep_waits(place, statement, at):
    """A sweep over min_rating runs `statement` before it goes over the ratings for the value `at`."""
    place.psql("alter function trivet.filter_parameters(jsonb) rename to filter_parameters_kept")
    place.psql(f"create function trivet.filter_parameters(jsonb) returns table ({ROW}) language plpgsql as $$ begin "
               f"if $1 ->> 'min_rating' = '{at}' then perform {statement}; end if; "
               "return query select * from trivet.filter_parameters_kept($1); end $$")
    try:
        yield
    finally:
        place.psql("drop function trivet.filter_parameters(jsonb)")
        place.psql("alter function trivet.filter_parameters_kept(jsonb) rename to filter_parameters")
