-- 015_presets: values of the filter with a name. A preset is never overwritten in silence, and the journal keeps the values
-- of a training, not only the name.

create or replace function trivet.is_preset_name(name text) returns boolean
language sql immutable parallel safe as $$
    select name ~ '^[^[:cntrl:]]{1,100}$' and name = btrim(name) and name !~ '^[0-9]+$' and name <> 'live'
$$;
comment on function trivet.is_preset_name(text) is
'Whether a preset may have this name: 1 to 100 characters without spaces around them; not a number and not "live", which mean
runs wherever a filter is named.';

create table if not exists trivet.preset (
    name       text primary key check (trivet.is_preset_name(name)),
    author     text not null default session_user,
    note       text,
    created_at timestamptz not null default now(),
    "values"   jsonb not null
);
comment on table trivet.preset is 'Named values of the filter''s parameters. Use trivet.save_preset and trivet.drop_preset.';
comment on column trivet.preset.name is 'What it is called; see trivet.is_preset_name.';
comment on column trivet.preset.author is 'The login that saved it.';
comment on column trivet.preset.note is 'What it is for.';
comment on column trivet.preset.created_at is 'When it was saved.';
comment on column trivet.preset."values" is 'All parameters of trivet.user_item with their values, as in trivet.run.filter.';

create or replace function trivet.save_preset_of(name text, given trivet.filter_values, note text, replace boolean)
returns jsonb
language plpgsql as $$
#variable_conflict use_column
declare
    chosen constant jsonb := to_jsonb(given);
    old trivet.preset;
begin
    perform trivet.check_filter_of(given);
    if trivet.is_preset_name(save_preset_of.name) is not true then
        raise exception 'name is %, but must be 1 to 100 characters, without spaces around them, no number and not "live"',
            coalesce('"' || save_preset_of.name || '"', 'null') using errcode = 'TV001';
    end if;
    insert into trivet.preset (name, note, "values") values (save_preset_of.name, save_preset_of.note, chosen)
    on conflict do nothing;
    if not found then
        select p.* into old from trivet.preset p where p.name = save_preset_of.name for update;
        if not coalesce(save_preset_of.replace, false) then
            raise exception 'preset "%" exists: saved by % on %', old.name, old.author, old.created_at::date
                using hint = 'take another name, or overwrite it with replace => true', errcode = 'unique_violation';
        end if;
        update trivet.preset p
        set author = session_user, note = save_preset_of.note, created_at = now(), "values" = chosen
        where p.name = save_preset_of.name;
        raise notice 'preset "%" of % is replaced; it was %', old.name, old.author, old."values";
    end if;
    return chosen;
end
$$;
comment on function trivet.save_preset_of(text, trivet.filter_values, text, boolean) is
'Saves values of the filter under a name, and returns all of them. An existing name is an error, unless replace is true.
    select trivet.save_preset(''weekend'', max_items_for_user => 200, note => ''for the weekend page'');';

create or replace function trivet.drop_preset(name text) returns jsonb
language plpgsql as $$
declare
    dropped jsonb;
begin
    delete from trivet.preset p where p.name = drop_preset.name returning p."values" into dropped;
    if dropped is null then
        raise exception 'there is no preset %', coalesce('"' || drop_preset.name || '"', 'null')
            using hint = 'select name, author, note from trivet.preset lists them', errcode = 'TV001';
    end if;
    return dropped;
end
$$;
comment on function trivet.drop_preset(text) is 'Deletes a preset and returns its values.';

create or replace function trivet.preset_values(name text) returns trivet.filter_values
language plpgsql stable parallel unsafe as $$
#variable_conflict use_column
declare
    found_values jsonb;
begin
    select p."values" into found_values from trivet.preset p where p.name = preset_values.name;
    if found_values is null then
        raise exception 'there is no preset %', coalesce('"' || preset_values.name || '"', 'null')
            using hint = 'select name, author, note from trivet.preset lists them', errcode = 'TV001';
    end if;
    return trivet.filter_parameters(found_values);
