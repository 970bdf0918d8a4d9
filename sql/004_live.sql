-- 004_live: ratings that come one by one, while models are served and trained.
--
-- trivet-serve calls trivet.rate and trivet.unrate, each one transaction: all of it happens, or none. Both count the
-- change in user_change and item_change, from which servers and trainer know what MongoDB does not have yet. `xid` is
-- the transaction of the last change: a training whose snapshot does not see it has read other ratings than there are.

create table if not exists trivet.user_change (
    user_id    bigint primary key,
    rev        bigint not null,
    xid        xid8   not null,
    folded_rev bigint not null default 0
);
create index if not exists user_change_waiting on trivet.user_change (user_id) where rev > folded_rev;
alter table trivet.user_change add column if not exists refused_rev bigint not null default 0;
comment on table trivet.user_change is 'One row a user who ever rated live. rev > folded_rev: their document in MongoDB is older than their ratings.';
comment on column trivet.user_change.user_id is 'Who.';
comment on column trivet.user_change.rev is 'Goes up whenever their ratings change; the field rev of their document.';
comment on column trivet.user_change.xid is 'The transaction that changed them last: trainings compare it with their snapshot.';
comment on column trivet.user_change.folded_rev is 'The rev up to which the document of the live model is known to be written.';

comment on column trivet.user_change.refused_rev is 'The rev at which their ratings could not be read for the live model; tried again at a higher one, or for another model.';

create table if not exists trivet.item_change (
    item_id     bigint primary key,
    rev         bigint not null,
    xid         xid8   not null,
    counted_rev bigint not null default 0
);
create index if not exists item_change_waiting on trivet.item_change (item_id) where rev > counted_rev;
comment on table trivet.item_change is 'One row an item that was ever rated live. rev > counted_rev: its count and mean in MongoDB are older than its ratings.';
comment on column trivet.item_change.item_id is 'What.';
comment on column trivet.item_change.rev is 'How often its ratings changed; the field rev of its document.';
comment on column trivet.item_change.xid is 'The transaction that changed them last.';
comment on column trivet.item_change.counted_rev is 'The rev up to which MongoDB is known to have the count.';

alter table trivet.load add column if not exists low real;
alter table trivet.load add column if not exists high real;
comment on column trivet.load.low is 'The smallest rating it brought; null for loads of an older trivet until trivet.known_scale looked.';
comment on column trivet.load.high is 'The largest.';

alter table trivet.run add column if not exists snapshot pg_snapshot;
alter table trivet.run add column if not exists evidence text;
comment on column trivet.run.snapshot is 'What the training saw: changes of other transactions came later. Null for imported models.';
comment on column trivet.run.evidence is 'With a source of one''s own: the SELECT of (user, item, rating) that users are folded in from.';

-- A load of an older trivet did not note its scale. Looking through a million ratings takes some 50 ms, so it is done once a
-- load, not once a rating. Nobody waits for somebody else who is at it: whoever cannot write it down just goes on with what it
-- is. The lock comes before the row of trivet.load, as in a load that replaces: otherwise the two could wait for each other.
create or replace function trivet.known_scale(out low real, out high real)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    l record;
    looked record;
begin
    for l in select id from trivet.load where state = 'complete' and low is null and row_count > 0 order by id loop
        lock table only trivet.rating in access share mode;
        perform trivet.check_snapshot();
        select min(r.value) as low, max(r.value) as high into looked from trivet.rating r where r.load_id = l.id;
        update trivet.load d set low = looked.low, high = looked.high
        where d.id in (select f.id from trivet.load f where f.id = l.id for update skip locked);
        known_scale.low := least(known_scale.low, looked.low);
        known_scale.high := greatest(known_scale.high, looked.high);
    end loop;
    select least(known_scale.low, min(d.low)), greatest(known_scale.high, max(d.high)) into known_scale.low, known_scale.high
    from trivet.load d where d.state = 'complete';
end
$$;
comment on function trivet.known_scale() is
'The smallest and the largest rating of all loads, the two ends of trivet.rating_scale(); nulls without a load.';

create or replace function trivet.holds_counts() returns boolean
language sql stable parallel safe as $$
    select bool_and(l.format in ('lastfm', 'plays-csv')) from trivet.load l where l.state = 'complete'
$$;
comment on function trivet.holds_counts() is 'Whether the values that are loaded are counts of plays, not ratings; null where no load tells.';

