-- 002_filter_values: the filter's parameters, as the functions of the files that follow know them: the type
-- trivet.filter_values, the table of the parameters, their defaults, their ranges.
-- Made by tools/filter_sql.c from include/trivet/model/filter_parameters.def, which is the place to change:
--     cmake --build build --target filter-sql

-- A database that has been in use keeps the type, because functions take it: what is new is added to it.
do $$
declare
    wanted constant text[] := array[
        'min_users_for_item ' || format_type('int'::regtype, null),
        'min_items_for_user ' || format_type('int'::regtype, null),
        'max_items_for_user ' || format_type('int'::regtype, null),
        'max_row_number ' || format_type('bigint'::regtype, null),
        'rated_since ' || format_type('timestamptz'::regtype, null),
        'rated_until ' || format_type('timestamptz'::regtype, null),
        'genres ' || format_type('text[]'::regtype, null),
        'min_rating ' || format_type('real'::regtype, null),
        'sample_users ' || format_type('real'::regtype, null)];
    found text[];
    same int := 0;
    changes text;
begin
    if to_regtype('trivet.filter_values') is null then
        execute format('create type trivet.filter_values as (%s)', array_to_string(wanted, ', '));
        return;
    end if;
    found := array(select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) from pg_attribute a
                   where a.attrelid = 'trivet.filter_values'::regclass and a.attnum > 0 and not a.attisdropped
                   order by a.attnum);
    while found[same + 1] = wanted[same + 1] loop
        same := same + 1;
    end loop;
    select string_agg(t.change, ', ' order by t.nr) into changes
    from (select 0, 'drop attribute ' || split_part(f, ' ', 1) from unnest(found) with ordinality u (f, nr) where nr > same
          union all
          select nr, 'add attribute ' || w from unnest(wanted) with ordinality u (w, nr) where nr > same) t (nr, change);
    if changes is not null then
        execute 'alter type trivet.filter_values ' || changes;
    end if;
end
$$;
comment on type trivet.filter_values is
'A value for each parameter of trivet.user_item: what the functions whose names end in _of hand around.';

create or replace function trivet.filter_table()
returns table (nr int, name text, type text, step int, in_evidence boolean, or_null boolean, lowest float8, highest float8,
               above boolean, wanted text)
language sql immutable parallel safe as $$
    values
        (1, 'min_users_for_item', 'int', 5, false, false, 0, 2147483647, false, 'an integer from 0'),
        (2, 'min_items_for_user', 'int', 6, false, false, 0, 2147483647, false, 'an integer from 0'),
        (3, 'max_items_for_user', 'int', 6, false, false, 0, 2147483647, false, 'an integer from 0'),
        (4, 'max_row_number', 'bigint', 9, false, false, 1, null, false, 'an integer from 1'),
        (5, 'rated_since', 'timestamptz', 2, true, true, null, null, false, 'a time, as 2015-04-01, or null'),
        (6, 'rated_until', 'timestamptz', 2, false, true, null, null, false, 'a time, as 2015-04-01, or null'),
        (7, 'genres', 'text[]', 4, true, true, null, null, false, 'a list of genres, as {Drama,Comedy}, or null'),
        (8, 'min_rating', 'real', 3, true, true, null, null, false, 'a number or null'),
        (9, 'sample_users', 'real', 7, false, false, 0, 1, true, 'a fraction above 0, at most 1')
$$;
comment on function trivet.filter_table() is
'The parameters of trivet.user_item in their order: name, type, the step of trivet.funnel that each acts in (2 to 4: a condition
on rows), whether users are folded in by it, whether it may be null, its range (null: that of its type), and in words what it must be.';

create or replace function trivet.filter_defaults() returns trivet.filter_values
language sql immutable parallel safe as $$
    select row(10, 3, 50, 100000, null, null, null, null, 1)::trivet.filter_values
$$;
comment on function trivet.filter_defaults() is 'The filter''s defaults.';

create or replace function trivet.filter_evidence(given trivet.filter_values) returns trivet.filter_values
language sql immutable parallel safe as $$
    select row(10, 3, 50, 100000, given.rated_since, null, given.genres, given.min_rating,
        1)::trivet.filter_values
$$;
comment on function trivet.filter_evidence(trivet.filter_values) is
'The conditions on rows that users are folded in by; all else at its default.';

create or replace function trivet.filter_up_to(step int, given trivet.filter_values) returns trivet.filter_values
language sql immutable parallel safe as $$
    select row(
        case when step >= 5 then given.min_users_for_item else 10 end,
        case when step >= 6 then given.min_items_for_user else 3 end,
        case when step >= 6 then given.max_items_for_user else 50 end,
        case when step >= 9 then given.max_row_number else 100000 end,
        case when step >= 2 then given.rated_since else null end,
        case when step >= 2 then given.rated_until else null end,
        case when step >= 4 then given.genres else null end,
        case when step >= 3 then given.min_rating else null end,
        case when step >= 7 then given.sample_users else 1 end)::trivet.filter_values
$$;
comment on function trivet.filter_up_to(int, trivet.filter_values) is
'What acts up to a step of trivet.funnel; all else at its default.';

create or replace function trivet.filter_texts(given trivet.filter_values) returns text[]
language sql stable parallel safe as $$
    select array[given.min_users_for_item::text, given.min_items_for_user::text, given.max_items_for_user::text,
                 given.max_row_number::text, given.rated_since::text, given.rated_until::text,
                 given.genres::text, given.min_rating::text, given.sample_users::text]
$$;
comment on function trivet.filter_texts(trivet.filter_values) is 'The values as text, in the order of trivet.filter_table.';

create or replace function trivet.check_filter_of(given trivet.filter_values) returns boolean
language plpgsql immutable parallel safe as $$
begin
    if given.min_users_for_item is null or given.min_users_for_item < 0 then
        raise exception 'min_users_for_item is %, but must be an integer from 0', coalesce(given.min_users_for_item::text, 'null')
            using column = 'min_users_for_item', errcode = 'TV001';
    elsif given.min_items_for_user is null or given.min_items_for_user < 0 then
        raise exception 'min_items_for_user is %, but must be an integer from 0', coalesce(given.min_items_for_user::text, 'null')
            using column = 'min_items_for_user', errcode = 'TV001';
    elsif given.max_items_for_user is null or given.max_items_for_user < given.min_items_for_user then
        raise exception 'max_items_for_user is %, but must be at least min_items_for_user, which is %',
            coalesce(given.max_items_for_user::text, 'null'), given.min_items_for_user using column = 'max_items_for_user', errcode = 'TV001';
    elsif given.max_row_number is null or given.max_row_number < 1 then
        raise exception 'max_row_number is %, but must be an integer from 1', coalesce(given.max_row_number::text, 'null')
            using column = 'max_row_number', errcode = 'TV001';
    elsif given.sample_users is null or not (given.sample_users > 0 and given.sample_users <= 1) then
        raise exception 'sample_users is %, but must be a fraction above 0, at most 1', coalesce(given.sample_users::text, 'null')
            using column = 'sample_users', errcode = 'TV001';
    end if;
    return true;
end
$$;
comment on function trivet.check_filter_of(trivet.filter_values) is
'True, or an error that names the parameter of trivet.user_item that is out of its range.';
