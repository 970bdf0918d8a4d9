-- 022_similar: what the index of similar items in Redis is made of, and what has changed since.
--
-- trivet-train similar builds an index from the rows of a source, the SQL text in similar_index.source. From the moment it
-- is begun, a trigger writes down each pair of user and item whose ratings change, once for every index that is being
-- built or serves: that is the queue from which the index follows, and whatever comes while Redis is away waits in it.
-- The queue says which pair, not what happened: whoever works it off asks the source whether the pair is there now. So
-- order, repeats, filters and corrections need no thought, and doing it twice changes nothing.
--
-- An event is kept for a while after it was applied, with the time: if Redis comes back as it was some seconds ago, its
-- counter of changes is behind similar_index.changes, and the kept events are applied again.
--
-- An index is of one data set (025_datasets), and Redis keeps one of each. One of them serves, `live`; those of other data
-- sets are `kept`, whole. Events are written while an index's data set is the current one, and applied while it serves.

create table if not exists trivet.similar_index (
    id             bigint generated always as identity primary key,
    state          text not null default 'building' check (state in ('building', 'live', 'kept', 'dropped', 'failed')),
    started_at     timestamptz not null default now(),
    finished_at    timestamptz,
    source         text not null,
    own_source     boolean not null default false,
    signature_size int not null,
    changes        bigint not null default 0,
    counts         jsonb not null default '{}',
    message        text
);
alter table trivet.similar_index add column if not exists fingerprint text;
comment on table trivet.similar_index is 'One row an index of similar items that was begun; its id is the number in the keys of Redis.';
comment on column trivet.similar_index.id is 'Number of the index: trivet:similar:{id} in Redis.';
comment on column trivet.similar_index.state is 'building; live (Redis names it in trivet:similar:live); kept (whole, of a data set that does not serve); dropped (another took its place, or it is lost); failed.';
comment on column trivet.similar_index.started_at is 'When it was begun: rows that changed later come through trivet.similar_event.';
comment on column trivet.similar_index.finished_at is 'When it was switched to, or failed.';
comment on column trivet.similar_index.source is 'The FROM of its rows: SQL with the columns userid and movieid.';
comment on column trivet.similar_index.own_source is 'True for --source: SQL of an analyst''s own, which only a reader runs.';
comment on column trivet.similar_index.signature_size is 'Values of a signature.';
comment on column trivet.similar_index.changes is 'What trivet:similar:{id}:changes in Redis was when events were applied last.';
comment on column trivet.similar_index.counts is 'Rows read, users and items, seconds a step.';
comment on column trivet.similar_index.message is 'Why it failed.';
comment on column trivet.similar_index.fingerprint is 'trivet.similar_state() as it was begun: what --if-changed compares.';

-- An index of an older trivet is of what was loaded when it was begun. Where no load tells what that was, or another set has replaced
-- it since, whose changes that trivet applied to the index, too, it is of none, and is dropped (trivet.similar_fates).
do $$
begin
    if exists (select from pg_attribute a where a.attrelid = 'trivet.similar_index'::regclass and a.attname = 'dataset' and not a.attisdropped) then
        return;
    end if;
    alter table trivet.similar_index add column dataset bigint;
    update trivet.similar_index i set dataset = (
        with whole as (
            select l.* from trivet.load l
            where l.state in ('complete', 'away', 'replaced') and l.options ->> 'append' is distinct from 'true'
        ), shown as (
            select w.* from whole w where w.finished_at <= i.started_at order by w.finished_at desc limit 1
        )
        select coalesce(s.dataset, (select d.id from trivet.dataset d where d.name = s.name)) from shown s
        where not exists (select from whole w where w.finished_at > i.started_at and w.name <> s.name));
end
$$;
alter table trivet.similar_index alter column dataset set default trivet.current_dataset();
comment on column trivet.similar_index.dataset is 'The data set that it is made of; null: nothing tells, of an older trivet''s.';

