-- 003_filter: THE filter, trivet.user_item: who and what a model is learned from; and trivet.evidence, what
-- everybody's factors are computed from.
--
-- They are built from smaller functions, so that each rule is written once: chosen_ratings and chosen_rows (conditions on
-- rows), kept_items and kept_users (the two cuts). Here they take the values of all parameters as one (the type
-- trivet.filter_values), and their names end in _of; 019_calls.sql has them with parameters by name. All are written so that
-- Postgres inlines them into the query that calls them: LANGUAGE sql, STABLE, schema-qualified, neither STRICT nor SECURITY
-- DEFINER nor SET; EXPLAIN shows no Function Scan. They are PARALLEL SAFE, or a query that calls them would never get a
-- parallel plan.
--
-- Rows are filtered through hashed subplans, (x IN (SELECT ...)) IS TRUE, before they are grouped: on a million
-- rows that takes about half a second at the defaults. Grouping first and joining afterwards took 45 s there.

create or replace function trivet.chosen_ratings_of(given trivet.filter_values)
returns table (user_id bigint, item_id bigint, value real, rated_at timestamptz)
language sql stable parallel safe as $$
    select r.user_id, r.item_id, r.value, r.rated_at
    from trivet.rating r
    where (select trivet.check_snapshot())
      and (given.rated_since is null or r.rated_at >= given.rated_since)
      and (given.rated_until is null or r.rated_at < given.rated_until)
      and (given.min_rating is null or r.value >= given.min_rating)
      and (given.genres is null or (r.item_id in (
              select i.item_id from trivet.item i where i.genres && given.genres)) is true)
$$;
comment on function trivet.chosen_ratings_of(trivet.filter_values) is
'The rating rows that meet the conditions on rows: rated_since <= rated_at < rated_until, genres (any of), min_rating.';

create or replace function trivet.chosen_rows_of(given trivet.filter_values)
returns table (user_id bigint, item_id bigint, value real)
language sql stable parallel safe as $$
    select c.user_id, c.item_id, c.value from trivet.chosen_ratings_of(given) c
$$;
comment on function trivet.chosen_rows_of(trivet.filter_values) is
'trivet.chosen_ratings without their times: what the filter counts and models learn from.';

create or replace function trivet.kept_items_of(given trivet.filter_values) returns table (movieid bigint)
language sql stable parallel safe as $$
    select c.item_id from trivet.chosen_rows_of(given) c
    group by c.item_id having count(*) > given.min_users_for_item
$$;
comment on function trivet.kept_items_of(trivet.filter_values) is
'The item cut: items with MORE than min_users_for_item rating rows, counted before the user cut.';

create or replace function trivet.kept_users_of(given trivet.filter_values) returns table (userid bigint)
language sql stable parallel safe as $$
    select c.user_id from trivet.chosen_rows_of(given) c
    where given.sample_users >= 1
       or (hashint8extended(c.user_id, 0) & 2147483647) < given.sample_users::float8 * 2147483648
    group by c.user_id having count(*) between given.min_items_for_user and given.max_items_for_user
$$;
comment on function trivet.kept_users_of(trivet.filter_values) is
'The user cut: users with min_items_for_user to max_items_for_user rating rows, both inclusive, counted before the item
cut; of them the share sample_users, by a stable hash of the id.';

create or replace function trivet.user_item_of(given trivet.filter_values)
returns table (userid bigint, movieid bigint, rating real)
language sql stable parallel safe as $$
    select c.user_id, c.item_id, avg(c.value)::real
    from trivet.chosen_rows_of(given) c
    where trivet.check_filter_of(given)
      and (c.item_id in (select i.movieid from trivet.kept_items_of(given) i)) is true
      and (c.user_id in (select u.userid from trivet.kept_users_of(given) u)) is true
    group by c.user_id, c.item_id
    order by c.user_id, c.item_id
    limit given.max_row_number
$$;
comment on function trivet.user_item_of(trivet.filter_values) is
'The filter: the (user, item, rating) a model is learned from.
First the conditions on rows: rated_since <= rated_at < rated_until, genres (any of), min_rating. Then, both counted
on those rows before either cut: an item stays if it has more than min_users_for_item rating rows, a user if theirs
are between min_items_for_user and max_items_for_user (rows, not pairs; so a kept user can end with fewer). Then
a share of the users (sample_users, by a stable hash of the id), the average a pair, and at most max_row_number rows
in (userid, movieid) order, so that two runs agree.
    select * from trivet.user_item(max_items_for_user => 200);';

create or replace function trivet.evidence_of(given trivet.filter_values)
returns table (userid bigint, movieid bigint, rating real)
language sql stable parallel safe as $$
    select c.user_id, c.item_id, avg(c.value)::real
    from trivet.chosen_rows_of(trivet.filter_evidence(given)) c
    group by c.user_id, c.item_id
$$;
comment on function trivet.evidence_of(trivet.filter_values) is
'What a user''s factors are computed from: the average of every pair, without thresholds. Conditions on rows hold as
in trivet.user_item; thresholds, sample, row limit and rated_until only decide what is learned.';
