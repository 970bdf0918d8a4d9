-- 001_schema: the tables, the roles and the version of the schema trivet.
--
-- Every file in this folder is plain SQL that `psql -f` runs any number of times, in the order of the names.
-- The programs carry them and apply them by themselves. Comments are on the objects: \dt+ trivet.* shows them.
--
-- What a function of ours refuses has the code TV001, by which programs tell it from a failure of PostgreSQL's, and is shown as
-- it is written; `using column` names the parameter that it is about.

-- A newer schema is refused before anything is touched.
do $$
declare
    known constant int := 2;
    found int;
begin
    if to_regclass('trivet.schema_version') is not null then
        execute 'select max(version) from trivet.schema_version' into found;
        if found > known then
            raise exception 'the schema trivet in this database has version %, newer than %, the version these files make', found, known
                using hint = 'use the newer trivet, or another database', errcode = 'TV001';
        end if;
    end if;
end
$$;

create schema if not exists trivet;
comment on schema trivet is 'trivet: ratings, the filter that chooses what a model learns from, and the journal of models';

create table if not exists trivet.schema_version (
    version    int primary key,
    applied_at timestamptz not null default now(),
    files      text
);
alter table trivet.schema_version add column if not exists files text;
comment on table trivet.schema_version is 'One row a version of this schema that was applied; programs refuse a version they do not know.';
comment on column trivet.schema_version.version is 'Number of the version, from 1.';
comment on column trivet.schema_version.applied_at is 'When it was first applied.';
comment on column trivet.schema_version.files is 'Hash of the SQL files that were applied last: others are applied anew by a load. Null: not all of them are through yet.';
insert into trivet.schema_version (version) values (2) on conflict do nothing;

-- --- roles -------------------------------------------------------------------------------------------------

do $$
declare
    role_name text;