do $$
begin
    if not exists (select from pg_constraint where conrelid = 'trivet.similar_index'::regclass and conname = 'similar_index_state_check'
                   and pg_get_constraintdef(oid) like '%kept%') then -- of an older schema
        alter table trivet.similar_index drop constraint similar_index_state_check,
            add constraint similar_index_state_check check (state in ('building', 'live', 'kept', 'dropped', 'failed'));
    end if;
end
$$;

-- A program runs such a source with its own rights, so it can be nothing but the call that trivet-train writes.
do $$
begin
    if not exists (select from pg_constraint where conrelid = 'trivet.similar_index'::regclass and conname = 'similar_index_source_check') then
        alter table trivet.similar_index add constraint similar_index_source_check check (own_source or source ~
            '^trivet\.similar_rows\((min_rating => ''[^''\\]*''::real)?(, )?(rated_since => ''[^''\\]*''::timestamptz)?\)$');
    end if;
end
$$;

create table if not exists trivet.similar_event (
    id         bigint generated always as identity primary key,
    index_id   bigint not null,
    item_id    bigint not null,
    user_id    bigint not null,
    applied_at timestamptz
);
create index if not exists similar_event_waiting on trivet.similar_event (index_id, id) where applied_at is null;
drop index if exists trivet.similar_event_applied; -- of older schemas
create index if not exists similar_event_heard on trivet.similar_event (index_id, applied_at) where applied_at is not null;
comment on table trivet.similar_event is 'Pairs of user and item whose ratings changed: what an index of similar items has still to hear.';
comment on column trivet.similar_event.id is 'In the order of the changes of a pair.';
comment on column trivet.similar_event.index_id is 'For which index: trivet.similar_index.id.';
comment on column trivet.similar_event.item_id is 'The item.';
comment on column trivet.similar_event.user_id is 'The user.';
comment on column trivet.similar_event.applied_at is 'When the index heard of it; null: not yet.';

create or replace function trivet.similar_rows(min_rating real = null, rated_since timestamptz = null)
returns table (userid bigint, movieid bigint, rating real)
language sql stable parallel safe as $$
    select r.user_id, r.item_id, r.value from trivet.rating r
    where (select trivet.check_snapshot())
      and (similar_rows.min_rating is null or r.value >= similar_rows.min_rating)
      and (similar_rows.rated_since is null or r.rated_at >= similar_rows.rated_since)
$$;
comment on function trivet.similar_rows(real, timestamptz) is
'Who is counted among the audience of which item: all ratings, or those from min_rating on, or given since a moment.';

-- As the owner of the queue, so that whoever writes ratings needs no right on it.
create or replace function trivet.note_similar_event() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op <> 'INSERT' then
        insert into trivet.similar_event (index_id, item_id, user_id)
        select i.id, old.item_id, old.user_id from trivet.similar_index i
        where i.state in ('building', 'live', 'kept') and i.dataset = trivet.current_dataset();
    end if;
    if tg_op <> 'DELETE' and (tg_op = 'INSERT' or (new.item_id, new.user_id) <> (old.item_id, old.user_id)) then
        insert into trivet.similar_event (index_id, item_id, user_id)
        select i.id, new.item_id, new.user_id from trivet.similar_index i
        where i.state in ('building', 'live', 'kept') and i.dataset = trivet.current_dataset();
    end if;
    return null;
end
$$;
comment on function trivet.note_similar_event() is 'Trigger of trivet.rating: writes the pair down for the indices of similar items of the current data set. A load, which attaches a table, does not fire it.';

do $$
begin
    if not exists (select from pg_trigger where tgrelid = 'trivet.rating'::regclass and tgname = 'rating_similar') then
        create trigger rating_similar after insert or update or delete on trivet.rating
            for each row execute function trivet.note_similar_event();
    end if;
    -- Also where a session calls itself a replica. Whoever has switched it off altogether is left alone.
    if exists (select from pg_trigger where tgrelid = 'trivet.rating'::regclass and tgname = 'rating_similar' and tgenabled = 'O') then
        alter table trivet.rating enable always trigger rating_similar;
    end if;
end
$$;

