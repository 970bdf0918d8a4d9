-- 019_calls: the filter's functions as people and programs call them, each parameter by its name, with its default.
-- Made by tools/filter_sql.c from include/trivet/model/filter_parameters.def, which is the place to change:
--     cmake --build build --target filter-sql

-- Each hands its values on as one, so that Postgres inlines both it and what it calls.

create or replace function trivet.check_filter(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    sample_users real = 1
) returns boolean
language sql immutable parallel safe as $$
    select trivet.check_filter_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        null, null, null, null, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.chosen_ratings(
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null
) returns table (user_id bigint, item_id bigint, value real, rated_at timestamptz)
language sql stable parallel safe as $$
    select * from trivet.chosen_ratings_of(row(10, 3, 50, 100000, rated_since, rated_until, genres, min_rating, 1)::trivet.filter_values)
$$;

create or replace function trivet.chosen_rows(
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null
) returns table (user_id bigint, item_id bigint, value real)
language sql stable parallel safe as $$
    select * from trivet.chosen_rows_of(row(10, 3, 50, 100000, rated_since, rated_until, genres, min_rating, 1)::trivet.filter_values)
$$;

create or replace function trivet.kept_items(
    min_users_for_item int = 10,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null
) returns table (movieid bigint)
language sql stable parallel safe as $$
    select * from trivet.kept_items_of(row(min_users_for_item, 3, 50, 100000, rated_since, rated_until, genres,
        min_rating, 1)::trivet.filter_values)
$$;

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
    select * from trivet.kept_users_of(row(10, min_items_for_user, max_items_for_user, 100000, rated_since, rated_until,
        genres, min_rating, sample_users)::trivet.filter_values)
$$;

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
    select * from trivet.user_item_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.evidence(
    rated_since timestamptz = null,
    genres text[] = null,
    min_rating real = null
) returns table (userid bigint, movieid bigint, rating real)
language sql stable parallel safe as $$
    select * from trivet.evidence_of(row(10, 3, 50, 100000, rated_since, null, genres, min_rating, 1)::trivet.filter_values)
$$;

create or replace function trivet.sparsity(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (row_count bigint, users bigint, items bigint, user_ids bigint, item_ids bigint,
               users_without_activity float8, items_without_views float8, density float8)
language sql stable parallel safe as $$
    select * from trivet.sparsity_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.why_empty(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (step text, suggestion text)
language sql stable parallel safe as $$
    select * from trivet.why_empty_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.filter_values(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns jsonb
language sql stable parallel safe as $$
    select trivet.filter_values_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.core(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (userids bigint[], movieids bigint[])
language sql stable parallel restricted as $$
    select * from trivet.core_of(row(min_users_for_item, min_items_for_user, max_items_for_user, 100000,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.user_item_core(
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
language sql stable parallel restricted as $$
    select * from trivet.user_item_core_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.funnel(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (step int, name text, row_count bigint, users bigint, items bigint, density float8,
               removed_rows bigint, removed_users bigint, removed_items bigint, users_below_minimum bigint,
               limit_cut boolean, note text, parameters jsonb)
language sql stable parallel restricted as $$
    select * from trivet.funnel_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.sweep_counts(min_users_for_item int[], min_items_for_user int[], max_items_for_user int[], 
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (min_users int, min_items int, max_items int, row_count bigint, users bigint, items bigint, limit_cut boolean)
language sql stable parallel restricted as $$
    select * from trivet.sweep_counts_of(min_users_for_item, min_items_for_user, max_items_for_user, row(10, 3, 50, max_row_number, rated_since, rated_until, genres, min_rating,
        sample_users)::trivet.filter_values)
$$;

create or replace function trivet.sweep(x text, x_values text[], y text = null, y_values text[] = null, 
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (x_place int, y_place int, x_value text, y_value text, row_count bigint, users bigint, items bigint,
               density float8, share_of_rows float8, share_of_users float8, limit_cut boolean, parameters jsonb)
language sql stable parallel unsafe as $$
    select * from trivet.sweep_of(x, x_values, y, y_values, row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.activity_of_users(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (count bigint, how_many bigint, cumulative_share float8, share_of_rows float8, quantiles float8[], kept boolean)
language sql stable parallel safe as $$
    select * from trivet.activity_of_users_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.activity_of_items(
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (count bigint, how_many bigint, cumulative_share float8, share_of_rows float8, quantiles float8[], kept boolean)
language sql stable parallel safe as $$
    select * from trivet.activity_of_items_of(row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.why_item(id bigint, 
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (item_id bigint, title text, kept boolean, step int, name text, counted bigint, threshold bigint, reason text)
language sql stable parallel restricted as $$
    select * from trivet.why_item_of(id, row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.why_user(id bigint, 
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1
) returns table (user_id bigint, kept boolean, step int, name text, counted bigint, threshold bigint, reason text)
language sql stable parallel restricted as $$
    select * from trivet.why_user_of(id, row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values)
$$;

create or replace function trivet.save_preset(name text, 
    min_users_for_item int = 10,
    min_items_for_user int = 3,
    max_items_for_user int = 50,
    max_row_number bigint = 100000,
    rated_since timestamptz = null,
    rated_until timestamptz = null,
    genres text[] = null,
    min_rating real = null,
    sample_users real = 1, note text = null, replace boolean = false
) returns jsonb
language sql volatile as $$
    select trivet.save_preset_of(name, row(min_users_for_item, min_items_for_user, max_items_for_user, max_row_number,
        rated_since, rated_until, genres, min_rating, sample_users)::trivet.filter_values, note, replace)
$$;

-- What each does is said where it is done.
do $$
declare
    f record;
begin
    for f in select p.oid::regprocedure as by_name, obj_description(o.oid, 'pg_proc') as text
             from pg_proc p join pg_proc o on o.pronamespace = p.pronamespace and o.proname = p.proname || '_of'
             where p.pronamespace = 'trivet'::regnamespace
    loop
        execute format('comment on function %s is %L', f.by_name, f.text);
    end loop;
end
$$;