-- Ids of another data set are other users and other items. Who rates shows a model and says which, so that a rating given
-- under one data set's titles is never written as one of another's.
create or replace function trivet.check_model(model bigint) returns boolean
language plpgsql stable parallel safe as $$
begin
    return trivet.check_dataset((select r.dataset from trivet.run r where r.id = check_model.model));
end
$$;
comment on function trivet.check_model(bigint) is 'trivet.check_dataset for the data set that a model was made of; model null, or unknown: true.';

-- Files without titles have items, too. No index leads from an item to its ratings, so those that nobody has rated singly yet
-- cost one pass over all ratings, for all of them together: some 50 ms a million.
create or replace function trivet.items_unknown(item_ids bigint[]) returns bigint[]
language plpgsql stable as $$
declare
    unlisted bigint[] := array(
        select u from unnest(items_unknown.item_ids) u
        where not exists (select from trivet.item i where i.item_id = u)
          and not exists (select from trivet.item_change c where c.item_id = u));
begin
    if cardinality(unlisted) = 0 then
        return unlisted;
    end if;
    return array(select u from unnest(unlisted) u
                 where u not in (select r.item_id from trivet.rating r
                                 where (select trivet.check_snapshot()) and (r.item_id in (select unnest(unlisted))) is true));
end
$$;
comment on function trivet.items_unknown(bigint[]) is 'Those of some items that the current data set does not have: neither in trivet.item nor among what is rated.';

drop function if exists trivet.rate_check(bigint[], real[], bigint[]); -- of older schemas, as the four below
create or replace function trivet.rate_check(
    item_ids bigint[],
    "values" real[],
    unsure bigint[] = null,
    model bigint = null,
    out refused bigint,
    out reason text,
    out low real,
    out high real
)
language plpgsql as $$
#variable_conflict use_column
declare
    unlisted bigint[];
begin
    if (select m.state in ('away', 'gone') from trivet.model_data(rate_check.model) m) then
        rate_check.refused := rate_check.item_ids[1];
        rate_check.reason := 'dataset';
        return;
    end if;
    select s.low, s.high into rate_check.low, rate_check.high from trivet.known_scale() s;
    -- Somebody may have played less than everybody in the files, or more: up to 2^24 a real holds every whole number.
    if trivet.holds_counts() then
        rate_check.low := least(rate_check.low, 1);
        rate_check.high := greatest(rate_check.high, 16777216);
    end if;
    unlisted := trivet.items_unknown(coalesce(rate_check.unsure, rate_check.item_ids));
    select g.item_id, case when g.value between rate_check.low and rate_check.high then 'unknown' else 'scale' end
    into rate_check.refused, rate_check.reason
    from unnest(rate_check.item_ids, rate_check."values") with ordinality g (item_id, value, place)
    where not (g.value between rate_check.low and rate_check.high) or g.item_id = any (unlisted)
    order by g.place limit 1;
end
$$;
comment on function trivet.rate_check(bigint[], real[], bigint[], bigint) is
'The first of some ratings that cannot be taken, and why, as trivet.rate says it; refused is null if all can. Writes nothing of them.';

-- A load makes its table visible and drops what stands live in it too, or what it replaces, under a lock that conflicts
-- with ours: whoever rates has either committed before, so that the load sees the rating, or begins after it, with a lock
-- that has told the session of the new partition, and so deletes the loaded rating. Without it, a rating planned before
-- the load and run after it would leave the pair both live and loaded.
create or replace function trivet.hold_off_loads() returns void
language sql as $$ lock table only trivet.rating, trivet.rating_live in row exclusive mode $$;
comment on function trivet.hold_off_loads() is 'From now until the transaction ends no load becomes visible. Whoever writes ratings begins with it.';

-- Whoever looks up what a code, an item or the scale of the loaded data is, and then writes, begins with it: otherwise the number of
-- one data set could be written into another, which took its place in between. A switch takes a lock on trivet.code first, as
-- we do, so nobody waits for one who waits for them. A transaction that keeps an older snapshot would see the codes of before.
create or replace function trivet.hold_dataset() returns void
language plpgsql as $$
begin
    lock table only trivet.code in row exclusive mode;
    perform trivet.check_snapshot();
end
$$;
comment on function trivet.hold_dataset() is 'From now until the transaction ends no other data set takes the place of the current one.';