end
$$;
comment on function trivet.preset_values(text) is 'The values of a preset as one row, a column a parameter.';

create or replace function trivet.preset_user_item(name text)
returns table (userid bigint, movieid bigint, rating real)
language plpgsql stable parallel unsafe
set work_mem = '64MB'
set jit = off
set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
    -- In a variable: as a constant it leaves trivet.user_item its hashed subplans.
    p constant trivet.filter_values := trivet.preset_values(preset_user_item.name);
begin
    return query select * from trivet.user_item_of(p);
end
$$;
comment on function trivet.preset_user_item(text) is 'trivet.user_item with the values of a preset.';

create or replace function trivet.items_lost(a text, b text)
returns table (movieid bigint, title text, rating_rows bigint, pairs bigint, step int, name text, reason text)
language plpgsql stable parallel unsafe
set work_mem = '64MB'
set jit = off
set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
    -- Both here, where no query runs yet that could be a parallel one.
    given constant trivet.filter_values := trivet.preset_values(a);
    p constant trivet.filter_values := trivet.preset_values(b);
    everybody constant trivet.filter_values := trivet.filter_up_to(6, p); -- before the sample
begin
    return query
    with of_a as materialized (
        select f.movieid, count(*) as pairs from trivet.user_item_of(given) f group by f.movieid
    ), lost as materialized (
        select o.movieid, o.pairs from of_a o
        where o.movieid not in (select f.movieid from trivet.user_item_of(p) f)
    ), rows_of_lost as (
        select r.item_id, count(*) as n from trivet.rating r
        where (select trivet.check_snapshot()) and (r.item_id in (select l.movieid from lost l)) is true group by r.item_id
    ), in_b as materialized (
        -- As in trivet.why_item, for all of them at once.
        select c.item_id, count(*) as chosen,
               count(*) filter (where (c.user_id in (
                   select k.userid from trivet.kept_users_of(everybody) k)) is true) as of_kept,
               count(*) filter (where (c.user_id in (
                   select k.userid from trivet.kept_users_of(p) k)) is true) as of_sampled
        from trivet.chosen_rows_of(p) c
        where (c.item_id in (select l.movieid from lost l)) is true
        group by c.item_id
    )
    select l.movieid, i.title, n.n, l.pairs, s.step,
           (array['conditions on rows', 'item cut', 'user cut', 'sample', 'pairs', 'row limit'])[s.step - 3],
           case s.step
               when 4 then format('no rating row meets %s', (select regexp_replace(string_agg(t.name, ', ' order by t.step, t.nr), ', (\w+)$', ' and \1')
                                                        from trivet.filter_table() t where t.step <= 4))
               when 5 then format('%s rating rows, not more than %s', trivet.readable(c.chosen),
                                  trivet.readable(p.min_users_for_item))
               when 6 then format('none of %s rating rows is of a user with %s to %s rating rows', trivet.readable(c.chosen),
                                  trivet.readable(p.min_items_for_user), trivet.readable(p.max_items_for_user))
               when 7 then format('none of %s rating rows is of a user in the sample', trivet.readable(c.of_kept))
               else format('all its pairs come after the first %s', trivet.readable(p.max_row_number))
           end
    from lost l join rows_of_lost n on n.item_id = l.movieid left join trivet.item i on i.item_id = l.movieid
         left join in_b c on c.item_id = l.movieid
         cross join lateral (select case when c.item_id is null then 4 when c.chosen <= p.min_users_for_item then 5
                                         when c.of_kept = 0 then 6 when c.of_sampled = 0 then 7 else 9 end as step) s
    order by n.n desc, l.movieid;
end
$$;
comment on function trivet.items_lost(text, text) is
'Items that the filter of preset a keeps and that of preset b does not, most rated first: title, rating_rows in all, pairs in
a''s result, and the step of b that removed them (4 stands for all conditions on rows), with the reason.
    select title, rating_rows, reason from trivet.items_lost(''weekend'', ''strict'');';