begin
    foreach role_name in array array['trivet_reader', 'trivet_analyst', 'trivet_writer', 'trivet_owner'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I nologin', role_name);
        end if;
    end loop;
end
$$;
grant trivet_reader to trivet_analyst;
grant trivet_analyst to trivet_writer;
comment on role trivet_reader is 'trivet: may select, and call the functions that only read';
comment on role trivet_analyst is 'trivet: a reader who may also save filter presets';
comment on role trivet_writer is 'trivet: may load ratings and train models';
comment on role trivet_owner is 'trivet: owns all of its schema; nobody logs in as it, no login of people or programs belongs to it';

-- --- data sets ---------------------------------------------------------------------------------------------

create table if not exists trivet.dataset (
    id      bigint generated always as identity primary key,
    name    text unique check (octet_length(name) between 1 and 255),
    current boolean not null default false,
    made_at timestamptz not null default now()
);
alter table trivet.dataset add column if not exists forgets bigint not null default 0;
alter table trivet.dataset add column if not exists forgotten_rev bigint not null default 0;
create unique index if not exists dataset_one_current on trivet.dataset ((true)) where current;
comment on table trivet.dataset is 'One row a data set. The current one is what trivet.rating, item, tag and code show; another is kept beside them, whole (025_datasets).';
comment on column trivet.dataset.id is 'Number of the data set; the column dataset of loads, runs and indices.';
comment on column trivet.dataset.name is 'What a load called it: the same name again is the same data in a newer state. Null until the first load.';
comment on column trivet.dataset.current is 'True for the one that is loaded; at most one.';
comment on column trivet.dataset.made_at is 'When it was named first.';
comment on column trivet.dataset.forgets is 'How many times something was taken out by trivet-etl forget, each of its steps counted: lists that are made meanwhile are not stored.';
comment on column trivet.dataset.forgotten_rev is 'The highest rev (trivet.user_change, trivet.item_change) of a user or an item that was taken out: revs go on above it, so whoever comes back is not taken for older than what was theirs.';

create or replace function trivet.shell_word(word text) returns text
language sql immutable parallel safe as $$
    select case when shell_word.word ~ '^[A-Za-z0-9_.,:/+@%-]+$' then shell_word.word
                else '''' || replace(shell_word.word, '''', '''\''''') || '''' end
$$;
comment on function trivet.shell_word(text) is 'A text as one word of a shell, for commands in hints: quoted, where it must be.';

create or replace function trivet.current_dataset() returns bigint
language sql stable parallel safe as $$ select d.id from trivet.dataset d where d.current $$;
comment on function trivet.current_dataset() is 'Number of the data set that is loaded: the one that trivet.rating and all of its kind show.';

-- A transaction that keeps its snapshot sees items, codes and this table as they were, and yet the rows of tables that were
-- attached to trivet.rating since. What a snapshot shows and what the catalog has now are compared, which reads no row of them:
-- pg_partition_root looks at the catalog, to which snapshots are nothing. The root is trivet.rating_live where somebody has detached
-- that by hand, to look at what was loaded alone.
--
-- Whatever reads ratings asks it, as a subquery: (select trivet.check_snapshot()). That is done once a statement, ahead of the first
-- row, when the statement has the lock that keeps a switch off. Without the subquery it would be asked again for each row that a join
-- brings: 120 ms instead of 16 for 7,000 rows. It costs a statement some 15 us, and a pass over a million rows 4 ms of 31. Views of
-- items, tags and lists alone do not ask: their rows are those of the snapshot, and no lock of theirs keeps a switch off meanwhile.
-- A view calls functions with the rights of who reads it, and some logins may read public.ratings and nothing else: so everybody may
-- call it (090_grants), and it runs with its owner's rights.
create or replace function trivet.check_snapshot() returns boolean
language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp as $$
begin
    if (select coalesce(pg_partition_root(to_regclass('trivet.rating_live_' || d.id)) not in ('trivet.rating'::regclass, 'trivet.rating_live'::regclass), true)
        from trivet.dataset d where d.current) then
        raise exception 'another data set has taken the place of % since this transaction began',
            coalesce((select d.name from trivet.dataset d where d.current), 'the one that was loaded')
            using errcode = 'TV001',
                  hint = 'begin it again; LOCK TABLE ONLY trivet.rating IN ACCESS SHARE MODE, as its first statement, keeps the data set until it ends';
    end if;
    return true;
end
$$;
comment on function trivet.check_snapshot() is
'True where this transaction sees one data set. An error where it keeps a snapshot (REPEATABLE READ) of before another data set was loaded,
and so would read that one''s ratings beside items of its own.';

-- --- ratings -----------------------------------------------------------------------------------------------

-- Each load fills a table of its own and attaches it; a load of another data set detaches it again (025_datasets):
--     create table trivet.rating_load_7 (like trivet.rating);
--     copy trivet.rating_load_7 from stdin (freeze);   -- in the same transaction, so that the pages are born frozen
--     create index on trivet.rating_load_7 (user_id, item_id) include (value);
--     alter table trivet.rating_load_7 add check (load_id is not null and load_id = 7);  -- makes attaching cheap
--     alter table trivet.rating attach partition trivet.rating_load_7 for values in (7);
create table if not exists trivet.rating (
    user_id  bigint not null,
    item_id  bigint not null,
    value    real   not null,
    rated_at timestamptz,
    load_id  bigint
) partition by list (load_id);
comment on table trivet.rating is 'All ratings. A pair of user and item may stand more than once. One partition a load, and one for rows that came live.';
comment on column trivet.rating.user_id is 'The user''s own id, as it came.';
comment on column trivet.rating.item_id is 'The item''s own id, as it came.';
comment on column trivet.rating.value is 'The rating, on the scale of its source (stars, or a count of plays).';
comment on column trivet.rating.rated_at is 'When it was given; null where the source does not say.';
comment on column trivet.rating.load_id is 'The load that brought it (trivet.load.id); null: it came live.';

-- Of an older trivet, whose live ratings are one table: it becomes the part of the first data set, and analysts' views on it
-- read the new table of that name, as their text says.
do $$
declare
    v record;
    views text[] := '{}';
    text text;
begin
    if (select c.relkind from pg_class c where c.oid = to_regclass('trivet.rating_live')) is distinct from 'r' then
        return;
    end if;
    lock table trivet.rating in access exclusive mode;
    for v in select distinct r.ev_class::regclass as name, pg_get_viewdef(r.ev_class) as query,
                    coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '') as options
             from pg_depend d join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
                  join pg_class c on c.oid = r.ev_class and c.relkind = 'v'
             where d.refclassid = 'pg_class'::regclass and d.refobjid = 'trivet.rating_live'::regclass
    loop
        views := views || format('create or replace view %s%s as %s', v.name, v.options, v.query);
    end loop;
    alter table trivet.rating detach partition trivet.rating_live;
    alter table trivet.rating_live rename to rating_live_1;
    alter index trivet.rating_live_pair rename to rating_live_1_pair;
    create table trivet.rating_live partition of trivet.rating for values in (null) partition by range (user_id);
    foreach text in array views loop
        execute text;
    end loop;