create or replace function trivet.similar_lock_key() returns bigint
language sql immutable parallel safe as $$ select 8390885012973826099 $$;
comment on function trivet.similar_lock_key() is 'Key of the advisory lock of the one who works off trivet.similar_event: events of a pair must not overtake one another.';

-- Whoever builds an index holds it: an advisory lock in the space of two numbers ('tsim' in ASCII, and the id's lower 31
-- bits), which ends with the connection, however that ends. So a row that says building tells whether anybody builds.
create or replace function trivet.hold_similar(index_id bigint) returns void
language sql volatile as $$ select pg_advisory_lock(1953720685, (index_id & 2147483647)::int) $$;
comment on function trivet.hold_similar(bigint) is 'Marks an index of similar items as being built until this connection ends.';

create or replace function trivet.similar_is_held(index_id bigint) returns boolean
language sql stable as $$
    select exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.granted and l.objsubid = 2
          and l.database = (select oid from pg_database where datname = current_database())
          and l.classid::bigint = 1953720685 and l.objid::bigint = similar_is_held.index_id & 2147483647)
$$;
comment on function trivet.similar_is_held(bigint) is 'True while a connection holds this index: its process is there.';

-- Whoever writes ratings right now is waited for: their rows are either in what the build reads, or in the queue. The caller
-- sets a short lock_timeout and comes again (include/trivet/schema/patient.h), because all who rate later queue up behind it.
create or replace function trivet.similar_begin(source text, own_source boolean, signature_size int, schemas text = null) returns bigint
language plpgsql as $$
declare
    number bigint;
begin
    lock table trivet.rating in share mode;
    -- Read before the snapshot of the build, so that what comes in between is a change, and after the lock.
    insert into trivet.similar_index (source, own_source, signature_size, fingerprint)
    select similar_begin.source, similar_begin.own_source, similar_begin.signature_size, s.state
    from trivet.similar_state(similar_begin.source, similar_begin.own_source, similar_begin.schemas) s returning id into number;
    perform trivet.fold_hand_changes();
    perform trivet.hold_similar(number);
    return number;
end
$$;
comment on function trivet.similar_begin(text, boolean, int, text) is 'Begins an index, and holds it: from now on changes of ratings are written down for it. schemas: where the reader looks for names in the source. Returns its number.';

-- What Redis holds is known to the caller alone, who asks it of each of these.
create or replace function trivet.similar_stored() returns bigint[]
language sql stable as $$
    select coalesce(array_agg(i.id order by i.id), '{}') from trivet.similar_index i where i.state in ('building', 'live', 'kept')
$$;
comment on function trivet.similar_stored() is 'The indices of similar items that Redis may hold.';

-- The model and the rows that are loaded decide where both are of one data set, and where no model is live the rows alone, if there
-- is an index of them. Otherwise, as after a load of other data that nobody has trained on yet, what serves goes on: that of the
-- live index, or where there is none, of the model.
create or replace function trivet.similar_wanted(live bigint, gone bigint[]) returns bigint
language sql stable as $$
    with here as (
        select i.id, i.dataset from trivet.similar_index i join trivet.dataset d on d.id = i.dataset
        where (i.state in ('live', 'kept') or i.state = 'building' and i.id = similar_wanted.live)
          and not i.id = any (similar_wanted.gone)
    ), model as (
        select (select r.dataset from trivet.run r where r.state = 'live') as dataset
    ), wanted as (
        select case when m.dataset = trivet.current_dataset() then m.dataset
                    when m.dataset is null and exists (select from here h where h.dataset = trivet.current_dataset())
                    then trivet.current_dataset()
                    else coalesce((select h.dataset from here h where h.id = similar_wanted.live), m.dataset, trivet.current_dataset())
               end as dataset
        from model m
    )
    select case when similar_wanted.live <> 0 and not exists (select from here h where h.id = similar_wanted.live)
                     and not exists (select from trivet.similar_index i where i.id = similar_wanted.live
                                     and not exists (select from trivet.dataset d where d.id = i.dataset))
                then similar_wanted.live -- somebody else's, or one that was over: repair tells
                else coalesce((select h.id from here h join wanted w on w.dataset = h.dataset
                               order by h.id = similar_wanted.live desc, h.id desc limit 1), 0) end
