-- 025_datasets: which data set is current, and how another takes its place.
--
-- One data set is current: trivet.rating, item, tag, code, user_change and item_change have its rows and nobody else's, so no
-- query and no view needs a condition. Another one is away, and whole: the tables of its ratings (rating_load_<load>,
-- rating_live_<data set>) are detached from trivet.rating and keep their names, rows of the other tables stand in item_<data set>
-- and so on. It comes back in the transaction of a load of that name, or ahead of an activation of a model that was made of it.
--
-- Ratings, which are many, change hands without being read: attaching a table whose CHECK says which load it is takes
-- milliseconds. The rows of the other tables are moved, which readers do not notice; whoever writes to them waits.

-- --- moving ------------------------------------------------------------------------------------------------

create or replace function trivet.move_rows(tables text[], away bigint, here bigint) returns void
language plpgsql as $$
declare
    t text;
    found boolean;
    counted text := current_setting('trivet.counted', true);
begin
    perform trivet.counted_elsewhere(); -- the number of the current data set
    foreach t in array tables loop
        execute format('lock table trivet.%I in share row exclusive mode', t);
        execute format('select exists (select from trivet.%I)', t) into found;
        if found then
            execute format('create table trivet.%I as table trivet.%I', t || '_' || away, t);
            if t in ('item', 'tag', 'code') then
                perform trivet.note_changes_of(format('trivet.%I', t || '_' || away)::regclass);
            end if;
            execute format('comment on table trivet.%I is %L', t || '_' || away, format('Rows of trivet.%s of data set %s, which is away.', t, away));
            execute format('delete from trivet.%I', t);
        end if;
        if to_regclass(format('trivet.%I', t || '_' || here)) is not null then
            if t in ('item', 'tag', 'code') and trivet.was_unwatched(format('trivet.%I', t || '_' || here)::regclass) then
                perform trivet.note_change(t || '_' || here);
            end if;
            execute format('insert into trivet.%I select * from trivet.%I', t, t || '_' || here);
            execute format('drop table trivet.%I', t || '_' || here);
        end if;
    end loop;
    -- What the caller changes after it, in the same transaction, is not what the number tells.
    perform set_config('trivet.counted', coalesce(counted, ''), true);
end
$$;
comment on function trivet.move_rows(text[], bigint, bigint) is 'Puts the rows of some tables away as those of one data set, and brings another''s.';

