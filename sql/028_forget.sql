-- 028_forget: taking a user or an item out of the current data set.
--
-- `trivet-etl forget` calls these in three steps, each a transaction, and works on the other stores in between. Ratings go in each.
-- What is known of an item goes in the second, when no server shows it any more, and the code, by which the same command finds
-- the number again after a kill, in the third. A user's ratings go in the first two alone: who rates afterwards is somebody new.

-- A line is as its file has it, so a number may be spelled as a load would read it: 01005, 1005.0, "1,005", 1.005e3; and a quote
-- within a code doubled, or behind a backslash. One line too many costs nothing, one that is left names who was forgotten.
create or replace function trivet.names_id(line text, code text) returns boolean
language sql immutable parallel safe as $$
    select names_id.line ~ ('(^|[][[:space:],;:|"''(){}=])'
                            || case when trivet.code_number(names_id.code) is null
                                    then regexp_replace(regexp_replace(names_id.code, '([^[:alnum:]])', '\\\1', 'g'), '\\(["''])', '\\\\?\1{1,2}', 'g')
                                    else replace(regexp_replace(names_id.code, '(?<=[0-9])(?=([0-9]{3})+$)', '[,.''\u2019 \u00a0\u202f]?', 'g'), '-', '-0*')
                                         || '([.,]0*)?' end
                            || '($|[][[:space:],;:|"''(){}])')
        or trivet.code_number(names_id.code) is not null and names_id.line ~ ('(^|[^0-9])(0+|\+0*)' || names_id.code || '([^0-9]|$)')
        or trivet.code_number(names_id.code) is not null and names_id.line ~ '[0-9][eE]' and exists (
               select from regexp_matches(names_id.line, '([0-9]+\.?[0-9]*[eE]\+?[0-9]{1,3})', 'g') m (n)
               where m.n[1]::numeric = trivet.code_number(names_id.code))
$$;
comment on function trivet.names_id(text, text) is 'Whether a text has an id in it as a whole field, not as a part of another word, in whatever way a file may spell it.';

create or replace function trivet.examples_of(report jsonb) returns text
language sql immutable parallel safe as $$
    select string_agg(e.value, E'\n')
    from jsonb_each_text(case when jsonb_typeof(examples_of.report -> 'examples') = 'object' then examples_of.report -> 'examples' else '{}' end) e
$$;
comment on function trivet.examples_of(jsonb) is 'The examples in a load''s report as their files have them, one a line: JSON writes a backslash before each quote.';