drop function if exists trivet.rate_write(bigint, bigint[], real[]);
create or replace function trivet.rate_write(
    user_id bigint,
    item_ids bigint[],
    "values" real[],
    model bigint,
    out rev bigint,
    out changed bigint[]
)
language plpgsql as $$
#variable_conflict use_column
begin
    perform trivet.hold_off_loads();
    perform trivet.check_model(rate_write.model); -- again, as a load may have become visible since rate_check
    -- Whoever rates for this user at the same time waits here; changes of a user come one after the other.
    insert into trivet.user_change as c (user_id, rev, xid) values (rate_write.user_id, 0, pg_current_xact_id())
    on conflict (user_id) do nothing;
    select c.rev into rate_write.rev from trivet.user_change c where c.user_id = rate_write.user_id for update;

    select coalesce(array_agg(g.item_id order by g.item_id), '{}') into rate_write.changed
    from unnest(rate_write.item_ids, rate_write."values") g (item_id, value)
    where (select count(*) = 1 and bool_and(r.value = g.value and r.load_id is null) from trivet.rating r
           where r.user_id = rate_write.user_id and r.item_id = g.item_id) is not true;
    if cardinality(rate_write.changed) = 0 then
        return;
    end if;
    perform trivet.counted_elsewhere();
    delete from trivet.rating r where r.user_id = rate_write.user_id and r.item_id = any (rate_write.changed);
    insert into trivet.rating_live (user_id, item_id, value, rated_at)
    select rate_write.user_id, g.item_id, g.value, now()
    from unnest(rate_write.item_ids, rate_write."values") g (item_id, value) where g.item_id = any (rate_write.changed);
    rate_write.rev := trivet.count_change(rate_write.user_id, rate_write.changed);
end
$$;
comment on function trivet.rate_write(bigint, bigint[], real[], bigint) is 'Writes ratings that were checked, as trivet.rate says it.';

