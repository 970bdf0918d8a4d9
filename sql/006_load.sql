-- 006_load: the steps of a load that are SQL. trivet-etl calls them in this order:
--
--   load_clean     what a killed load left behind
--   transaction 1  load_create, COPY into rating_load_<id>, load_item, load_tag and load_code, load_add_up, load_index,
--                  load_duplicates
--   transaction 2  load_lock, given back at once: is anybody in the way? Then load_dataset (025_datasets), load_publish_codes
--                  (008_codes), load_publish_items, load_lock, load_add_to_loaded, load_attach
--
-- Nothing is visible to readers before transaction 2 commits, and that one holds its lock for milliseconds. It runs with a
-- short lock_timeout, and is rolled back and begun again while others are in the way (include/trivet/schema/patient.h).
--
-- What makes, indexes, attaches and drops tables runs as their owner, trivet_owner: a login that loads may write rows, and
-- change nothing that runs with somebody else's rights when rows are written (a trigger, an index on an expression).

-- A load's table that somebody has detached to look at the rest without it is theirs to attach again.
create or replace function trivet.load_clean() returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    leftover regclass;
    n int := 0;
begin
    for leftover in
        select oid from pg_class
        where relnamespace = 'trivet'::regnamespace and relkind = 'r' and not relispartition
          and relname ~ '^rating_load_[0-9]+$'
          and relname not in (select 'rating_load_' || l.id from trivet.load l where l.state in ('complete', 'away'))
    loop
        execute format('drop table %s', leftover);
        n := n + 1;
    end loop;
    update trivet.load
    set state = 'failed', finished_at = now(), message = coalesce(message, 'the program was killed')
    where state = 'loading';
    return n;
end
$$;
comment on function trivet.load_clean() is 'Drops the tables of loads that did not finish, and no other, and marks these as failed; returns how many tables. The caller holds the lock, so that no load is running.';

