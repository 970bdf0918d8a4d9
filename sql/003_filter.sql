-- 003_filter: THE filter, trivet.user_item: who and what a model is learned from; and trivet.evidence, what
-- everybody's factors are computed from.
--
-- They are built from smaller functions, so that each rule is written once: chosen_ratings and chosen_rows (conditions on
-- rows), kept_items and kept_users (the two cuts). All are written so that Postgres inlines them into the query that calls
-- them: LANGUAGE sql, STABLE, schema-qualified, neither STRICT nor SECURITY DEFINER nor SET; EXPLAIN shows no Function
-- Scan. They are PARALLEL SAFE, or a query that calls them would never get a parallel plan.
--
-- Rows are filtered through hashed subplans, (x IN (SELECT ...)) IS TRUE, before they are grouped: on a million
-- rows that takes about half a second at the defaults. Grouping first and joining afterwards took 45 s there.

create or replace function trivet.check_filter(
    min_users_for_item int, min_items_for_user int, max_items_for_user int, max_row_number bigint,
    sample_users real
) returns boolean
language plpgsql immutable parallel safe as $$
begin
    if min_users_for_item is null or min_users_for_item < 0 then
        raise exception 'min_users_for_item is %, but must be an integer from 0', coalesce(min_users_for_item::text, 'null');
    elsif min_items_for_user is null or min_items_for_user < 0 then
        raise exception 'min_items_for_user is %, but must be an integer from 0', coalesce(min_items_for_user::text, 'null');
    elsif max_items_for_user is null or max_items_for_user < min_items_for_user then
        raise exception 'max_items_for_user is %, but must be at least min_items_for_user, which is %', coalesce(max_items_for_user::text, 'null'), min_items_for_user;
    elsif max_row_number is null or max_row_number < 1 then
        raise exception 'max_row_number is %, but must be an integer from 1', coalesce(max_row_number::text, 'null');
    elsif sample_users is null or not (sample_users > 0 and sample_users <= 1) then
        raise exception 'sample_users is %, but must be a fraction above 0, at most 1', coalesce(sample_users::text, 'null');
    end if;
    return true;
end
$$;
comment on function trivet.check_filter(int, int, int, bigint, real) is
    'True, or an error that names the parameter of trivet.user_item that is out of its range.';

create or replace function trivet.chosen_ratings(
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null
) returns table (user_id bigint, item_id bigint, value real, rated_at timestamptz)
language sql stable parallel safe as $$
    select r.user_id, r.item_id, r.value, r.rated_at
    from trivet.rating r
    where (chosen_ratings.rated_since is null or r.rated_at >= chosen_ratings.rated_since)
      and (chosen_ratings.rated_until is null or r.rated_at < chosen_ratings.rated_until)
      and (chosen_ratings.min_rating is null or r.value >= chosen_ratings.min_rating)
      and (chosen_ratings.genres is null or (r.item_id in (
              select i.item_id from trivet.item i where i.genres && chosen_ratings.genres)) is true)
$$;
comment on function trivet.chosen_ratings(timestamptz, timestamptz, text[], real) is
'The rating rows that meet the conditions on rows: rated_since <= rated_at < rated_until, genres (any of), min_rating.';

create or replace function trivet.chosen_rows(
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null
) returns table (user_id bigint, item_id bigint, value real)
language sql stable parallel safe as $$
    select c.user_id, c.item_id, c.value
    from trivet.chosen_ratings(chosen_rows.rated_since, chosen_rows.rated_until, chosen_rows.genres, chosen_rows.min_rating) c
$$;
comment on function trivet.chosen_rows(timestamptz, timestamptz, text[], real) is
'trivet.chosen_ratings without their times: what the filter counts and models learn from.';

create or replace function trivet.kept_items(
    min_users_for_item int = 10,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null
) returns table (movieid bigint)
language sql stable parallel safe as $$
    select c.item_id
    from trivet.chosen_rows(kept_items.rated_since, kept_items.rated_until, kept_items.genres, kept_items.min_rating) c
    group by c.item_id having count(*) > kept_items.min_users_for_item
$$;
comment on function trivet.kept_items(int, timestamptz, timestamptz, text[], real) is
'The item cut: items with MORE than min_users_for_item rating rows, counted before the user cut.';

create or replace function trivet.kept_users(
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (userid bigint)
language sql stable parallel safe as $$
    select c.user_id
    from trivet.chosen_rows(kept_users.rated_since, kept_users.rated_until, kept_users.genres, kept_users.min_rating) c
    where kept_users.sample_users >= 1
       or (hashint8extended(c.user_id, 0) & 2147483647) < kept_users.sample_users::float8 * 2147483648
    group by c.user_id having count(*) between kept_users.min_items_for_user and kept_users.max_items_for_user
$$;
comment on function trivet.kept_users(int, int, timestamptz, timestamptz, text[], real, real) is
'The user cut: users with min_items_for_user to max_items_for_user rating rows, both inclusive, counted before the item
cut; of them the share sample_users, by a stable hash of the id.';

create or replace function trivet.user_item(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (userid bigint, movieid bigint, rating real)
language sql stable parallel safe as $$
    select c.user_id, c.item_id, avg(c.value)::real
    from trivet.chosen_rows(user_item.rated_since, user_item.rated_until, user_item.genres, user_item.min_rating) c
    where trivet.check_filter(user_item.min_users_for_item, user_item.min_items_for_user,
                              user_item.max_items_for_user, user_item.max_row_number, user_item.sample_users)
      and (c.item_id in (
              select i.movieid from trivet.kept_items(user_item.min_users_for_item, user_item.rated_since,
                  user_item.rated_until, user_item.genres, user_item.min_rating) i)) is true
      and (c.user_id in (
              select u.userid from trivet.kept_users(user_item.min_items_for_user, user_item.max_items_for_user,
                  user_item.rated_since, user_item.rated_until, user_item.genres, user_item.min_rating,
                  user_item.sample_users) u)) is true
    group by c.user_id, c.item_id
    order by c.user_id, c.item_id
    limit user_item.max_row_number
$$;
comment on function trivet.user_item(int, int, int, bigint, timestamptz, timestamptz, text[], real, real) is
'The filter: the (user, item, rating) a model is learned from.
First the conditions on rows: rated_since <= rated_at < rated_until, genres (any of), min_rating. Then, both counted
on those rows before either cut: an item stays if it has more than min_users_for_item rating rows, a user if theirs
are between min_items_for_user and max_items_for_user (rows, not pairs; so a kept user can end with fewer). Then
a share of the users (sample_users, by a stable hash of the id), the average a pair, and at most max_row_number rows
in (userid, movieid) order, so that two runs agree.
    select * from trivet.user_item(max_items_for_user => 200);';

create or replace function trivet.evidence(
    rated_since timestamptz = null,
    genres text[] = null,
    min_rating real = null
) returns table (userid bigint, movieid bigint, rating real)
language sql stable parallel safe as $$
    select c.user_id, c.item_id, avg(c.value)::real
    from trivet.chosen_rows(evidence.rated_since, null, evidence.genres, evidence.min_rating) c
    group by c.user_id, c.item_id
$$;
comment on function trivet.evidence(timestamptz, text[], real) is
'What a user''s factors are computed from: the average of every pair, without thresholds. Conditions on rows hold as
in trivet.user_item; thresholds, sample, row limit and rated_until only decide what is learned.';
