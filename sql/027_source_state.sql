-- 027_source_state: has SQL that people learn from come to mean something else? What `--if-changed` compares beside the rows
-- of trivet's own tables (026_changes).
--
-- A source is text: a call, a view's name, a SELECT. Whatever stands in it as a word and names a view or a function belongs to
-- it, in any schema, and what stands in the definitions of these in turn. That is more than the source reads, never less, but
-- for SQL that a function puts together while it runs, and operators. Tables that are met that way and are not trivet's are
-- counted: their counters of rows written stand for the rows, because nobody may put a trigger on somebody else's table.
--
-- A column that is added, dropped or renamed writes no row, so the columns belong to the state of a table, too.
--
-- Counters err towards training: what was rolled back counts, a crash or a reset changes them all (so their times of reset
-- belong to the state), VACUUM FULL changes relfilenode, as TRUNCATE does. They come late: a session reports when it is idle, and
-- once it has reported again only a second later, or after 10 s of rest. So as long as another session is at work or was within
-- that time, `sure` is false, and nothing may be called unchanged; a table of another server has no counters, so neither. Whoever
-- keeps the state asks for it before the snapshot that is read from: what comes in between is then a change once more.

create or replace function trivet.counted_tables(met oid[]) returns table (relation oid, state text)
language sql stable as $$
    with recursive tables (relation) as (
        select c.oid from pg_class c where c.oid = any (counted_tables.met) and c.relkind in ('r', 'p', 'm', 'f')
        union
        select i.inhrelid from pg_inherits i join tables t on i.inhparent = t.relation
    )
    select c.oid, concat_ws(':', c.oid::regclass, c.relkind, c.relrowsecurity, c.relfilenode,
        pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid),
        (select md5(string_agg(concat_ws(',', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attisdropped, a.attmissingval,
                                         case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end), ' ' order by a.attnum))
         from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = c.oid and a.attnum > 0))
    from tables t join pg_class c on c.oid = t.relation
$$;
comment on function trivet.counted_tables(oid[]) is 'Tables with their partitions, and for each a text that changes when rows are written to it, or its columns are others.';

create or replace function trivet.words_of(words text) returns text[]
language sql immutable parallel safe as $$
    select array(select w from regexp_split_to_table(lower(words_of.words), '[\x01-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+') w)
$$;
comment on function trivet.words_of(text) is 'What can be a name in SQL, in small letters: runs of letters, digits, _, $ and whatever is not ASCII.';

create or replace function trivet.objects_named(words text, ours text, known oid[])
returns table (object oid, is_ours boolean, definition text)
language sql stable as $$
    with said as materialized (
        select replace(lower(objects_named.words), '""', '"') as text, trivet.words_of(objects_named.words) as plain,
               trivet.words_of(objects_named.ours) as ours
    ), place as materialized (
        select n.oid, n.nspname = 'trivet' as is_ours from pg_namespace n
        where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
    ), object as (
        select c.oid, n.is_ours, lower(c.relname) as name, c.relkind::text as kind from pg_class c join place n on n.oid = c.relnamespace
        where c.relkind in ('v', 'm', 'r', 'p', 'f')
          -- Of trivet's tables some have triggers (026_changes), most are its books. These are left, for who names them.
          and (not n.is_ours or c.relkind = 'v' or c.relname in ('code', 'preset', 'recommendation'))
        union all
        select p.oid, n.is_ours, lower(p.proname), 'function ' || p.prokind::text from pg_proc p join place n on n.oid = p.pronamespace
    )
    select o.oid, o.is_ours,
           case when o.kind in ('v', 'm') then concat_ws(' ', o.oid::regclass, pg_get_viewdef(o.oid))
                when o.kind = 'function a' then (select concat_ws(' ', o.oid::regprocedure, a.aggtransfn, a.aggfinalfn, a::text)
                                                 from pg_aggregate a where a.aggfnoid = o.oid)
                when o.kind like 'function%' then pg_get_functiondef(o.oid)
                else concat_ws(' ', o.oid::regclass, (select string_agg(pg_get_expr(p.polqual, p.polrelid), ' ' order by p.polname)
                                                      from pg_policy p where p.polrelid = o.oid)) end
    from object o, said s
    where o.oid <> all (objects_named.known)
      and (o.is_ours and o.kind ~ '^[vf]' and o.name = any (s.ours)
           or case when o.name ~ '^[a-z_][a-z0-9_$]*$' then o.name = any (s.plain) else strpos(s.text, o.name) > 0 end)
