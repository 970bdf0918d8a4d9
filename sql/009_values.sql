-- 009_values: the values of the filter's parameters as JSON and as text, checked one by one: what funnel, sweep, presets
-- and the journal have in common.

create or replace function trivet.filter_values_of(given trivet.filter_values) returns jsonb
language sql stable parallel safe as $$ select to_jsonb(given) $$;
comment on function trivet.filter_values_of(trivet.filter_values) is
'The values of the filter''s parameters as one JSON object, defaults included: as in trivet.run.filter and trivet.preset.values.';

create or replace function trivet.readable(n bigint) returns text
language sql immutable parallel safe as $$ select to_char(readable.n, 'FM9,999,999,999,999,999,990') $$;
comment on function trivet.readable(bigint) is 'A count as people write it: 1,000,209.';

-- PARALLEL UNSAFE, and so is all that calls it: catching an error takes a subtransaction, which a parallel query cannot start.
create or replace function trivet.filter_value(name text, value text) returns jsonb
language plpgsql stable parallel unsafe as $$
#variable_conflict use_variable
declare
    p record;
    result jsonb;
begin
    select * into p from trivet.filter_table() t where t.name = filter_value.name;
    if not found then
        raise exception 'the filter has no parameter "%"', coalesce(name, 'null')
            using hint = 'its parameters are ' || (select string_agg(t.name, ', ' order by t.nr) from trivet.filter_table() t), errcode = 'TV001';
    end if;
    if value is null then
        result := case when p.or_null then 'null' end;
    else
        execute format('select to_jsonb($1::%s)', p.type) into result using value;
        if (p.type = 'real' and jsonb_typeof(result) <> 'number')
           or (p.lowest is not null and jsonb_typeof(result) = 'number'
               and (result::float8 < p.lowest or result::float8 > p.highest or p.above and result::float8 = p.lowest)) then
            result := null;
        end if;
    end if;
    if result is null then
        raise exception '% is %, but must be %', name, coalesce('"' || value || '"', 'null'), p.wanted using column = name, errcode = 'TV001';
    end if;
    return result;
exception when data_exception then
    raise exception '% is "%", but must be %', name, value, p.wanted using column = name, errcode = 'TV001';
end
$$;
comment on function trivet.filter_value(text, text) is
'The value of one filter parameter as JSON, or an error that names the parameter and says what it must be.';

-- Of older schemas: it gave a table, whose columns could not become more.
do $$
declare
    older regprocedure;
begin
    for older in select p.oid from pg_proc p
                 where p.oid in (to_regprocedure('trivet.filter_parameters(jsonb)'), to_regprocedure('trivet.preset_values(text)'))
                   and p.prorettype = 'record'::regtype
    loop
        begin
            execute format('drop function %s', older);
        exception when dependent_objects_still_exist then -- trivet-etl schema drops it once nobody uses it (lib/schema/signatures.h)
            execute format('alter function %s rename to %I', older,
                           (select format('%s_before_%s', p.proname, p.oid) from pg_proc p where p.oid = older));
        end;
    end loop;
end
$$;

create or replace function trivet.filter_parameters("values" jsonb) returns trivet.filter_values
language plpgsql stable parallel unsafe as $$
declare
    given record;
begin
    if jsonb_typeof("values") is distinct from 'object' then
        raise exception 'the values of a filter must be a JSON object, not %', coalesce("values"::text, 'null') using errcode = 'TV001';
    end if;
    for given in select key, value from jsonb_each("values") loop
        perform trivet.filter_value(given.key, case when jsonb_typeof(given.value) = 'array'
            then (select array_agg(t)::text from jsonb_array_elements_text(given.value) t)
            else given.value #>> '{}' end);
    end loop;
    return jsonb_populate_record(trivet.filter_defaults(), "values");
end
$$;
comment on function trivet.filter_parameters(jsonb) is
'A JSON object of filter parameters as one row with a column for each, ready to be given to trivet.user_item. A parameter
that is missing has its default; a wrong name or value is refused by name.
    select f.* from trivet.preset p, trivet.filter_parameters(p.values) f;';