end
$$;
create table if not exists trivet.rating_live partition of trivet.rating for values in (null) partition by range (user_id);
create index if not exists rating_live_pair on trivet.rating_live (user_id, item_id) include (value);
comment on table trivet.rating_live is 'Ratings that came live, one by one, those of the current data set: its one partition is trivet.rating_live_<data set>. A load never touches them.';

create or replace function trivet.attach_live(dataset bigint) returns void
language plpgsql as $$
declare
    name text := format('rating_live_%s', dataset);
begin
    if to_regclass('trivet.' || name) is null then
        execute format('create table trivet.%I (like trivet.rating)', name);
        execute format('grant select on trivet.%I to trivet_reader', name);
        execute format('grant insert, update, delete, truncate on trivet.%I to trivet_writer', name);
        execute format('comment on table trivet.%I is %L', name, format('Ratings of data set %s that came live.', dataset));
    end if;
    execute format('alter table trivet.rating_live attach partition trivet.%I for values from (minvalue) to (maxvalue)', name);
end
$$;
comment on function trivet.attach_live(bigint) is 'Shows a data set''s live ratings in trivet.rating_live; without any, an empty table is made for those to come.';

-- --- items and tags ----------------------------------------------------------------------------------------

create table if not exists trivet.item (
    item_id bigint primary key,
    title   text,
    year    int,
    genres  text[],
    imdb_id text,
    tmdb_id bigint,
    extra   jsonb
);
alter table trivet.item add column if not exists listed_title text;
comment on table trivet.item is 'What is known about items. An item may be rated without standing here.';
comment on column trivet.item.item_id is 'The item''s own id; trivet.rating.item_id.';
comment on column trivet.item.title is 'As people write it: "The Godfather: Part II (1974)".';
comment on column trivet.item.listed_title is 'As the file has it, where that is another: "Godfather: Part II, The (1974)". Catalogues are sorted by it.';
comment on column trivet.item.year is 'Year of release; null if unknown.';
comment on column trivet.item.genres is 'Names of genres; null or empty if unknown.';
comment on column trivet.item.imdb_id is 'IMDb''s id with its letters: tt0114709.';
comment on column trivet.item.tmdb_id is 'The Movie Database''s number.';
comment on column trivet.item.extra is 'All other known fields: overview, runtime, language, ...';

create table if not exists trivet.tag (
    user_id   bigint not null,
    item_id   bigint not null,
    tag       text   not null,
    tagged_at timestamptz
);
comment on table trivet.tag is 'Words that users put on items.';
comment on column trivet.tag.user_id is 'Who.';
comment on column trivet.tag.item_id is 'On what.';
comment on column trivet.tag.tag is 'The word or words.';
comment on column trivet.tag.tagged_at is 'When; null where the source does not say.';

-- --- codes -------------------------------------------------------------------------------------------------

