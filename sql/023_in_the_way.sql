-- 023_in_the_way: who keeps a program from a strong lock, for its messages.
--
-- Loads, the index of similar items and the schema need locks that conflict with those of people who write, or read. They
-- wait for these in short tries (include/trivet/schema/patient.h), and say whom they wait for.

-- SECURITY DEFINER: what another login's program calls itself is hidden from a plain login.
create or replace function trivet.in_the_way(tables regclass[] = null, readers boolean = false)
returns table (pid int, program text, since timestamptz, holds text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select a.pid, a.application_name, a.xact_start, l.relation::regclass::text
    from pg_locks l
    join pg_stat_activity a on a.pid = l.pid
    join pg_class c on c.oid = l.relation and c.relnamespace = 'trivet'::regnamespace and c.relkind in ('r', 'p')
    where l.locktype = 'relation' and l.granted and a.pid <> pg_backend_pid()
      and l.database = (select oid from pg_database where datname = current_database())
      and (in_the_way.readers or l.mode not in ('AccessShareLock', 'RowShareLock'))
      and (in_the_way.tables is null or l.relation = any (in_the_way.tables)
           or exists (select from pg_inherits p where p.inhrelid = l.relation and p.inhparent = any (in_the_way.tables)))
    order by a.xact_start, a.pid, l.mode in ('AccessShareLock', 'RowShareLock'), l.relation limit 1 -- of its tables one that it writes to
$$;
comment on function trivet.in_the_way(regclass[], boolean) is
'Of the transactions that hold a lock on some tables, or on any of trivet''s, the one that has been open longest: process, application
name, since when, and on which table. Without readers, only those who write.';