create or replace function trivet.switch_items(dataset bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select trivet.move_rows('{code,item,tag}', trivet.current_dataset(), switch_items.dataset)
    where switch_items.dataset <> trivet.current_dataset()
$$;
comment on function trivet.switch_items(bigint) is 'The first half of a switch to another data set: codes, items and tags. Readers see nothing of it until the transaction ends.';

create or replace function trivet.switch_ratings(dataset bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    old bigint := trivet.current_dataset();
    part regclass;
    load bigint;
begin
    if switch_ratings.dataset = old then
        return;
    end if;
    lock table trivet.rating in access exclusive mode;
    for part in select inhrelid from pg_inherits
                where inhparent = 'trivet.rating'::regclass and inhrelid <> 'trivet.rating_live'::regclass
    loop
        execute format('alter table trivet.rating detach partition %s', part);
    end loop;
    for part in select inhrelid from pg_inherits where inhparent = 'trivet.rating_live'::regclass loop
        execute format('alter table trivet.rating_live detach partition %s', part);
    end loop;
    perform trivet.move_rows('{user_change,item_change}', old, switch_ratings.dataset);
    update trivet.load l set state = 'away' where l.state = 'complete';
    update trivet.dataset d set current = false where d.current;
    update trivet.dataset d set current = true where d.id = switch_ratings.dataset;
    perform trivet.attach_live(switch_ratings.dataset);
    perform trivet.note_changes_of(format('trivet.rating_live_%s', switch_ratings.dataset)::regclass);
    for load in update trivet.load l set state = 'complete' where l.state = 'away' and l.dataset = switch_ratings.dataset returning l.id loop
        execute format('alter table trivet.rating attach partition trivet.rating_load_%s for values in (%s)', load, load);
    end loop;
end
$$;
comment on function trivet.switch_ratings(bigint) is 'The second half: ratings, and what is known of their changes. From the end of the transaction on the data set is the current one.';

create or replace function trivet.use_dataset(dataset bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if use_dataset.dataset = trivet.current_dataset() then
        return false;
    end if;
    if not exists (select from trivet.dataset d where d.id = use_dataset.dataset) then
        raise exception 'there is no data set % any more', use_dataset.dataset
            using hint = 'trivet-etl datasets lists those that there are', errcode = 'TV001';
    end if;
    perform trivet.switch_items(use_dataset.dataset);
    perform trivet.switch_ratings(use_dataset.dataset);
    return true;
end
$$;
comment on function trivet.use_dataset(bigint) is
'Makes a data set the current one: its ratings, single ones too, items, tags and codes take the place of those that are loaded, which are
kept. False if it is current already. The caller holds trivet.lock_key(), and a short lock_timeout, with which it comes again.';

-- A data set that an older trivet replaced has a name and models, and no ratings: these would make documents of the single ones
-- alone.
create or replace function trivet.dataset_of_run(run_id bigint) returns table (dataset bigint, name text, gone boolean)
language sql stable parallel safe as $$
    select r.dataset, d.name,
           r.kind = 'fit' and r.data @? '$.loads[*]'
           and not exists (select from trivet.load l where l.dataset = r.dataset and l.state in ('complete', 'away'))
    from trivet.run r left join trivet.dataset d on d.id = r.dataset where r.id = dataset_of_run.run_id
$$;
comment on function trivet.dataset_of_run(bigint) is 'The data set that a run read: number, name (null: it was dropped), and whether none of its loads is kept any more.';

-- --- names -------------------------------------------------------------------------------------------------

create or replace function trivet.dataset_named(name text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    number bigint := (select d.id from trivet.dataset d where d.name = dataset_named.name);
begin
    if number is null then
        update trivet.dataset d set name = dataset_named.name where d.current and d.name is null returning d.id into number;
    end if;
    if number is null then
        insert into trivet.dataset (name) values (dataset_named.name) returning id into number;
    end if;
    return number;
end
$$;
comment on function trivet.dataset_named(text) is 'The number of the data set of a name. A name that is new goes to the current one if that has none yet, as before the first load, or to a new one.';

create or replace function trivet.load_target(name text, append boolean) returns bigint
language sql stable parallel safe as $$
    select case when load_target.append then trivet.current_dataset()
                else coalesce((select d.id from trivet.dataset d where d.name = load_target.name),
                              (select d.id from trivet.dataset d where d.current and d.name is null)) end
$$;
comment on function trivet.load_target(text, boolean) is 'The data set that a load will bring or add to; null: a new one.';

-- Plays that were added to those of a later load have left no row where they came.
create or replace function trivet.load_is_there(dataset bigint, fingerprint text, options jsonb, append boolean) returns boolean
language sql stable as $$
    select coalesce(bool_or(l.fingerprint = load_is_there.fingerprint and l.options = load_is_there.options
                            and (trivet.load_has_rows(l.id)
                                 or append and l.row_count = 0
                                    and exists (select from trivet.rating r where (select trivet.check_snapshot()) and r.load_id is not null))), false)
    from (select * from trivet.load l where l.dataset = load_is_there.dataset and l.state in ('complete', 'away')
          order by l.id desc limit case when not append then 1 end) l
$$;
comment on function trivet.load_is_there(bigint, text, jsonb, boolean) is
'Whether the newest load of a data set had this fingerprint and these options, and its rows are there; with append whether any load of it had.';

create or replace function trivet.load_dataset(name text, append boolean) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    number bigint;
begin
    if load_dataset.append and (select d.name is not null from trivet.dataset d where d.current) then
        return trivet.current_dataset();
    end if;
    number := trivet.dataset_named(load_dataset.name);
    perform trivet.switch_items(number);
    return number;
end
$$;
comment on function trivet.load_dataset(text, boolean) is 'The data set of a load that is about to become visible, made if it is new, with its codes, items and tags in place.';

-- Codes of a data set that is away are in a table of their own.
create or replace function trivet.dataset_codes(dataset bigint, kind text) returns table (id bigint, code text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    source text := case when dataset_codes.dataset = trivet.current_dataset() then 'code' else 'code_' || dataset_codes.dataset end;
begin
    if to_regclass('trivet.' || source) is not null then
        return query execute format('select c.id, c.code from trivet.%I c where c.kind = $1 order by c.id', source) using dataset_codes.kind;
    end if;
end
$$;
comment on function trivet.dataset_codes(bigint, text) is 'Numbers and codes of users, or of items, of a data set, the current one or another.';

create or replace function trivet.codes_of(dataset bigint) returns regclass
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    away text := 'code_' || codes_of.dataset;
begin
    if codes_of.dataset = trivet.current_dataset() then
        return 'trivet.code'::regclass;
    end if;
    if to_regclass('trivet.' || away) is null then
        execute format('create table trivet.%I as table trivet.code with no data', away);
        execute format('comment on table trivet.%I is %L', away, format('Rows of trivet.code of data set %s, which is away.', codes_of.dataset));
    end if;
    execute format('grant select, insert on trivet.%I to trivet_writer', away);
    return format('trivet.%I', away)::regclass;
end
$$;
comment on function trivet.codes_of(bigint) is 'The table that holds the codes of a data set, the current one or another; made if there is none yet.';

-- --- for people --------------------------------------------------------------------------------------------

create or replace function trivet.dataset_tables(dataset bigint) returns setof regclass
language sql stable parallel safe as $$
    select c.oid::regclass from pg_class c
    where c.relnamespace = 'trivet'::regnamespace and c.relkind = 'r'
      and (c.relname ~ ('^(rating_live|item|tag|code|user_change|item_change)_' || dataset_tables.dataset || '$')
           or c.relname in (select 'rating_load_' || l.id from trivet.load l
                            where l.dataset = dataset_tables.dataset and l.state in ('complete', 'away'))
           or dataset_tables.dataset = trivet.current_dataset()
              and c.relname in ('item', 'tag', 'code', 'user_change', 'item_change'))
$$;
comment on function trivet.dataset_tables(bigint) is 'The tables that hold the rows of a data set, and of no other.';

create or replace function trivet.datasets()
returns table (dataset bigint, name text, current boolean, ratings bigint, live_ratings bigint, bytes bigint, models bigint[],
               loaded_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    d record;
    part regclass;
begin
    for d in select * from trivet.dataset order by id loop
        datasets.dataset := d.id;
        datasets.name := d.name;
        datasets.current := d.current;
        datasets.loaded_at := (select max(l.finished_at) from trivet.load l where l.dataset = d.id and l.state in ('complete', 'away'));
        datasets.ratings := 0;
        -- What a load brought is less by each single rating in its place, and nobody keeps count. A million rows take some 30 ms.
        for part in select t from trivet.dataset_tables(d.id) t join pg_class c on c.oid = t where c.relname like 'rating\_load\_%' loop
            execute format('select count(*) + $1 from %s', part) into datasets.ratings using datasets.ratings;
        end loop;
        datasets.live_ratings := 0;
        if to_regclass('trivet.rating_live_' || d.id) is not null then
            execute format('select count(*) from trivet.rating_live_%s', d.id) into datasets.live_ratings;
        end if;
        datasets.bytes := (select coalesce(sum(pg_total_relation_size(t)), 0) from trivet.dataset_tables(d.id) t);
        datasets.models := array(select r.id from trivet.run r where r.dataset = d.id and r.state in ('kept', 'activating', 'live') order by r.id);
        return next;
    end loop;
end
$$;
comment on function trivet.datasets() is
'One row a data set: its number and name, whether it is the current one, ratings of its loads that there are now, single ratings, bytes in Postgres, its models
that are kept, and when it was loaded last. name is null before the first load.';

create or replace function trivet.dataset_goes(dataset bigint, out rows text, out models text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select format('%s ratings, %s of them single, with all items, tags and codes, %s in Postgres', d.ratings + d.live_ratings, d.live_ratings,
                  pg_size_pretty(d.bytes)),
           (select case count(*) when 1 then 'model ' else 'models ' end || string_agg(m::text, ', ' order by m)
            from unnest(d.models) m having count(*) > 0)
    from trivet.datasets() d where d.dataset = dataset_goes.dataset
$$;
comment on function trivet.dataset_goes(bigint) is 'What trivet.drop_dataset will delete, in words: rows of Postgres, and the models that were made of them (null: none).';

create or replace function trivet.drop_dataset(dataset bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    t regclass;
    name text := (select coalesce(d.name, 'number ' || d.id) from trivet.dataset d where d.id = drop_dataset.dataset);
    model bigint := (select r.id from trivet.run r where r.dataset = drop_dataset.dataset and r.state in ('activating', 'live') limit 1);
    other bigint := (select max(r.id) from trivet.run r where r.dataset <> drop_dataset.dataset and r.state = 'kept');
begin
    if drop_dataset.dataset = trivet.current_dataset() then
        raise exception '% is the data set that is loaded', name
            using hint = coalesce('bring another one back first: ' || (select string_agg('trivet-etl datasets use ' || trivet.shell_word(d.name), ', or ' order by d.id)
                                                                         from trivet.dataset d where not d.current),
                                  'load another one first: trivet-etl load DIR --name NAME'), errcode = 'TV001';
    elsif model is not null then
        raise exception 'model %, which is live, was made of %', model, name
            using hint = 'make a model of another data set live first: ' || coalesce('trivet-train activate ' || other || ', or ', '') || 'trivet-train fit', errcode = 'TV001';
    end if;
    for t in select trivet.dataset_tables(drop_dataset.dataset) loop
        execute format('drop table %s', t);
    end loop;
    update trivet.load l set state = 'replaced', message = 'its data set was dropped' where l.dataset = drop_dataset.dataset and l.state = 'away';
    update trivet.run r set state = 'pruned', message = 'its data set was dropped' where r.dataset = drop_dataset.dataset and r.state = 'kept';
    perform from trivet.similar_index i order by i.id for no key update; -- as all who work on events of several do
    update trivet.similar_index i set state = 'dropped', message = 'its data set was dropped'
    where i.dataset = drop_dataset.dataset and i.state in ('live', 'kept');
    delete from trivet.similar_event e
    where e.index_id in (select i.id from trivet.similar_index i where i.dataset = drop_dataset.dataset);
    delete from trivet.imported_title t where t.dataset = drop_dataset.dataset;
    delete from trivet.dataset d where d.id = drop_dataset.dataset;
    -- Lines that were refused hold ids, and no forget looks at loads of a data set that is not there.
    delete from trivet.reject r using trivet.load l
    where l.id = r.load_id and not exists (select from trivet.dataset d where d.id = l.dataset) and l.dataset is not null;
    update trivet.load l set report = l.report - 'examples'
    where l.dataset is not null and l.report ? 'examples' and not exists (select from trivet.dataset d where d.id = l.dataset);
end
$$;
comment on function trivet.drop_dataset(bigint) is 'Deletes a data set that is away, for ever: ratings, single ones too, items, tags, codes and refused lines. Its models become pruned, its index of similar items is over, and the next command of trivet-train removes them from the stores. The caller holds trivet.lock_key().';

-- --- is it the same data? ----------------------------------------------------------------------------------

-- A data set that only has a model from elsewhere has its items in MongoDB alone; what they are called is asked of other data, too.
create table if not exists trivet.imported_title (
    dataset bigint not null,
    item_id bigint not null,
    title   text   not null,
    constraint imported_title_pkey primary key (dataset, item_id)
);
comment on table trivet.imported_title is 'What the items of models that were imported are called: other data under the name of their data set is told by it.';
comment on column trivet.imported_title.dataset is 'The data set.';
comment on column trivet.imported_title.item_id is 'The item.';
comment on column trivet.imported_title.title is 'Its title in the model that came last.';

create or replace function trivet.keep_imported_titles(dataset bigint) returns void
language plpgsql as $$
begin
    insert into trivet.imported_title (dataset, item_id, title)
    select distinct on (l.item_id) keep_imported_titles.dataset, l.item_id, l.title from pg_temp.load_item l
    where l.kind = 'item' and l.title is not null order by l.item_id, l.seq
    on conflict on constraint imported_title_pkey do update set title = excluded.title;
end
$$;
comment on function trivet.keep_imported_titles(bigint) is 'Keeps the titles of pg_temp.load_item, an imported model''s, as those of a data set.';

create or replace function trivet.dataset_titles(dataset bigint) returns table (item_id bigint, title text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    source text := case when dataset_titles.dataset = trivet.current_dataset() then 'item' else 'item_' || dataset_titles.dataset end;
begin
    if to_regclass('trivet.' || source) is not null then
        return query execute format('select i.item_id, i.title from trivet.%I i where i.title is not null union all '
                                    'select t.item_id, t.title from trivet.imported_title t where t.dataset = $1 '
                                    'and not exists (select from trivet.%1$I i where i.item_id = t.item_id and i.title is not null)', source)
                     using dataset_titles.dataset;
    else
        return query select t.item_id, t.title from trivet.imported_title t where t.dataset = dataset_titles.dataset;
    end if;
end
$$;
comment on function trivet.dataset_titles(bigint) is 'The items of a data set that have a title, whether it is the current one or another; where no load says it, as a model that was imported does.';

create or replace function trivet.load_other_titles(name text, out shared bigint, out other bigint)
language plpgsql as $$
begin
    select count(*), count(*) filter (where now.title <> before.title and lower(now.title) <> lower(before.title)) into load_other_titles.shared, load_other_titles.other
    from trivet.dataset_titles((select d.id from trivet.dataset d where d.name = load_other_titles.name)) before
    join (select distinct on (l.item_id) l.item_id, l.title from pg_temp.load_item l
          where l.kind = 'item' and l.title is not null order by l.item_id, l.seq) now using (item_id);
end
$$;
comment on function trivet.load_other_titles(text) is 'How many items of pg_temp.load_item, a load that is about to become visible or an imported model, the data set of its name has, too, with a title, and how many of these are called otherwise there.';

-- Titles are corrected, and articles move from one end to the other, so fewer than half say nothing; nor do a handful.
create or replace function trivet.is_other_data(shared bigint, other bigint) returns boolean
language sql immutable parallel safe as $$ select is_other_data.shared >= 20 and 2 * is_other_data.other > is_other_data.shared $$;
comment on function trivet.is_other_data(bigint, bigint) is 'Whether what trivet.load_other_titles counts says that two data sets have nothing in common but a name.';

-- Other data may have no titles, and its ids may be the same small integers: then some pairs of user and item stand in both by
-- chance alone. How many is told by a control: users and items of the same old rows, put together at random.
create or replace function trivet.load_other_pairs(load bigint, name text, out asked bigint, out kept bigint, out by_chance bigint, out singles bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    enough constant float8 = 2000; -- rows, in some fifteen blocks: as quick however many there are
    old bigint := (select d.id from trivet.dataset d where d.name = load_other_pairs.name);
    share float8 := (select least(100, 100 * enough / nullif(sum(l.row_count), 0)) from trivet.load l where l.dataset = old and l.state in ('complete', 'away'));
    rows text := (select string_agg(format('select user_id, item_id from trivet.rating_load_%s tablesample system (%s) repeatable (1)', l.id, share), ' union ') -- a pair twice would be its own control
                  from trivet.load l where l.dataset = old and l.state in ('complete', 'away') and to_regclass('trivet.rating_load_' || l.id) is not null);
begin
    load_other_pairs.asked := 0;
    load_other_pairs.singles := 0;
    if to_regclass('trivet.rating_live_' || old) is not null then
        execute format('select count(*) from trivet.rating_live_%s', old) into load_other_pairs.singles;
    end if;
    if rows is null then
        return;
    end if;
    execute format(
        'with old as materialized ('
        '    select user_id, item_id, coalesce(lead(item_id) over w, first_value(item_id) over w) as other_id from (%s) r'
        '    window w as (order by hashint8extended(user_id, 1) # hashint8extended(item_id, 2), user_id, item_id)'
        ') select count(*),'
        '         count(*) filter (where exists (select from trivet.rating_load_%s n where n.user_id = o.user_id and n.item_id = o.item_id)),'
        '         count(*) filter (where exists (select from trivet.rating_load_%2$s n where n.user_id = o.user_id and n.item_id = o.other_id))'
        '  from old o', rows, load) into load_other_pairs.asked, load_other_pairs.kept, load_other_pairs.by_chance;
end
$$;
comment on function trivet.load_other_pairs(bigint, text) is
'For a load that is about to become visible, and the data set of its name: single ratings it would take over, a
sample of the pairs of user and item that were loaded, how many of them the load has, and how many it has of as many pairs that are put
together at random.';

create or replace function trivet.import_other_pairs(name text, pairs jsonb, out asked bigint, out kept bigint, out by_chance bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    here bigint := (select d.id from trivet.dataset d where d.name = import_other_pairs.name);
    loaded text := (select string_agg(format('select user_id, item_id from trivet.%I', t.part), ' union all ')
                    from (select 'rating_load_' || l.id as part from trivet.load l where l.dataset = here and l.state in ('complete', 'away')
                          union all select 'rating_live_' || here) t
                    where to_regclass('trivet.' || t.part) is not null);
    found boolean := false;
begin
    import_other_pairs.asked := 0;
    if loaded is not null then
        execute format('select exists (%s)', loaded) into found;
    end if;
    if not found then -- of a data set without rows nothing can be asked
        return;
    end if;
    execute format(
        'with model as materialized ('
        '    select user_id, item_id, coalesce(lead(item_id) over w, first_value(item_id) over w) as other_id'
        '    from jsonb_to_recordset($1) as r (user_id bigint, item_id bigint)'
        '    window w as (order by hashint8extended(user_id, 1) # hashint8extended(item_id, 2), user_id, item_id)'
        ') select count(*),'
        '         count(*) filter (where exists (select from (%s) n where n.user_id = m.user_id and n.item_id = m.item_id)),'
        '         count(*) filter (where exists (select from (%1$s) n where n.user_id = m.user_id and n.item_id = m.other_id))'
        '  from model m', loaded) into import_other_pairs.asked, import_other_pairs.kept, import_other_pairs.by_chance
    using import_other_pairs.pairs;
end
$$;
comment on function trivet.import_other_pairs(text, jsonb) is
'The same for a model from elsewhere, and the data set it would belong to: of a sample of pairs that its users rated, [{"user_id": 1,
"item_id": 2}, ...], how many stand there, and how many of as many that are put together at random. 0 are asked where that data set has no rows.';

-- A newer state has most of the pairs, or a good part of them; a handful says nothing.
create or replace function trivet.has_other_pairs(asked bigint, kept bigint, by_chance bigint) returns boolean
language sql immutable parallel safe as $$
    select has_other_pairs.asked >= 20 and 4 * (has_other_pairs.kept - has_other_pairs.by_chance) < has_other_pairs.asked - has_other_pairs.by_chance
$$;
comment on function trivet.has_other_pairs(bigint, bigint, bigint) is 'Whether a sample of pairs of user and item, of which so many stand in another data set, and so many do by chance, says that the two have nothing in common but a name.';

-- The same films rated in another year, or by other people, have no pair in common.
create or replace function trivet.has_same_titles(name text) returns boolean
language sql as $$
    select t.shared >= 20 and not trivet.is_other_data(t.shared, t.other) from trivet.load_other_titles(has_same_titles.name) t
$$;
comment on function trivet.has_same_titles(text) is 'Whether the titles of pg_temp.load_item say that it is the data set of that name; false where they say nothing.';

create or replace function trivet.load_other_kind(dataset bigint, counts boolean) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    singles bigint := 0;
begin
    if to_regclass('trivet.rating_live_' || load_other_kind.dataset) is not null
       and load_other_kind.counts <> coalesce((select bool_and(l.format in ('lastfm', 'plays-csv')) from trivet.load l
                                               where l.dataset = load_other_kind.dataset and l.state in ('complete', 'away')), false) then
        execute format('select count(*) from trivet.rating_live_%s', load_other_kind.dataset) into singles;
    end if;
    return singles;
end
$$;
comment on function trivet.load_other_kind(bigint, boolean) is 'For a load of counts of plays, or not: single ratings of its data set that are of the other kind.';

-- --- after a load ------------------------------------------------------------------------------------------

create or replace function trivet.out_of_date() returns table (what text, hint text)
language sql stable parallel safe as $$
    with model as (
        select r.id, r.state = 'live' as live, m.name, m.loaded, m.state
        from trivet.run r cross join lateral trivet.model_data(r.id) m where r.state in ('kept', 'live')
    ), scale as (
        select min(l.low) as low, max(l.high) as high from trivet.load l where l.state = 'complete'
    ), fit (command) as (
        select 'trivet-train fit' || case when trivet.holds_counts() then ' --algorithm als-implicit' else '' end
    ), unlisted as materialized (
        select v.item_id, count(*) as n from trivet.rating_live v
        where (select trivet.check_snapshot()) and not exists (select from trivet.item i where i.item_id = v.item_id) group by v.item_id
    )
    select format('model %s, which is live, was made of the data set %s and goes on being served; ratings are refused', id, name),
           coalesce((select 'trivet-train activate ' || max(o.id) || ', or ' from model o where not o.live and o.state = 'current'), '')
           || command
    from model, fit where live and state in ('away', 'gone')
    union all
    select 'no model is live', coalesce('trivet-train activate ' || max(o.id) filter (where o.state = 'current') || ', or ', '') || max(command)
    from model o, fit where not exists (select from model where live) and o.state in ('current', 'older') having count(*) > 0
    union all
    select format('model %s, which is live, was made before this load', id), command from model, fit where live and state = 'older'
    union all
    select format('models that are kept were made before the last load of %s: %s', loaded, string_agg(id::text, ', ' order by id)),
           max(command) || ', before one of them is made live'
    from model, fit where not live and state = 'older' group by loaded
    union all
    select format('the index of similar items (%s) was made %s', i.id,
                  case when i.dataset = trivet.current_dataset() then 'before this load' else 'of the data set ' || coalesce(d.name, '?') end),
           'trivet-train similar' || case when exists (select from trivet.similar_index k where k.state = 'kept' and k.dataset = trivet.current_dataset())
                                         then ' --if-changed' else '' end
    from trivet.similar_index i left join trivet.dataset d on d.id = i.dataset
    where i.state = 'live' and (i.dataset is distinct from trivet.current_dataset()
                                or exists (select from trivet.load l where l.state = 'complete' and l.finished_at > i.started_at))
    union all
    select trivet.similar_none(), 'trivet-train similar'
    where trivet.similar_none() is not null and not exists (select from trivet.similar_index i where i.state = 'live')
    union all
    select format('%s single ratings lie outside the scale of %s to %s', n, low, high), 'they count as they are'
    from scale cross join lateral (select count(*) as n from trivet.rating_live v
                                   where (select trivet.check_snapshot()) and v.value not between scale.low and scale.high) off
    where n > 0 and not coalesce(trivet.holds_counts(), false)
    union all
    select format('%s single ratings are of items that the files do not have', n), 'they are kept, and learned from as any other'
    from (select sum(u.n) as n from unlisted u
          where (select exists (select from unlisted)) -- or all ratings would be read for nobody
            and not exists (select from trivet.rating r where r.load_id is not null and r.item_id = u.item_id)) unknown
    where n > 0
$$;
comment on function trivet.out_of_date() is 'What was made before the last load, or of another data set than the one that is loaded, and single ratings that do not fit to what is loaded; beside each what to type.';
