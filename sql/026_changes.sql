-- 026_changes: what stands in trivet.rating, item, tag and code now, as a text that changes when any of it does: what
-- `fit --if-changed` and `similar --if-changed` compare.
--
-- Three things say that rows changed, and none of them reads rows: the list of loads and of the tables that hold ratings; the
-- revs of users who rate live (004_live); and for whatever else writes, a statement by hand, a note that a trigger on each
-- table leaves in trivet.hand_change. The note is of the statement's own transaction, so a training sees it exactly where it
-- sees the change: a sequence or a time would also be seen of a transaction that ends after the training has read.

create table if not exists trivet.hand_change (
    relation text        not null,
    xid      xid8        not null,
    at       timestamptz not null,
    mix      numeric     not null,
    told     boolean     not null default false,
    constraint hand_change_pkey primary key (relation, xid, at, told)
);
do $$
begin
    if not exists (select from pg_attribute a where a.attrelid = 'trivet.hand_change'::regclass and a.attname = 'told' and not a.attisdropped) then
        alter table trivet.hand_change add column told boolean not null default false, -- of an older schema
            drop constraint hand_change_pkey, add constraint hand_change_pkey primary key (relation, xid, at, told);
    end if;
end
$$;
comment on table trivet.hand_change is 'A row a table and transaction that changed it other than by a load or trivet.rate, two where only some of it was told; older ones are added up.';
comment on column trivet.hand_change.relation is 'Name of the table that has the rows; rating, item, tag and code have the current data set''s: rating_<data set> and so on.';
comment on column trivet.hand_change.xid is 'The transaction.';
comment on column trivet.hand_change.at is 'When it began. With it a transaction has a name that no other has, also after a restore into another server.';
comment on column trivet.hand_change.mix is 'A hash of the three, or the sum of those of the rows whose place this one took: sums stay what they are.';
comment on column trivet.hand_change.told is 'Each row that changed also went to trivet.similar_event, so that an index of similar items follows by itself.';

create or replace function trivet.fold_hand_changes(relation text = null) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    with old as materialized (
        select h.relation, h.xid, h.at, h.told from trivet.hand_change h
        where h.xid <> pg_current_xact_id() and (fold_hand_changes.relation is null or h.relation = fold_hand_changes.relation)
        for update skip locked
    ), gone as (
        delete from trivet.hand_change h using old where (h.relation, h.xid, h.at, h.told) = (old.relation, old.xid, old.at, old.told)
        returning h.relation, h.mix, h.told
    )
    insert into trivet.hand_change as h (relation, xid, at, mix, told)
    select g.relation, pg_current_xact_id(), now(), sum(g.mix), g.told from gone g
    where to_regclass(format('trivet.%I', g.relation)) is not null
       or substring(g.relation from '^(?:rating|item|tag|code)_([0-9]+)$') in (select d.id::text from trivet.dataset d)
    group by g.relation, g.told
    on conflict on constraint hand_change_pkey do update set mix = h.mix + excluded.mix
$$;
comment on function trivet.fold_hand_changes(text) is 'Makes one row, or two, of all of a table''s in trivet.hand_change, and forgets those of tables that are gone. Waits for nobody.';

-- A table that is detached has lost the trigger of 022_similar, one may be switched off, and a session may call itself a replica;
-- of a partitioned table each partition has one of its own. Of a table that is no partition there is no tree.
create or replace function trivet.rows_are_told(changed oid) returns boolean
language sql stable as $$
    select coalesce(bool_and(exists (
        select from pg_trigger t
        where t.tgrelid = p.relid and t.tgfoid = to_regproc('trivet.note_similar_event')
          and t.tgenabled in ('A', case current_setting('session_replication_role') when 'replica' then 'R' else 'O' end))), false)
    from pg_partition_tree(rows_are_told.changed) p where p.isleaf
$$;
comment on function trivet.rows_are_told(oid) is 'Whether a row that this session changes in a table now is written to trivet.similar_event.';

-- As the owner of the notes, so that whoever may change rows needs no right on them.
create or replace function trivet.note_change(relation text = 'rating_' || trivet.current_dataset(), told boolean = false) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into trivet.hand_change (relation, xid, at, mix, told)
    values (note_change.relation, pg_current_xact_id(), now(),
            hashtextextended(concat_ws(' ', note_change.relation, pg_current_xact_id(), extract(epoch from now())), 0), note_change.told)
    on conflict on constraint hand_change_pkey do nothing
$$;
comment on function trivet.note_change(text, boolean) is
'Notes that this transaction changes a table. Without a name: something of the current data set, for whoever changes rows in a way that no trigger sees.';

-- Now and then the notes are folded here, too, for a database in which nobody trains; where a transaction is stricter than READ
-- COMMITTED, that could fail it. One that began before another data set was loaded has changed that one's rows, which it cannot mean:
-- the titles that it sees are those of before.
create or replace function trivet.note_hand_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    relation text := tg_table_name || case when tg_table_name in ('rating', 'rating_live', 'item', 'tag', 'code') then '_' || trivet.current_dataset() else '' end;
begin
    perform trivet.check_snapshot();
    perform trivet.note_change(relation, tg_op <> 'TRUNCATE' and trivet.rows_are_told(tg_relid));
    if random() < 0.001 and current_setting('transaction_isolation') = 'read committed' then
        perform trivet.fold_hand_changes(relation);
    end if;
    return null;
