-- 009_values: the values of the filter's parameters as JSON and as text, checked one by one: what funnel, sweep, presets
-- and the journal have in common.

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
    select jsonb_build_object(
        'min_users_for_item', filter_values.min_users_for_item, 'min_items_for_user', filter_values.min_items_for_user,
        'max_items_for_user', filter_values.max_items_for_user, 'max_row_number', filter_values.max_row_number,
        'rated_since', filter_values.rated_since, 'rated_until', filter_values.rated_until,
        'genres', filter_values.genres, 'min_rating', filter_values.min_rating,
        'sample_users', filter_values.sample_users)
$$;
comment on function trivet.filter_values(int, int, int, bigint, timestamptz, timestamptz, text[], real, real) is
'The values of the filter''s parameters as one JSON object, defaults included: as in trivet.run.filter and trivet.preset.values.';

create or replace function trivet.readable(n bigint) returns text
language sql immutable parallel safe as $$ select to_char(readable.n, 'FM9,999,999,999,999,999,990') $$;
comment on function trivet.readable(bigint) is 'A count as people write it: 1,000,209.';

create or replace function trivet.filter_value(name text, value text) returns jsonb
language plpgsql stable parallel safe as $$
declare
    wanted text;
    result jsonb;
begin
    wanted := case
        when name in ('min_users_for_item', 'min_items_for_user', 'max_items_for_user') then 'an integer from 0'
        when name = 'max_row_number' then 'an integer from 1'
        when name in ('rated_since', 'rated_until') then 'a time, as 2015-04-01, or null'
        when name = 'genres' then 'a list of genres, as {Drama,Comedy}, or null'
        when name = 'min_rating' then 'a number or null'
        when name = 'sample_users' then 'a fraction above 0, at most 1'
    end;
    if wanted is null then
        raise exception 'the filter has no parameter "%"', coalesce(name, 'null')
            using hint = 'its parameters are min_users_for_item, min_items_for_user, max_items_for_user, '
                         'max_row_number, rated_since, rated_until, genres, min_rating, sample_users';
    end if;
    if value is null then
        result := case when wanted like '%null' then 'null' end;
    else
        result := case
            when name = 'max_row_number' then to_jsonb(value::bigint)
            when wanted = 'an integer from 0' then to_jsonb(value::int)
            when name in ('rated_since', 'rated_until') then to_jsonb(value::timestamptz)
            when name = 'genres' then to_jsonb(value::text[])
            else to_jsonb(value::real)
        end;
        if jsonb_typeof(result) = 'number'
           and (wanted = 'an integer from 0' and result < '0' or name = 'max_row_number' and result < '1'
                or name = 'sample_users' and (result <= '0' or result > '1'))
           or name in ('sample_users', 'min_rating') and jsonb_typeof(result) <> 'number' then
            result := null;
        end if;
    end if;
    if result is null then
        raise exception '% is %, but must be %', name, coalesce('"' || value || '"', 'null'), wanted;
    end if;
    return result;
exception when data_exception then
    raise exception '% is "%", but must be %', name, value, wanted;
end
$$;
comment on function trivet.filter_value(text, text) is
'The value of one filter parameter as JSON, or an error that names the parameter and says what it must be.';

create or replace function trivet.filter_parameters("values" jsonb)
returns table (min_users_for_item int, min_items_for_user int, max_items_for_user int, max_row_number bigint,
               rated_since timestamptz, rated_until timestamptz, genres text[], min_rating real, sample_users real)
language plpgsql stable parallel safe as $$
#variable_conflict use_column
declare
    given record;
begin
    if jsonb_typeof("values") is distinct from 'object' then
        raise exception 'the values of a filter must be a JSON object, not %', coalesce("values"::text, 'null');
    end if;
    for given in select key, value from jsonb_each("values") loop
        perform trivet.filter_value(given.key, case when jsonb_typeof(given.value) = 'array'
            then (select array_agg(t)::text from jsonb_array_elements_text(given.value) t)
            else given.value #>> '{}' end);
    end loop;
    return query
    select p.* from jsonb_to_record(trivet.filter_values() || "values")
        as p (min_users_for_item int, min_items_for_user int, max_items_for_user int, max_row_number bigint,
              rated_since timestamptz, rated_until timestamptz, genres text[], min_rating real, sample_users real);
end
$$;
comment on function trivet.filter_parameters(jsonb) is
'A JSON object of filter parameters as one row with a column for each, ready to be given to trivet.user_item. A parameter
that is missing has its default; a wrong name or value is refused by name.
    select f.* from trivet.preset p, trivet.filter_parameters(p.values) f;';