$$;
comment on function trivet.similar_wanted(bigint, bigint[]) is 'Which index of similar items is to serve (0: none), where Redis calls this one live (0: none) and does not hold those.';

create or replace function trivet.similar_fates(among bigint[], live bigint, gone bigint[]) returns table (id bigint, fate text)
language sql stable as $$
    with stored as (
        select i.id, i.state, i.dataset from trivet.similar_index i
        where i.state in ('building', 'live', 'kept')
    ), fated as (
        select s.id, s.state,
               case when s.id = similar_fates.live then 'live'
                    when s.state = 'building' then 'failed'
                    when s.id = any (similar_fates.gone)
                         or not exists (select from trivet.dataset d where d.id = s.dataset)
                         or exists (select from stored o where o.dataset = s.dataset
                                    and (o.id = similar_fates.live
                                         or o.id > s.id and o.state in ('live', 'kept') and not o.id = any (similar_fates.gone)))
                    then 'dropped' else 'kept' end as fate
        from stored s
        where s.id = any (similar_fates.among) or s.state in ('live', 'kept') and similar_fates.live = any (similar_fates.among)
    )
    select f.id, f.fate from fated f where f.fate <> f.state
$$;
comment on function trivet.similar_fates(bigint[], bigint, bigint[]) is 'What becomes of indices of similar items, for trivet.similar_over: one a data set stays, the live one or else the newest that Redis holds.';

-- Whoever works on events of several indices locks the rows of similar_index first, upwards; trivet.similar_applied begins with
-- its own. So no two meet among the events.
drop function if exists trivet.similar_over(bigint[], bigint, text); -- of older schemas: they knew one index
create or replace function trivet.similar_over(among bigint[], live bigint, gone bigint[], message text) returns bigint
language plpgsql as $$
declare
    n bigint;
begin
    -- As nearly always there is nothing to do: then nothing is locked.
    if not exists (select from trivet.similar_fates(similar_over.among, similar_over.live, similar_over.gone)) then
        return 0;
    end if;
    perform from trivet.similar_index i order by i.id for no key update;
    update trivet.similar_index i
    set state = f.fate, finished_at = coalesce(i.finished_at, now()),
        message = case when f.fate = 'failed' then similar_over.message else i.message end
    from trivet.similar_fates(similar_over.among, similar_over.live, similar_over.gone) f
    where i.id = f.id;
    get diagnostics n = row_count;
    delete from trivet.similar_event e
    where not exists (select from trivet.similar_index i where i.id = e.index_id and i.state in ('building', 'live', 'kept'));
    return n;
end
$$;
comment on function trivet.similar_over(bigint[], bigint, bigint[], text) is 'Of these indices none is built any more: one may be live (0: none), and Redis does not hold those that are gone. Each is called what it is by now, and events of those that are over go. If the live one is among these, it stands in the place of all others. Returns how many changed.';

drop function if exists trivet.similar_settle(bigint, text); -- of older schemas
create or replace function trivet.similar_settle(live bigint, gone bigint[] = '{}', message text = null) returns bigint
language plpgsql as $$
declare
    n bigint := trivet.similar_over(trivet.similar_stored(), similar_settle.live, similar_settle.gone,
                                    coalesce(similar_settle.message, 'its build ended before it was whole'));
begin
    -- A rating that was under way as an index ended has written for it afterwards.
    perform from trivet.similar_index i order by i.id for no key update;
    delete from trivet.similar_event e
    where not exists (select from trivet.similar_index i where i.id = e.index_id and i.state in ('building', 'live', 'kept'));
    return n;
end
$$;
comment on function trivet.similar_settle(bigint, bigint[], text) is 'Makes the journal say what Redis says: which index is live (0: none), and which it does not hold. Nothing is built meanwhile, for the caller holds the lock with which indices are built. Returns how many changed.';