end
$$;
comment on function trivet.note_hand_change() is 'Trigger of the tables of ratings, items, tags and codes: notes that a statement changed one; an error where trivet.check_snapshot() is one.';

-- ALWAYS: also where a session calls itself a replica, as restores and tools of replication do. The condition spares those who
-- count their changes themselves (trivet.counted_elsewhere) the call. A code that is new is nobody's yet.
create or replace function trivet.note_changes_of(changed regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from pg_trigger t where t.tgrelid = note_changes_of.changed and t.tgname = 'hand_change') then
        execute format('create trigger hand_change after %s update or delete or truncate on %s for each statement '
                       'when (current_setting(''trivet.counted'', true) is distinct from pg_current_xact_id_if_assigned()::text) '
                       'execute function trivet.note_hand_change()',
                       case when (select c.relname ~ '^code(_[0-9]+)?$' from pg_class c where c.oid = note_changes_of.changed) then '' else 'insert or' end,
                       note_changes_of.changed);
    end if;
    if exists (select from pg_trigger t where t.tgrelid = note_changes_of.changed and t.tgname = 'hand_change' and t.tgenabled <> 'A') then
        execute format('alter table %s enable always trigger hand_change', note_changes_of.changed);
    end if;
end
$$;
comment on function trivet.note_changes_of(regclass) is 'From now on statements that change a table are noted in trivet.hand_change, also if its trigger was off. A load''s table gets it when it is filled, and keeps it while its data set is away.';

-- ENABLE TRIGGER ALL, with which pg_restore --disable-triggers ends, leaves them on, but not ALWAYS. What is off stays off: that was
-- somebody's wish, and nothing counts as unchanged meanwhile (unwatched). Of writers nobody is kept waiting for long.
create or replace function trivet.watch_again() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    t record;
begin
    for t in select g.tgrelid::regclass as relation, g.tgname as name from pg_trigger g join pg_class c on c.oid = g.tgrelid
             where g.tgenabled = 'O' and c.relnamespace = 'trivet'::regnamespace
               and g.tgfoid in ('trivet.note_hand_change'::regproc, 'trivet.note_similar_event'::regproc)
             order by c.relkind <> 'p', c.relname
    loop
        perform set_config('lock_timeout', '100ms', true);
        execute format('alter table %s enable always trigger %I', t.relation, t.name);
    end loop;
exception when lock_not_available then
    null; -- the next command does it
end
$$;
comment on function trivet.watch_again() is 'Triggers that note changes and are on become ALWAYS again: on also where a session calls itself a replica.';

-- Only for a transaction that makes data_fingerprint() another one itself, for as long as it does: what it rolls back to a
-- savepoint takes this back, too.
create or replace function trivet.counted_elsewhere(counted boolean = true) returns text
language sql as $$
    select set_config('trivet.counted', case when counted_elsewhere.counted then pg_current_xact_id()::text else '' end, true)
$$;
comment on function trivet.counted_elsewhere(boolean) is 'Until this transaction ends, its statements are not noted in trivet.hand_change, because a rev or a load says that it changed something.';

do $$
declare
    t regclass;
begin
    for t in select c.oid from pg_class c
             where c.relnamespace = 'trivet'::regnamespace and c.relkind in ('r', 'p')
               and c.relname ~ '^(rating|item|tag|code|rating_live|(rating_live|rating_load|item|tag|code)_[0-9]+)$'
               and not exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgname = 'hand_change')
             order by c.relname <> 'rating', c.relname <> 'rating_live', c.relname
    loop
        perform trivet.note_changes_of(t);
    end loop;
end
$$;

create or replace function trivet.notes_here(untold boolean = false) returns text
language sql stable parallel safe as $$
    with noted as (
        select h.relation, sum(h.mix) as mix from trivet.hand_change h
        where (h.relation in (select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                              where i.inhparent in ('trivet.rating'::regclass, 'trivet.rating_live'::regclass))
               or h.relation in (select t || '_' || trivet.current_dataset() from unnest(array['rating', 'rating_live', 'item', 'tag', 'code']) t))
          and (not notes_here.untold or not h.told and h.relation like 'rating%' or h.relation like any (array['item%', 'code%']))
        group by h.relation
    )
    select string_agg(n.relation || ':' || n.mix, ',' order by n.relation) from noted n
$$;
comment on function trivet.notes_here(boolean) is
'Changes by hand of what the current data set is made of; untold: of ratings only those that went to no trivet.similar_event,
and none of tags.';