drop function if exists trivet.rate(bigint, bigint[], real[], bigint[]);
create or replace function trivet.rate(
    user_id bigint,
    item_ids bigint[],
    "values" real[],
    unsure bigint[] = null,
    model bigint = null,
    out rev bigint,
    out changed bigint[],
    out refused bigint,
    out reason text,
    out low real,
    out high real
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    perform trivet.hold_dataset();
    select c.refused, c.reason, c.low, c.high into rate.refused, rate.reason, rate.low, rate.high
    from trivet.rate_check(rate.item_ids, rate."values", rate.unsure, rate.model) c;
    if rate.refused is null then
        select w.rev, w.changed into rate.rev, rate.changed
        from trivet.rate_write(rate.user_id, rate.item_ids, rate."values", rate.model) w;
    end if;
end
$$;
comment on function trivet.rate(bigint, bigint[], real[], bigint[], bigint) is
'Writes ratings of one user, all or none. Each takes the place of what the user gave the item before, live or loaded; a
pair that holds just that value, live, stays as it is. rev: the user''s number of changes; changed: the items that changed.
refused: the first item that cannot be rated; reason: scale (the value is not between low and high) or unknown (only
the items of `unsure` are looked up, in trivet.item and among what is rated; all of them if it is null). Items are to be distinct. `model` is the
number of the model whose items were shown: reason dataset if another data set than its own is loaded, and nothing is
written; an error if that happens in this very moment.
    select * from trivet.rate(0, ''{260,858}'', ''{4.5,5}'');';

-- The code gets its number after the check, so that a refusal has nothing to take back: what it took back could be the
-- number under which somebody else has rated meanwhile. And before the locks of the ratings, in the order of a load.
drop function if exists trivet.rate_as(text, bigint[], real[], bigint[]);
create or replace function trivet.rate_as(
    code text,
    item_ids bigint[],
    "values" real[],
    unsure bigint[] = null,
    model bigint = null,
    out user_id bigint,
    out rev bigint,
    out changed bigint[],
    out refused bigint,
    out reason text,
    out low real,
    out high real
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    perform trivet.hold_dataset();
    select c.refused, c.reason, c.low, c.high into rate_as.refused, rate_as.reason, rate_as.low, rate_as.high
    from trivet.rate_check(rate_as.item_ids, rate_as."values", rate_as.unsure, rate_as.model) c;
    if rate_as.refused is null then
        rate_as.user_id := trivet.code_id('user', rate_as.code);
        select w.rev, w.changed into rate_as.rev, rate_as.changed
        from trivet.rate_write(rate_as.user_id, rate_as.item_ids, rate_as."values", rate_as.model) w;
    end if;
end
$$;
comment on function trivet.rate_as(text, bigint[], real[], bigint[], bigint) is
'trivet.rate for a user as the data calls them: a whole number, or a code, which gets its number in trivet.code with the
first rating that is taken. user_id is null with a refusal.';

drop function if exists trivet.play_as(text, bigint[], real[], bigint[]);
create or replace function trivet.play_as(
    code text,
    item_ids bigint[],
    counts real[],
    unsure bigint[] = null,
    model bigint = null,
    out user_id bigint,
    out rev bigint,
    out changed bigint[],
    out sums real[],
    out refused bigint,
    out reason text,
    out low real,
    out high real
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    most constant float8 = 16777216;
    items bigint[];
    added float8[];
begin
    perform trivet.hold_dataset();
    select array_agg(g.item_id order by g.item_id), array_agg(g.n order by g.item_id) into items, added
    from (select p.item_id, sum(p.n::float8) as n
          from unnest(play_as.item_ids, play_as.counts) p (item_id, n) group by p.item_id) g;
    select c.refused, c.reason, c.low, c.high into play_as.refused, play_as.reason, play_as.low, play_as.high
    from trivet.rate_check(play_as.item_ids, play_as.counts, play_as.unsure, play_as.model) c;
    if play_as.reason = 'dataset' then
        return;
    end if;
    if trivet.holds_counts() is not true then
        play_as.refused := play_as.item_ids[1];
        play_as.reason := 'kind';
        return;
    end if;
    if play_as.refused is null then
        select p.item_id, 'scale' into play_as.refused, play_as.reason
        from unnest(play_as.item_ids, play_as.counts) with ordinality p (item_id, n, place)
        where (p.n between 1 and most and p.n = floor(p.n)) is not true order by p.place limit 1;
    end if;
    if play_as.refused is null then
        select i.item_id, 'full' into play_as.refused, play_as.reason
        from unnest(items, added) i (item_id, n) where i.n > most order by 1 limit 1;
    end if;
    if play_as.refused is not null then
        return;
    end if;
    play_as.user_id := trivet.code_id('user', play_as.code);
    -- What stands is read under the locks with which it is replaced, so that of two who add at once none is lost.
    perform trivet.hold_off_loads();
    perform trivet.check_model(play_as.model);
    insert into trivet.user_change as c (user_id, rev, xid) values (play_as.user_id, 0, pg_current_xact_id())
    on conflict (user_id) do nothing;
    perform from trivet.user_change c where c.user_id = play_as.user_id for update;
    select array_agg(i.n + coalesce(r.n, 0) order by i.item_id),
           min(i.item_id) filter (where i.n + coalesce(r.n, 0) > most)
    into added, play_as.refused
    from unnest(items, added) i (item_id, n)
    left join (select r.item_id, sum(r.value::float8) as n from trivet.rating r
               where r.user_id = play_as.user_id and r.item_id = any (items) group by r.item_id) r on r.item_id = i.item_id;
    if play_as.refused is not null then
        play_as.reason := 'full';
        play_as.user_id := null;
        return;
    end if;
    select w.rev, w.changed into play_as.rev, play_as.changed
    from trivet.rate_write(play_as.user_id, items, added::real[], play_as.model) w;
    select array_agg(i.n::real order by p.place) into play_as.sums
    from unnest(play_as.item_ids) with ordinality p (item_id, place) join unnest(items, added) i (item_id, n) using (item_id);
end
$$;
comment on function trivet.play_as(text, bigint[], real[], bigint[], bigint) is
'Plays of one user, all or none, where the values are counts: adds to what stands, live or loaded, so that a repeat adds again.
counts are whole numbers from 1 on, an item may stand more than once; sums: what stands now, one an entry. The rest is as
trivet.rate_as and trivet.rate say it, with two reasons more: kind (the values are ratings) and full (a real does not hold
every whole number above 16777216, so one play more could be none).
    select * from trivet.play_as(''7'', ''{51,52}'', ''{1,3}'');';

drop function if exists trivet.unrate(bigint, bigint);
create or replace function trivet.unrate(
    user_id bigint,
    item_id bigint,
    model bigint = null,
    out rev bigint,
    out removed bigint,
    out reason text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    perform trivet.hold_dataset();
    perform trivet.hold_off_loads();
    if (select m.state in ('away', 'gone') from trivet.model_data(unrate.model) m) then
        unrate.removed := 0;
        unrate.reason := 'dataset';
        return;
    end if;
    insert into trivet.user_change as c (user_id, rev, xid)
    select r.user_id, 0, pg_current_xact_id() from trivet.rating r
    where r.user_id = unrate.user_id and r.item_id = unrate.item_id limit 1
    on conflict (user_id) do nothing;
    select c.rev into unrate.rev from trivet.user_change c where c.user_id = unrate.user_id for update;
    perform trivet.counted_elsewhere();
    delete from trivet.rating r where r.user_id = unrate.user_id and r.item_id = unrate.item_id;
    get diagnostics unrate.removed = row_count;
    if unrate.removed > 0 then
        unrate.rev := trivet.count_change(unrate.user_id, array[unrate.item_id]);
    else
        perform trivet.counted_elsewhere(false);
    end if;
end
$$;
comment on function trivet.unrate(bigint, bigint, bigint) is
'Takes a user''s rating of an item back; removed: the rows that went, 0 if there were none; reason and model as in trivet.rate. A later load of a file that has
the rating brings it back.';

create or replace function trivet.unrate_as(
    code text,
    item_id bigint,
    model bigint = null,
    out user_id bigint,
    out rev bigint,
    out removed bigint,
    out reason text
)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    perform trivet.hold_dataset();
    unrate_as.user_id := trivet.user_id(unrate_as.code);
    select u.rev, u.removed, u.reason into unrate_as.rev, unrate_as.removed, unrate_as.reason
    from trivet.unrate(unrate_as.user_id, unrate_as.item_id, unrate_as.model) u;
end
$$;
comment on function trivet.unrate_as(text, bigint, bigint) is
'trivet.unrate for a user as the data calls them: a whole number, or a code. user_id is null for a code that nobody has.';

-- Items in ascending order, so that two transactions never wait for each other. The rev of an item that comes back is above the one it had.
create or replace function trivet.count_change(user_id bigint, item_ids bigint[]) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into trivet.item_change as c (item_id, rev, xid)
    select i, coalesce((select d.forgotten_rev from trivet.dataset d where d.current), 0) + 1, pg_current_xact_id()
    from unnest(count_change.item_ids) i order by i
    on conflict (item_id) do update set rev = c.rev + 1, xid = excluded.xid;
    update trivet.user_change c set rev = greatest(c.rev, (select d.forgotten_rev from trivet.dataset d where d.current)) + 1, xid = pg_current_xact_id()
    where c.user_id = count_change.user_id returning c.rev;
$$;
comment on function trivet.count_change(bigint, bigint[]) is 'Counts a change of a user''s ratings of some items; returns the user''s rev.';

create or replace function trivet.check_dataset(dataset bigint) returns boolean
language plpgsql stable parallel safe as $$
begin
    if check_dataset.dataset is null or check_dataset.dataset = trivet.current_dataset() then
        return true;
    end if;
    raise exception 'data set % is loaded, and not %',
        coalesce((select d.name from trivet.dataset d where d.current), 'without a name'),
        coalesce((select d.name from trivet.dataset d where d.id = check_dataset.dataset), format('number %s', check_dataset.dataset))
        using errcode = 'TV001',
              hint = 'trivet-etl datasets lists them; trivet-train activate N brings the data set of a model back';
end
$$;
comment on function trivet.check_dataset(bigint) is 'True if this data set is the current one, or null; otherwise an error. For statements that must not read the rows of another.';

-- A value that is null is no condition (sql/003_filter.sql).
create or replace function trivet.evidence_query(run_id bigint) returns text
language sql stable parallel safe as $$
    select case when r.evidence is not null then format('SELECT * FROM (%s) evidence WHERE trivet.check_dataset(%L)', r.evidence, r.dataset)
                when r.filter ? 'max_items_for_user' then
        format('SELECT user_id, item_id, value FROM trivet.chosen_rows(%s) WHERE trivet.check_dataset(%L)',
               (select string_agg(t.name || ' => ' || coalesce(quote_literal(f.texts[t.nr]) || '::' || t.type, 'null'), ', ' order by t.nr)
                from trivet.filter_table() t where t.in_evidence), r.dataset) end
    from trivet.run r
    cross join lateral (select trivet.filter_texts(jsonb_populate_record(null::trivet.filter_values, r.filter)) as texts) f
    where r.id = evidence_query.run_id
$$;
comment on function trivet.evidence_query(bigint) is
'The SELECT of (user, item, rating) that a model''s users are folded in from: its filter''s conditions on rows, or the source
of one''s own; null where the journal does not know it. It fails while another data set than the model''s is loaded.';

create or replace function trivet.changed_users(run_id bigint) returns table (user_id bigint, rev bigint)
language sql stable parallel safe as $$
    select c.user_id, c.rev from trivet.user_change c
    where not coalesce((select pg_visible_in_snapshot(c.xid, r.snapshot) from trivet.run r where r.id = changed_users.run_id),
                       false)
    order by c.user_id
$$;
comment on function trivet.changed_users(bigint) is
'The users whose ratings changed after the training of a model read them; all who ever rated live where the journal does not
know what it read.';

create or replace function trivet.changed_items(run_id bigint) returns table (item_id bigint, rev bigint)
language sql stable parallel safe as $$
    select c.item_id, c.rev from trivet.item_change c
    where not coalesce((select pg_visible_in_snapshot(c.xid, r.snapshot) from trivet.run r where r.id = changed_items.run_id),
                       false)
    order by c.item_id
$$;
comment on function trivet.changed_items(bigint) is 'The same for items.';

-- A change that was not yet made is not noted as written, or it would never be.
-- Those who note something of many rows lock them in ascending order, in a statement of its own: which order an UPDATE takes is
-- its plan's business, and trivet.count_change, which goes upwards, would meet it halfway.
drop function if exists trivet.users_folded(bigint[], bigint[]);
create or replace function trivet.users_folded(user_ids bigint[], revs bigint[], dataset bigint = null) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select from trivet.user_change c where c.user_id = any (users_folded.user_ids) order by c.user_id for no key update;
    update trivet.user_change c set folded_rev = least(f.rev, c.rev)
    from unnest(users_folded.user_ids, users_folded.revs) f (user_id, rev)
    where c.user_id = f.user_id and c.folded_rev < least(f.rev, c.rev)
      and coalesce(users_folded.dataset = trivet.current_dataset(), true)
$$;
comment on function trivet.users_folded(bigint[], bigint[], bigint) is
'Notes that documents were written: of each user up to a rev. Nothing where another data set than that of the revs has taken its place, in
which the same ids are other users.';

drop function if exists trivet.users_not_folded(bigint[], bigint[], boolean);
create or replace function trivet.users_not_folded(user_ids bigint[], revs bigint[], refused boolean, dataset bigint = null) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select from trivet.user_change c where c.user_id = any (users_not_folded.user_ids) order by c.user_id for no key update;
    update trivet.user_change c set folded_rev = least(c.folded_rev, f.rev - 1),
           refused_rev = case when users_not_folded.refused then f.rev else c.refused_rev end
    from unnest(users_not_folded.user_ids, users_not_folded.revs) f (user_id, rev)
    where c.user_id = f.user_id and (c.folded_rev >= f.rev or users_not_folded.refused)
      and coalesce(users_not_folded.dataset = trivet.current_dataset(), true)
$$;
comment on function trivet.users_not_folded(bigint[], bigint[], boolean, bigint) is
'Notes that documents of the live model were not written: of each user that of a rev, which now waits. refused: the user''s ratings
cannot be read, so it is not tried again at this rev. Nothing where another data set than that of the revs is loaded.';

drop function if exists trivet.items_counted(bigint[], bigint[]);
create or replace function trivet.items_counted(item_ids bigint[], revs bigint[], dataset bigint default null) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select from trivet.item_change c where c.item_id = any (items_counted.item_ids) order by c.item_id for no key update;
    update trivet.item_change c set counted_rev = least(f.rev, c.rev)
    from unnest(items_counted.item_ids, items_counted.revs) f (item_id, rev)
    where c.item_id = f.item_id and c.counted_rev < least(f.rev, c.rev)
      and coalesce(items_counted.dataset = trivet.current_dataset(), true)
$$;
comment on function trivet.items_counted(bigint[], bigint[], bigint) is 'Notes that counts were written: of each item up to a rev. Nothing where another data set than the one that was counted has taken its place.';

-- One pass over the ratings for all of them: no index leads from an item to its rows.
create or replace function trivet.item_counts(item_ids bigint[])
returns table (item_id bigint, rev bigint, n bigint, mean float8)
language sql stable parallel safe as $$
    select c.item_id, c.rev, coalesce(r.n, 0), r.mean
    from trivet.item_change c
    left join (select r.item_id, count(*) as n, avg(r.value) as mean from trivet.rating r
               where (select trivet.check_snapshot()) and (r.item_id in (select unnest(item_counts.item_ids))) is true group by r.item_id) r
        on r.item_id = c.item_id
    where c.item_id = any (item_counts.item_ids)
$$;
comment on function trivet.item_counts(bigint[]) is 'Rating rows and their mean now, of items that were rated live.';