create table if not exists trivet.code (
    kind text not null check (kind in ('user', 'item')),
    id   bigint not null,
    code text not null check (octet_length(code) between 1 and 255),
    constraint code_pkey primary key (kind, id),
    constraint code_kind_code_key unique (kind, code)
);
comment on table trivet.code is 'The dictionary of ids that are text, such as UUIDs: each has a number, which stands in the other tables and never changes.';
comment on column trivet.code.kind is 'user or item.';
comment on column trivet.code.id is 'The number, from 8000000000000000 up: trivet.rating.user_id or item_id.';
comment on column trivet.code.code is 'The id as it came, at most 255 bytes.';
create sequence if not exists trivet.code_live as bigint minvalue 8500000000000000 maxvalue 8999999999999998;
comment on sequence trivet.code_live is 'Numbers for codes that come live; loads count on their own from 8000000000000000.';

-- --- loads -------------------------------------------------------------------------------------------------

create table if not exists trivet.load (
    id          bigint generated always as identity primary key,
    state       text not null default 'loading' check (state in ('loading', 'complete', 'failed', 'replaced', 'away')),
    name        text not null,
    source      text not null,
    format      text,
    options     jsonb not null default '{}',
    fingerprint text,
    generated   boolean not null default false,
    started_at  timestamptz not null default now(),
    finished_at timestamptz,
    row_count   bigint,
    reject_count bigint,
    report      jsonb,
    message     text
);
comment on table trivet.load is 'One row a load, also those that failed: written on a connection of its own, so that it outlives a rollback.';
comment on column trivet.load.id is 'Number of the load; trivet.rating.load_id.';
comment on column trivet.load.state is 'loading, complete (its rows are in trivet.rating), away (they are kept, of a data set that is not the current one), failed, or replaced (by a later load).';
comment on column trivet.load.name is 'What people call the data: the folder''s or the file''s name.';
comment on column trivet.load.source is 'Path as given.';
comment on column trivet.load.format is 'The format that was found: movielens-csv, ml-1m, ml-100k, recbole, kaggle-movies, lastfm, plays-csv.';
comment on column trivet.load.options is 'The options that change what is loaded.';
comment on column trivet.load.fingerprint is 'Hash of the files'' names and bytes: what --if-changed compares.';
comment on column trivet.load.generated is 'True for a generated set: pages say so.';
comment on column trivet.load.started_at is 'When it began.';
comment on column trivet.load.finished_at is 'When it ended, well or not.';
comment on column trivet.load.row_count is 'Rows it brought, without those that trivet-etl forget deleted, and plays that a later load added to its own. Single ratings that took the place of some since, and SQL, do not change it: what there is, trivet.datasets() counts.';
comment on column trivet.load.reject_count is 'Input lines it refused.';
comment on column trivet.load.report is 'The report it printed, as JSON.';
comment on column trivet.load.message is 'Why it failed.';

alter table trivet.load add column if not exists dataset bigint;
comment on column trivet.load.dataset is 'The data set that it brought, or added to; null while it is not complete.';
do $$
begin
    if not exists (select from pg_constraint where conrelid = 'trivet.load'::regclass and pg_get_constraintdef(oid) like '%away%') then
        alter table trivet.load drop constraint load_state_check;
        alter table trivet.load add constraint load_state_check check (state in ('loading', 'complete', 'failed', 'replaced', 'away'));
    end if;
end
$$;

create table if not exists trivet.reject (
    load_id bigint not null references trivet.load (id) on delete cascade,
    file    text   not null,
    line    bigint not null,
    reason  text   not null,
    raw     text
);
create index if not exists reject_load on trivet.reject (load_id);
comment on table trivet.reject is 'One row an input line that a load refused.';
comment on column trivet.reject.load_id is 'The load.';
comment on column trivet.reject.file is 'File name within the source.';
comment on column trivet.reject.line is 'Line number, from 1.';
comment on column trivet.reject.reason is 'What is wrong with it, in a few words.';
comment on column trivet.reject.raw is 'Its first 1,000 bytes; bytes that are no UTF-8 are shown as \xHH.';