-- The same without that lock, for the one who follows changes: otherwise the events of an index whose process was killed, or
-- that Redis has lost, would be kept until the next build. Only Redis knows whether an index was switched to in the last
-- moment of its process, and a process that is gone switches to none any more. So the list comes first, then Redis is asked.
create or replace function trivet.similar_unheld(followed bigint) returns bigint[]
language sql stable as $$
    select coalesce(array_agg(i.id order by i.id), '{}') from trivet.similar_index i
    where i.state = 'live' and i.id = similar_unheld.followed or i.state = 'building' and not trivet.similar_is_held(i.id)
$$;
comment on function trivet.similar_unheld(bigint) is 'The indices of similar items that nobody builds though they are called building, and the one that was followed, if it is called live.';

drop function if exists trivet.similar_end(bigint[], bigint); -- of older schemas
create or replace function trivet.similar_end(among bigint[], live bigint, gone bigint[]) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select trivet.similar_over(array(select i.id from trivet.similar_index i where i.id = any (similar_end.among)
                                     and (i.state = 'live' or not trivet.similar_is_held(i.id))),
                               similar_end.live, similar_end.gone, 'its build ended before it was whole')
$$;
comment on function trivet.similar_end(bigint[], bigint, bigint[]) is 'Ends indices out of a list of similar_unheld that Redis, asked afterwards, does not call live; those that it still holds, of another data set, are kept. Returns how many changed.';

create or replace function trivet.similar_applied(index_id bigint, events bigint[], changes bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    update trivet.similar_index i set changes = similar_applied.changes where i.id = similar_applied.index_id;
    update trivet.similar_event e set applied_at = now() where e.id = any (similar_applied.events);
    delete from trivet.similar_event e using trivet.similar_index i
    where e.index_id = i.id and i.state in ('building', 'live') and e.applied_at < now() - interval '10 minutes';
$$;
comment on function trivet.similar_applied(bigint, bigint[], bigint) is 'Notes that an index has heard of events, and how many changes it counts since; forgets those applied ten minutes ago, but for indices that are kept: nobody has looked yet whether Redis lost any.';

create or replace function trivet.similar_again(index_id bigint, changes bigint) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
    update trivet.similar_index i set changes = similar_again.changes where i.id = similar_again.index_id;
    update trivet.similar_event e set applied_at = null
    where e.index_id = similar_again.index_id and e.applied_at is not null;
    select count(*) from trivet.similar_event e where e.index_id = similar_again.index_id and e.applied_at is null;
$$;
comment on function trivet.similar_again(bigint, bigint) is 'For a Redis that came back older than it was: the events that are kept are to be applied again. Returns how many wait.';

create or replace function trivet.similar_data(index_id bigint) returns text
language sql stable parallel safe as $$
    select case when i.dataset is distinct from trivet.current_dataset()
                then format('was made of the data set %s, but %s is loaded',
                            coalesce(d.name, case when i.dataset is null then 'that was replaced' else 'that was dropped' end),
                            coalesce((select c.name from trivet.dataset c where c.current), 'one without a name'))
                when exists (select from trivet.load l where l.state = 'complete' and l.finished_at > i.started_at)
                then format('was made before the data set %s was loaded last', d.name) end
    from trivet.similar_index i left join trivet.dataset d on d.id = i.dataset where i.id = similar_data.index_id
$$;
comment on function trivet.similar_data(bigint) is 'What is to be said about the data of an index of similar items, as the end of a sentence; null: it is of what is loaded.';

create or replace function trivet.similar_none() returns text
language sql stable parallel safe as $$
    select format('no index of similar items is of the data set %s; kept: %s',
                  coalesce((select d.name from trivet.dataset d
                            where d.id = coalesce((select r.dataset from trivet.run r where r.state = 'live'), trivet.current_dataset())),
                           'that serves'),
                  string_agg(format('%s, of %s', i.id, coalesce(d.name, 'one that was dropped')), '; ' order by i.id))
    from trivet.similar_index i left join trivet.dataset d on d.id = i.dataset where i.state = 'kept' having count(*) > 0
$$;
comment on function trivet.similar_none() is 'What is to be said where no index of similar items is live, though Redis has some of other data sets; null: it has none.';