create or replace function trivet.forget_rejects(code text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    update trivet.load l
    set report = jsonb_set(l.report, '{examples}', (
        select coalesce(jsonb_object_agg(e.key, e.value), '{}') from jsonb_each_text(l.report -> 'examples') e
        where not trivet.names_id(e.value, forget_rejects.code)))
    where (l.dataset = trivet.current_dataset() or l.dataset is null) and trivet.names_id(trivet.examples_of(l.report), forget_rejects.code);
    delete from trivet.reject r using trivet.load l
    where l.id = r.load_id and (l.dataset = trivet.current_dataset() or l.dataset is null)
      and trivet.names_id(r.raw, forget_rejects.code)
$$;
comment on function trivet.forget_rejects(text) is 'Deletes the refused lines that name an id, and such examples in reports, of loads of the current data set, and of loads that failed.';

-- The next training is not "unchanged" for any model that learned from what is gone.
create or replace function trivet.forget_fingerprints() returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    update trivet.run r set fingerprint = null
    where r.dataset = trivet.current_dataset() and r.state in ('kept', 'activating', 'live') and r.fingerprint is not null
$$;
comment on function trivet.forget_fingerprints() is 'Kept models of the current data set count as changed, so that fit --if-changed trains.';

create or replace function trivet.forget_begins() returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select trivet.forget_fingerprints();
    update trivet.dataset d set forgets = d.forgets + 1 where d.current
$$;
comment on function trivet.forget_begins() is 'What was made of the current data set, or is being made (trivet.lists_hold), is of an older state. Comes before lists are deleted.';

-- The locks wait for those who are rating, and hold off the next: what one of them was writing is among what is deleted. Whoever
-- rates begins with a lock on trivet.code (trivet.hold_dataset), so nobody has found an item, or the number of a code, that is gone when
-- they write. The caller sets a short lock_timeout and comes again (include/trivet/schema/patient.h).
drop function if exists trivet.forget_user(bigint, int); -- of older schemas, as the next
drop function if exists trivet.forget_user(bigint, int, bigint);
create or replace function trivet.forget_user(user_id bigint, dataset bigint = null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    code text := trivet.user_code(forget_user.user_id);
    n bigint;
begin
    lock table trivet.code, trivet.rating in share row exclusive mode;
    perform trivet.check_dataset(forget_user.dataset);
    perform trivet.forget_begins();
    perform from trivet.item_change c
    where c.item_id in (select r.item_id from trivet.rating r where r.user_id = forget_user.user_id) order by c.item_id for no key update;
    insert into trivet.item_change as c (item_id, rev, xid)
    select distinct r.item_id, coalesce((select d.forgotten_rev from trivet.dataset d where d.current), 0) + 1, pg_current_xact_id()
    from trivet.rating r where r.user_id = forget_user.user_id order by 1
    on conflict (item_id) do update set rev = c.rev + 1, xid = excluded.xid;
    with gone as (delete from trivet.rating r where r.user_id = forget_user.user_id returning r.load_id),
    part as (select g.load_id, count(*) as n from gone g group by g.load_id),
    less as (update trivet.load l set row_count = l.row_count - p.n from part p where l.id = p.load_id)
    select coalesce(sum(p.n), 0) into n from part p;
    delete from trivet.tag t where t.user_id = forget_user.user_id;
    update trivet.dataset d set forgotten_rev = c.rev
    from trivet.user_change c where d.current and c.user_id = forget_user.user_id and c.rev > d.forgotten_rev;
    delete from trivet.user_change c where c.user_id = forget_user.user_id;
    delete from trivet.recommendation l using trivet.run r
    where r.id = l.run_id and r.dataset = trivet.current_dataset() and l.user_id = forget_user.user_id;
    perform trivet.forget_rejects(code);
    return n;
end
$$;
comment on function trivet.forget_user(bigint, bigint) is
'Deletes what the current data set has of a user: ratings, tags, what is known of their changes, lists, refused lines; not the code.
The items they rated are counted again. Returns how many ratings there were. An error if a data set is given, and another is current. The caller holds trivet.lock_key().';

-- Whoever rated since the last step is somebody new, under the same id.
create or replace function trivet.forget_user_code(user_id bigint, dataset bigint = null) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    lock table trivet.code in share row exclusive mode;
    perform trivet.check_dataset(forget_user_code.dataset);
    if exists (select from trivet.rating r where r.user_id = forget_user_code.user_id)
       or exists (select from trivet.user_change c where c.user_id = forget_user_code.user_id) then
        return true;
    end if;
    delete from trivet.code c where c.kind = 'user' and c.id = forget_user_code.user_id;
    return false;
end
$$;
comment on function trivet.forget_user_code(bigint, bigint) is
'The last step: deletes the code of a user who has no ratings any more. True: they rated again meanwhile, so that stays. The caller holds trivet.lock_key().';

drop function if exists trivet.forget_item(bigint, int); -- of older schemas
create or replace function trivet.forget_item(item_id bigint, step int, dataset bigint = null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    code text := trivet.item_code(forget_item.item_id);
    raters bigint[];
    n bigint;
begin
    lock table trivet.code, trivet.rating in share row exclusive mode;
    perform trivet.check_dataset(forget_item.dataset);
    perform trivet.forget_begins();
    with gone as (delete from trivet.rating r where r.item_id = forget_item.item_id returning r.user_id, r.load_id),
    part as (select g.load_id, count(*) as n from gone g group by g.load_id),
    less as (update trivet.load l set row_count = l.row_count - p.n from part p where l.id = p.load_id)
    select count(*), array_agg(distinct g.user_id) into n, raters from gone g;
    perform from trivet.user_change c where c.user_id = any (raters) order by c.user_id for no key update;
    update trivet.user_change c set rev = c.rev + 1, xid = pg_current_xact_id() where c.user_id = any (raters);
    delete from trivet.tag t where t.item_id = forget_item.item_id;
    update trivet.dataset d set forgotten_rev = c.rev
    from trivet.item_change c where d.current and c.item_id = forget_item.item_id and c.rev > d.forgotten_rev;
    delete from trivet.item_change c where c.item_id = forget_item.item_id;
    delete from trivet.recommendation l using trivet.run r
    where r.id = l.run_id and r.dataset = trivet.current_dataset() and l.item_id = forget_item.item_id;
    perform trivet.forget_rejects(code);
    if forget_item.step >= 2 then
        delete from trivet.item i where i.item_id = forget_item.item_id;
        delete from trivet.imported_title t where t.dataset = trivet.current_dataset() and t.item_id = forget_item.item_id;
    end if;
    if forget_item.step = 3 then
        delete from trivet.code c where c.kind = 'item' and c.id = forget_item.item_id;
    end if;
    return n;
end
$$;
comment on function trivet.forget_item(bigint, int, bigint) is
'Deletes what the current data set has of an item: ratings, tags, places in lists, refused lines; from step 2 on what is known of it, without which nobody rates it; in step 3 the code.
Users who rated it live are folded in again. Returns how many ratings there were. An error if a data set is given, and another is current. The caller holds trivet.lock_key().';

-- Indices of the current data set alone are asked for: those of others know nothing of it.
create or replace function trivet.forget_waits(kind text, id bigint) returns bigint
language sql stable as $$
    select count(*) from trivet.similar_event e join trivet.similar_index i on i.id = e.index_id and i.dataset = trivet.current_dataset()
    where e.applied_at is null and forget_waits.id = case forget_waits.kind when 'user' then e.user_id else e.item_id end
$$;
comment on function trivet.forget_waits(text, bigint) is 'How many changes of a user, or an item, an index of similar items has still to hear.';

create or replace function trivet.forget_events(kind text, id bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    delete from trivet.similar_event e using trivet.similar_index i
    where i.id = e.index_id and i.dataset = trivet.current_dataset() and (e.applied_at is not null or i.state <> 'live')
      and forget_events.id = case forget_events.kind when 'user' then e.user_id else e.item_id end
$$;
comment on function trivet.forget_events(text, bigint) is 'Deletes the changes of a user, or an item, that indices of similar items have heard of.';

-- A plain integer is an id of anybody whether there is such a one or not, so traces decide; a killed forget leaves some.
create or replace function trivet.forget_finds(kind text, id bigint) returns boolean
language sql stable as $$
    with loads as (
        select l.id, trivet.examples_of(l.report) as examples from trivet.load l where l.dataset = trivet.current_dataset() or l.dataset is null
    ), called as (
        select case forget_finds.kind when 'user' then trivet.user_code(forget_finds.id) else trivet.item_code(forget_finds.id) end as code
    )
    select case forget_finds.kind
               when 'user' then exists (select from trivet.rating r where (select trivet.check_snapshot()) and r.user_id = forget_finds.id)
                   or exists (select from trivet.tag t where t.user_id = forget_finds.id)
                   or exists (select from trivet.user_change c where c.user_id = forget_finds.id)
               else exists (select from trivet.rating r where (select trivet.check_snapshot()) and r.item_id = forget_finds.id)
                   or exists (select from trivet.item i where i.item_id = forget_finds.id)
                   or exists (select from trivet.imported_title t where t.dataset = trivet.current_dataset() and t.item_id = forget_finds.id)
                   or exists (select from trivet.tag t where t.item_id = forget_finds.id)
                   or exists (select from trivet.item_change c where c.item_id = forget_finds.id)
           end
        or exists (select from trivet.code c where c.kind = forget_finds.kind and c.id = forget_finds.id)
        or exists (select from trivet.recommendation l join trivet.run r on r.id = l.run_id and r.dataset = trivet.current_dataset()
                   where forget_finds.id = case forget_finds.kind when 'user' then l.user_id else l.item_id end)
        or exists (select from trivet.similar_event e join trivet.similar_index i on i.id = e.index_id and i.dataset = trivet.current_dataset()
                   where forget_finds.id = case forget_finds.kind when 'user' then e.user_id else e.item_id end)
        or exists (select from loads l, called c where trivet.names_id(l.examples, c.code))
        or exists (select from trivet.reject r join loads l on l.id = r.load_id, called c where trivet.names_id(r.raw, c.code))
$$;
comment on function trivet.forget_finds(text, bigint) is 'Whether Postgres has anything of a user, or an item, of the current data set.';

-- What is a person's text is not rewritten. A source that is no person's is written by the program from values that nobody typed.
create or replace function trivet.forget_mentions(code text) returns text
language sql stable as $$
    select string_agg(m.what, ', ' order by m.nr, m.id)
    from (select 1 as nr, r.id, format('run %s', r.id) as what from trivet.run r
          where r.dataset = trivet.current_dataset()
            and trivet.names_id(concat_ws(E'\n', r.command, case when r.evidence is not null then r.source end, r.evidence),
                                forget_mentions.code)
          union all
          select 2, i.id, format('index %s of similar items', i.id) from trivet.similar_index i
          where i.dataset = trivet.current_dataset() and i.own_source and trivet.names_id(i.source, forget_mentions.code)
          union all
          select 3, l.id, format('load %s', l.id) from trivet.load l
          where l.dataset = trivet.current_dataset() and trivet.names_id(concat_ws(E'\n', l.name, l.source), forget_mentions.code)
          union all
          select 4, 0, format('preset %s', p.name) from trivet.preset p
          where trivet.names_id(concat_ws(E'\n', p.name, p.note), forget_mentions.code)) m
$$;
comment on function trivet.forget_mentions(text) is 'The rows of the journal in which people wrote an id as a word of their own: a command, SQL, a path, a name. Null if there are none.';

create or replace function trivet.run_again(run_id bigint) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into trivet.run (kind, started_at, finished_at, live_at, command, algorithm, parameters, filter, source, counts, data, metrics,
                            snapshot, evidence, dataset, message)
    select r.kind, r.started_at, r.finished_at, r.live_at, r.command, r.algorithm, r.parameters, r.filter, r.source, r.counts, r.data, r.metrics,
           r.snapshot, r.evidence, r.dataset, format('model %s without what was forgotten', r.id)
    from trivet.run r where r.id = run_again.run_id
    returning id
$$;
comment on function trivet.run_again(bigint) is 'Begins a run that makes a kept model again, without what is to be forgotten: the same training, under another number, which is returned.';

-- Of the current data set alone: who makes another's model live makes that one current.
create or replace function trivet.runs_made_again() returns table (run_id bigint, instead bigint, live boolean)
language sql stable parallel safe as $$
    select n.id, r.id, n.state = 'live'
    from trivet.run r join trivet.run n on r.message = format('model %s without what was forgotten', n.id)
    where r.state in ('kept', 'live') and n.state in ('kept', 'live') and r.dataset = n.dataset and n.dataset = trivet.current_dataset()
    order by n.id
$$;
comment on function trivet.runs_made_again() is 'Models of the current data set that are kept though there is another in their place, because a forget was killed: the next one goes on with that.';