-- --- the journal -------------------------------------------------------------------------------------------

create table if not exists trivet.run (
    id          bigint generated always as identity primary key,
    kind        text not null default 'fit',
    state       text not null default 'building',
    started_at  timestamptz not null default now(),
    finished_at timestamptz,
    live_at     timestamptz,
    command     text,
    algorithm   text,
    parameters  jsonb not null default '{}',
    filter      jsonb not null default '{}',
    source      text,
    counts      jsonb not null default '{}',
    data        jsonb not null default '{}',
    fingerprint text,
    metrics     jsonb not null default '{}',
    message     text
);
alter table trivet.run add column if not exists kind text not null default 'fit'; -- older schemas have trainings only
do $$
begin
    if not exists (select from pg_constraint where conrelid = 'trivet.run'::regclass and conname = 'run_kind_check') then
        alter table trivet.run drop constraint if exists run_state_check;
        update trivet.run set kind = 'import' where parameters ? 'imported_from';
        alter table trivet.run
            add constraint run_kind_check check (kind in ('fit', 'import', 'evaluate', 'search')),
            add constraint run_state_check
                check (state in ('building', 'kept', 'activating', 'live', 'pruned', 'done', 'failed')),
            add constraint run_makes_model_check
                check (state in ('building', 'failed') or (state = 'done') = (kind in ('evaluate', 'search')));
    end if;
end
$$;
alter table trivet.run add column if not exists dataset bigint default trivet.current_dataset();
create unique index if not exists run_one_live on trivet.run ((true)) where state = 'live';
comment on table trivet.run is 'The journal: one row a training, an import, an evaluation or a search. Its id is the model''s number everywhere.';
comment on column trivet.run.id is 'Number of the run, and of its model if it makes one.';
comment on column trivet.run.kind is 'fit and import make a model; evaluate and search do not.';
comment on column trivet.run.state is 'building; of a model: kept (complete, not shown), activating, live (at most one), pruned (its factors are deleted); of others: done; failed.';
comment on column trivet.run.started_at is 'When it began.';
comment on column trivet.run.finished_at is 'When the model was complete, the run was done, or it failed.';
comment on column trivet.run.live_at is 'When it was last switched to.';
comment on column trivet.run.command is 'The command line.';
comment on column trivet.run.algorithm is 'svd, als or als-implicit.';
comment on column trivet.run.parameters is 'The algorithm''s parameters as they were asked for: factors, ...; of an imported model also imported_from and imported_number.';
comment on column trivet.run.filter is 'The filter''s parameters with all their values.';
comment on column trivet.run.source is 'The SQL that was read: the FROM of the training rows.';
comment on column trivet.run.counts is 'Rows, users and items learned from, factors that the model has, users folded in, bytes written, seconds a step.';
comment on column trivet.run.data is 'The loads that stood in trivet.rating: id, name, fingerprint.';
comment on column trivet.run.dataset is 'The data set that was read; null: an older trivet''s, whose data is gone.';
comment on column trivet.run.fingerprint is 'Hash of data, source and parameters: what --if-changed compares.';
comment on column trivet.run.metrics is 'What was measured on ratings kept apart, and which those were; trivet.run_metrics has it as rows.';
comment on column trivet.run.message is 'Why it failed, or why its model was not made live.';

-- Live ratings of an older trivet stayed when another data set was loaded over theirs. They belong to the one that was loaded when
-- they came, and are put away as its, with the codes they need and what is known of their changes; a load of its name has them again.
create or replace function trivet.part_live() returns void
language plpgsql as $$
declare
    set_name text;
    away bigint;
    t text;