$$;
comment on function trivet.objects_named(text, text, oid[]) is
'Views, tables and functions whose names stand in a text, or in one of trivet''s that means only these, without those that are known.';

-- SECURITY DEFINER: when other logins' sessions were at work is hidden from a plain login. No text is run.
create or replace function trivet.source_state(source text, own_source boolean, out state text, out sure boolean)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    words text := case when source_state.own_source then source_state.source else '' end;
    ours text := case when source_state.own_source then '' else source_state.source end;
    known oid[] := '{}';
    definitions text[] := '{}';
    tables text;
    found record;
begin
    loop
        select array_agg(o.object) as objects, array_agg(o.definition) as texts,
               string_agg(o.definition, ' ') filter (where not o.is_ours) as words, string_agg(o.definition, ' ') filter (where o.is_ours) as ours
        into found from trivet.objects_named(words, ours, known) o;
        exit when found.objects is null;
        known := known || found.objects;
        definitions := definitions || found.texts;
        words := coalesce(found.words, '');
        ours := coalesce(found.ours, '');
    end loop;
    select string_agg(t.state, ',' order by t.state), count(*) filter (where c.relkind = 'f') = 0 into tables, source_state.sure
    from trivet.counted_tables(known) t join pg_class c on c.oid = t.relation;
    source_state.state := md5(concat_ws('|', (select string_agg(d, ' ' order by d) from unnest(definitions) d), tables));
    if tables is not null then
        source_state.state := md5(concat_ws('|', source_state.state, pg_stat_get_bgwriter_stat_reset_time(),
            (select pg_stat_get_db_stat_reset_time(d.oid) from pg_database d where d.datname = current_database())));
        source_state.sure := source_state.sure and not exists (
            select from pg_stat_activity a
            where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
              and a.application_name !~ '^trivet-'
              and (a.state is distinct from 'idle' or coalesce(a.state_change > now() - interval '11 seconds', true)));
    end if;
end
$$;
comment on function trivet.source_state(text, boolean) is
'A hash of all definitions that SQL stands for and of how much was written to tables of one''s own that it reads; sure: false while a
session of others may have written what is not counted yet.';

-- Changed pairs reach an index of all ratings by themselves (022_similar), but not those of a table that was detached as it was
-- written to, as those of a data set that is away are. A source of one's own may give other rows where one changed than the pair's
-- own, and reads what it likes; so a single rating is a change there. Titles are written with an index, so new ones are one, too.
create or replace function trivet.similar_state(source text, own_source boolean, schemas text = null, out state text, out sure boolean)
language plpgsql stable as $$
begin
    select s.state, s.sure into similar_state.state, similar_state.sure
    from trivet.source_state(case when own_source then source else 'trivet.similar_rows' end, own_source) s;
    select md5(concat_ws('|', similar_state.state, p.loads, p.tables, trivet.notes_here(untold => not own_source),
                          case when own_source then concat_ws('|', p.live, schemas) end)) into similar_state.state
    from trivet.data_parts() p;
    similar_state.sure := similar_state.sure and trivet.unwatched() is null;
end
$$;
comment on function trivet.similar_state(text, boolean, text) is
'A hash that changes when an index of similar items from these rows is to be built anew; sure: as of trivet.source_state, and trivet.unwatched().';