-- The check makes attaching cheap: without it Postgres would read all rows under the lock. It stands there before the
-- rows do, because testing them as they come costs nothing beside a pass of its own.
create or replace function trivet.load_table(load bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    name text := format('trivet.rating_load_%s', load);
begin
    execute format('create table %s (like trivet.rating)', name);
    execute format('alter table %s alter column load_id set default %s', name, load);
    execute format('alter table %s add constraint %I check (load_id is not null and load_id = %s)',
                   name, format('rating_load_%s_load', load), load);
    execute format('comment on table %s is %L', name, format('Ratings of load %s.', load));
    execute format('grant select on %s to trivet_reader', name);
    execute format('grant insert, update, delete, truncate on %s to trivet_writer', name);
end
$$;
comment on function trivet.load_table(bigint) is 'Makes the empty table of a load.';

create or replace function trivet.load_create(load bigint) returns void
language plpgsql as $$
begin
    perform trivet.load_table(load);
    create temporary table load_item (
        seq     bigint not null, -- the order in which they came
        kind    text not null, -- item, link, metadata: which file it stood in
        item_id bigint,
        title   text,
        year    int,
        genres  text[],
        imdb_id text,
        tmdb_id bigint,
        extra   jsonb,
        listed_title text
    );
    create temporary table load_tag (user_id bigint, item_id bigint, tag text, tagged_at timestamptz);
    create temporary table load_code (kind text, id bigint, code text);
end
$$;
comment on function trivet.load_create(bigint) is 'Makes the empty table of a load, and the temporary tables its items, tags and new codes go through.';

-- The caller has seen every row go by, and knows the smallest and the largest value. Where it does not, because rows were added
-- up since, they cost a pass over the table.
drop function if exists trivet.load_index(bigint); -- of older schemas
create or replace function trivet.load_index(load bigint, low real, high real) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    name text := format('rating_load_%s', load);
begin
    perform set_config('maintenance_work_mem', '256MB', true);
    execute format('create index %I on trivet.%I (user_id, item_id) include (value) with (fillfactor = 100)',
                   name || '_pair', name);
    execute format('analyze trivet.%I', name);
    -- Of all its rows: those that were rated live will be missing later.
    if load_index.low is null or load_index.high is null then
        execute format('select min(value), max(value) from trivet.%I', name) into load_index.low, load_index.high;
    end if;
    update trivet.load l set low = load_index.low, high = load_index.high where l.id = load_index.load;
end
$$;
comment on function trivet.load_index(bigint, real, real) is 'Index, statistics and scale of a filled load table: its smallest and largest value, which are looked for where they are null.';

-- The index has the pairs in order: to count where one ends takes a fifth of the time that a table of all pairs takes, and no memory.
drop function if exists trivet.load_duplicates(bigint); -- of older schemas
create or replace function trivet.load_duplicates(load bigint, row_count bigint) returns bigint
language plpgsql set enable_hashagg = off as $$
declare
    pairs bigint;
begin
    execute format('select count(*) from (select from trivet.rating_load_%s group by user_id, item_id) pair', load) into pairs;
    return row_count - pairs;
end
$$;
comment on function trivet.load_duplicates(bigint, bigint) is 'Of so many rows of a load, all that it has, those whose pair of user and item stands in an earlier row of it.';

create or replace function trivet.load_publish_items(load bigint, append boolean) returns bigint
language plpgsql as $$
declare
    n bigint;
begin
    perform trivet.counted_elsewhere(); -- by the load
    if not append then
        delete from trivet.item;
        delete from trivet.tag;
    end if;
    insert into trivet.item as old (item_id, title, year, genres, imdb_id, tmdb_id, extra, listed_title)
    with item as (
        select distinct on (item_id) * from pg_temp.load_item where kind = 'item' order by item_id, seq
    ), link as (
        select distinct on (item_id) * from pg_temp.load_item where kind = 'link' order by item_id, seq
    ), metadata as (
        select distinct on (tmdb_id) tmdb_id, title, year, genres, imdb_id, extra
        from pg_temp.load_item where kind = 'metadata' order by tmdb_id, seq
    )
    select item_id, coalesce(item.title, metadata.title), coalesce(item.year, metadata.year),
           coalesce(item.genres, metadata.genres), coalesce(link.imdb_id, item.imdb_id, metadata.imdb_id),
           coalesce(link.tmdb_id, item.tmdb_id), nullif(coalesce(metadata.extra, '{}') || coalesce(item.extra, '{}'), '{}'), item.listed_title
    from item full join link using (item_id)
         left join metadata on metadata.tmdb_id = coalesce(link.tmdb_id, item.tmdb_id)
    on conflict (item_id) do update
    set title = coalesce(excluded.title, old.title), year = coalesce(excluded.year, old.year),
        genres = coalesce(excluded.genres, old.genres), imdb_id = coalesce(excluded.imdb_id, old.imdb_id),
        tmdb_id = coalesce(excluded.tmdb_id, old.tmdb_id),
        extra = nullif(coalesce(old.extra, '{}') || coalesce(excluded.extra, '{}'), '{}'),
        listed_title = case when excluded.title is null then old.listed_title else excluded.listed_title end;
    get diagnostics n = row_count;
    insert into trivet.tag (user_id, item_id, tag, tagged_at)
    select user_id, item_id, tag, tagged_at from pg_temp.load_tag;
    return n;
end
$$;
comment on function trivet.load_publish_items(bigint, boolean) is 'Items and tags of a load into trivet.item and trivet.tag; without append they replace all that stand there. Of an item listed twice the first counts. Returns the items.';

-- The locks with which a load becomes visible. Where nothing is to be dropped or put away, no reader is disturbed; whoever
-- rates has to be done (trivet.hold_off_loads). The order is that of everybody who rates: the whole table, then the live part.
drop function if exists trivet.load_try_lock(boolean); -- of older schemas
drop function if exists trivet.load_lock(boolean);
create or replace function trivet.load_lock(dataset bigint, append boolean) returns void
language plpgsql as $$
begin
    if dataset = trivet.current_dataset()
       and (append or not exists (select from pg_inherits
                                  where inhparent = 'trivet.rating'::regclass and inhrelid <> 'trivet.rating_live'::regclass)) then
        lock table only trivet.rating in share update exclusive mode;
        lock table trivet.rating_live in share row exclusive mode;
    else
        lock table trivet.rating in access exclusive mode;
    end if;
end
$$;
comment on function trivet.load_lock(bigint, boolean) is 'Takes the locks that load_attach needs for a data set (null: a new one), or fails after lock_timeout, which the caller has set so that nobody queues up behind.';

-- What a model learns from is one number a pair, the mean where it has several rows. Of plays on two days that would be neither.
create or replace function trivet.load_add_to_loaded(load bigint) returns bigint
language plpgsql as $$
declare
    n bigint;
    largest real;
begin
    perform trivet.counted_elsewhere(); -- by the load
    execute format(
        'with stood as ('
        '    delete from trivet.rating r using trivet.rating_load_%1$s l'
        '    where r.load_id is not null and r.user_id = l.user_id and r.item_id = l.item_id'
        '    returning r.load_id, r.user_id, r.item_id, r.value, r.rated_at'
        '), less as ('
        '    update trivet.load l set row_count = l.row_count - p.n'
        '    from (select s.load_id, count(*) as n from stood s group by s.load_id) p where l.id = p.load_id'
        '), more as ('
        '    update trivet.rating_load_%1$s l'
        '    set value = least(l.value::float8 + s.value, 3.4e38)::real, rated_at = greatest(l.rated_at, s.rated_at)'
        '    from (select user_id, item_id, sum(value::float8) as value, max(rated_at) as rated_at from stood group by 1, 2) s'
        '    where l.user_id = s.user_id and l.item_id = s.item_id'
        '    returning l.value'
        ') select count(*), max(m.value) from more m', load) into n, largest;
    update trivet.load l set high = largest where l.id = load_add_to_loaded.load and l.high < largest;
    return n;
end
$$;
comment on function trivet.load_add_to_loaded(bigint) is
'Plays that are appended are added to those of the same pair that earlier loads brought: the sum and the last time stand in this
load''s table then, before it is attached, and the pair has one row. Returns how many pairs. The caller holds the locks of load_lock.';

create or replace function trivet.load_has_rows(load bigint) returns boolean
language plpgsql stable as $$
declare
    has boolean := false;
begin
    if exists (select from pg_class c join trivet.load l on l.id = load_has_rows.load
               where c.oid = to_regclass(format('trivet.rating_load_%s', l.id)) and (c.relispartition or l.state = 'away')) then
        execute format('select exists (select from trivet.rating_load_%s)', load) into has;
    end if;
    -- Files of items that gave none, as such without a key may, leave no note.
    return has and not exists (
        select from trivet.load l join trivet.hand_change h on h.relation = 'item_' || l.dataset
        where l.id = load_has_rows.load and l.state = 'complete' and (l.report ->> 'described')::bigint > 0
          and not exists (select from trivet.item));
end
$$;
comment on function trivet.load_has_rows(bigint) is
'Whether a load''s table is in its place and not empty, and some of the items that it described are there: somebody may have dropped,
detached or truncated one or the other by hand.';

drop function if exists trivet.load_attach(bigint, boolean, bigint, bigint); -- of older schemas
create or replace function trivet.load_attach(load bigint, dataset bigint, append boolean, row_count bigint, reject_count bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    old regclass;
    gave_way bigint;
begin
    perform trivet.load_lock(dataset, append);
    perform trivet.switch_ratings(dataset);
    if not append then
        for old in
            select inhrelid from pg_inherits
            where inhparent = 'trivet.rating'::regclass and inhrelid <> 'trivet.rating_live'::regclass
        loop
            execute format('drop table %s', old);
        end loop;
        update trivet.load set state = 'replaced' where state = 'complete';
    end if;
    -- What somebody rated live is their word on that item, whatever a file says; nobody rates until this is done.
    execute format('delete from trivet.rating_load_%s l using trivet.rating_live v '
                   'where l.user_id = v.user_id and l.item_id = v.item_id', load);
    get diagnostics gave_way = row_count;
    perform trivet.note_changes_of(format('trivet.rating_load_%s', load)::regclass); -- only now: its own rows are no change
    execute format('alter table trivet.rating attach partition trivet.rating_load_%s for values in (%s)', load, load);
    update trivet.load l
    set state = 'complete', finished_at = clock_timestamp(), row_count = $4 - gave_way, reject_count = $5, dataset = $2
    where l.id = load;
end
$$;
comment on function trivet.load_attach(bigint, bigint, boolean, bigint, bigint) is 'Makes a load visible as this data set, and drops what it replaces of it, under the locks of load_lock; live ratings stay, and take the place of the load''s for the same pair.';