-- What no trigger tells, a table itself does. relfilenode: it was truncated, rewritten by ALTER TABLE or put in place of another.
-- xmin of the trigger's row: the trigger was switched off, and perhaps on again, so rows may have changed without a note. VACUUM
-- leaves xmin as it is, also when it freezes; after VACUUM FULL of a table of ratings, and in a restored dump, one training is for
-- nothing. A trigger for each row would not do: attaching a partition makes it anew.
create or replace function trivet.watched_tables() returns table (relation text, state text, watched boolean, replicated boolean)
language sql stable parallel safe as $$
    select c.relname::text, concat_ws(':', c.relname, case when c.relispartition then c.relfilenode end, t.xmin), coalesce(t.tgenabled = 'A', false),
           exists (select from pg_subscription_rel s where s.srrelid = c.oid)
    from pg_class c left join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'hand_change'
    where c.oid in (select i.inhrelid from pg_inherits i where i.inhparent in ('trivet.rating'::regclass, 'trivet.rating_live'::regclass)
                    union all values ('trivet.rating'::regclass), ('trivet.item'::regclass), ('trivet.tag'::regclass)
                    union all select 'trivet.code'::regclass where exists (select from trivet.code))
$$;
comment on function trivet.watched_tables() is
'The tables that have rows of the current data set, each with a text that changes when they may have changed without a note; watched: its
trigger is on; replicated: a subscription fills it, of which no trigger for statements tells.';

create or replace function trivet.unwatched() returns text
language sql stable parallel safe as $$
    select nullif(concat_ws('; ',
        (select format('statements that change %s leave no note, because the trigger hand_change is off: SELECT %s',
                       string_agg('trivet.' || w.relation, ', ' order by w.relation),
                       string_agg(format('trivet.note_changes_of(''trivet.%s'')', w.relation), ', ' order by w.relation))
         from trivet.watched_tables() w where not w.watched having count(*) > 0),
        (select format('logical replication changes %s and leaves no note', string_agg('trivet.' || w.relation, ', ' order by w.relation))
         from trivet.watched_tables() w where w.replicated having count(*) > 0)), '')
$$;
comment on function trivet.unwatched() is 'Why equal fingerprints do not say that nothing changed; null: they do.';

-- A table of a data set that is away was made in one transaction with its trigger, so its columns' xmin tells.
create or replace function trivet.was_unwatched(away regclass) returns boolean
language sql stable as $$
    select not exists (select from pg_trigger t join pg_attribute a on a.attrelid = t.tgrelid and a.attname = 'tableoid'
                       where t.tgrelid = was_unwatched.away and t.tgname = 'hand_change' and t.xmin = a.xmin)
$$;
comment on function trivet.was_unwatched(regclass) is 'Whether the trigger of a table in which rows of trivet.item, tag or code lie, while their data set is away, was ever switched off.';

create or replace function trivet.data_parts(out loads text, out tables text, out live text, out notes text)
language sql stable parallel safe as $$
    select (select concat_ws(',', trivet.current_dataset(), string_agg(l.id || ':' || coalesce(l.fingerprint, ''), ',' order by l.id))
            from trivet.load l where l.state = 'complete'),
           (select string_agg(w.state, ',' order by w.relation) from trivet.watched_tables() w),
           (select coalesce(sum(c.rev), 0)::text from trivet.user_change c),
           trivet.notes_here()
$$;
comment on function trivet.data_parts() is
'What trivet.rating, item, tag and code are made of: data set and loads; tables, with whatever changes them and leaves no note; live: changes by
those who rate; notes: of changes by hand.';

create or replace function trivet.data_fingerprint() returns text
language sql stable parallel safe as $$
    select md5(concat_ws('|', p.loads, p.tables, p.live, p.notes)) from trivet.data_parts() p
$$;
comment on function trivet.data_fingerprint() is 'A hash that changes when a row of trivet.rating, item or tag does, or another text stands for an id in trivet.code. Reads no row of them.';

create or replace function trivet.data_state()
returns table (description jsonb, fingerprint text)
language sql stable parallel safe as $$
    with loads as (
        select l.id, l.name, l.fingerprint, l.generated, l.row_count from trivet.load l where l.state = 'complete'
    ), kind as (
        select trivet.holds_counts() as counts
    ), rating as (
        select count(*) as n, count(*) filter (where r.load_id is null) as live from trivet.rating r where (select trivet.check_snapshot())
    )
    select jsonb_build_object(
               'name', coalesce((select string_agg(name, ' + ' order by id) from loads), 'no load'),
               'dataset', coalesce((select d.name from trivet.dataset d where d.current), 'no load'),
               'generated', coalesce((select bool_or(generated) from loads), false),
               'values', case when kind.counts then 'counts' else 'ratings' end,
               'ratings', rating.n,
               'live', rating.live,
               'scale', (select jsonb_build_object('low', min(d.low), 'high', max(d.high)) from trivet.load d where d.state = 'complete'),
               'loads', coalesce((select jsonb_agg(to_jsonb(l) order by l.id) from loads l), '[]')),
           trivet.data_fingerprint()
    from rating, kind
$$;
comment on function trivet.data_state() is 'What stands in trivet.rating now: its loads as JSON, and trivet.data_fingerprint().';