begin
    create temporary table parted on commit drop as
    select r.user_id, r.item_id, l.name from trivet.rating_live r, lateral (
        select l.name from trivet.load l
        where l.state in ('complete', 'replaced') and l.options ->> 'append' is distinct from 'true' and l.finished_at <= r.rated_at
        order by l.finished_at desc limit 1) l
    where l.name not in (select l.name from trivet.load l where l.state = 'complete');
    for set_name in select distinct p.name from parted p order by 1 loop
        insert into trivet.dataset (name) values (set_name) on conflict (name) do nothing;
        select d.id into away from trivet.dataset d where d.name = set_name;
        execute format('create table trivet.%I (like trivet.rating)', 'rating_live_' || away);
        execute format('with gone as (delete from trivet.rating_live r using parted p where p.name = $1 and (r.user_id, r.item_id) = '
                       '(p.user_id, p.item_id) returning r.*) insert into trivet.%I select * from gone', 'rating_live_' || away) using set_name;
        foreach t in array '{user,item}'::text[] loop
            execute format('create table trivet.%I as select * from trivet.%I c where c.%I in (select p.%3$I from parted p where p.name = %L)',
                           t || '_change_' || away, t || '_change', t || '_id', set_name);
            execute format('delete from trivet.%I c where c.%I in (select p.%2$I from parted p where p.name = %L) '
                           'and not exists (select from trivet.rating_live r where r.%2$I = c.%2$I)', t || '_change', t || '_id', set_name);
        end loop;
        execute format('create table trivet.%I as select * from trivet.code c where c.id in (select case c.kind when ''user'' then p.user_id '
                       'else p.item_id end from parted p where p.name = %L)', 'code_' || away, set_name);
        execute format('comment on table trivet.%I is %L', 'rating_live_' || away, format('Ratings of data set %s that came live.', away));
        foreach t in array '{user_change,item_change,code}'::text[] loop
            execute format('comment on table trivet.%I is %L', t || '_' || away, format('Rows of trivet.%s of data set %s, which is away.', t, away));
        end loop;
        raise warning 'live ratings that came before % was replaced are kept as of that data set', set_name
            using hint = format('a load of that name has them again: trivet-etl load DIR --name %s', trivet.shell_word(set_name));
    end loop;
    drop table parted;
end
$$;

-- The first data set. In a database of an older trivet it is what is loaded there, and other names that its journal has are data
-- sets without rows, because a load replaced whatever there was.
do $$
declare
    first bigint;
begin
    if exists (select from trivet.dataset) then
        return;
    end if;
    insert into trivet.dataset (name, current)
    select string_agg(l.name, ' + ' order by l.id), true from trivet.load l where l.state = 'complete' returning id into first;
    perform trivet.attach_live(first);
    update trivet.load l set dataset = first where l.state = 'complete';
    insert into trivet.dataset (name)
    select distinct r.data ->> 'name' from trivet.run r
    where octet_length(r.data ->> 'name') between 1 and 255 and r.data ->> 'name' <> 'no load' on conflict (name) do nothing;
    update trivet.run r set dataset = coalesce((select d.id from trivet.dataset d where d.name = r.data ->> 'name'),
                                               case when r.data ->> 'name' = 'no load' then first end);
    perform trivet.part_live();
end
$$;
drop function trivet.part_live();

create or replace function trivet.lock_key() returns bigint
language sql immutable parallel safe as $$ select 8390885012973826098 $$;
comment on function trivet.lock_key() is 'Key of the session advisory lock that guards load, fit, activate, rollback, repair and prune.';

-- SECURITY DEFINER: what another login's program calls itself is hidden from a plain login.
create or replace function trivet.lock_holder()
returns table (pid int, program text, since timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select a.pid, a.application_name, a.backend_start
    from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
      and (l.classid::bigint << 32 | l.objid::bigint) = trivet.lock_key()
$$;
comment on function trivet.lock_holder() is 'Who holds the lock: process, application name (it names the run) and since when the connection stands.';

-- A function beside the one above, which older programs call, too. Zero while the session works.
create or replace function trivet.lock_silence() returns interval
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select case when a.state = 'active' then interval '0' else date_trunc('second', clock_timestamp() - a.state_change) end
    from trivet.lock_holder() h join pg_stat_activity a on a.pid = h.pid
$$;
comment on function trivet.lock_silence() is 'How long the session that holds the lock has asked nothing.';
