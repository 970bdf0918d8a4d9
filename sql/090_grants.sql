-- 090_grants: who may do what. Runs after everything it speaks of; nothing is open to PUBLIC.
--
--   trivet_reader   selects, and calls the functions that only read: those declared STABLE or IMMUTABLE
--   trivet_analyst  a reader who saves and drops presets
--   trivet_writer   an analyst who loads ratings and trains: it owns the tables, because a load attaches a partition to
--                   trivet.rating and drops those it replaces, which Postgres lets only an owner do
--
-- People and programs get logins of their own: create role ann login in role trivet_analyst.

revoke all on all functions in schema trivet from public, trivet_reader, trivet_analyst, trivet_writer;
revoke all on all tables in schema trivet from public;
alter default privileges in schema trivet revoke execute on functions from public;
alter default privileges in schema trivet grant select on tables to trivet_reader;

grant usage on schema trivet to trivet_reader;
grant create, usage on schema trivet to trivet_writer;
grant select on all tables in schema trivet to trivet_reader;
grant select on public.ratings, public.movies, public.links, public.tags to trivet_reader;
grant insert, update, delete on trivet.preset to trivet_analyst;
grant insert, update, delete, truncate on all tables in schema trivet to trivet_writer;
grant usage on all sequences in schema trivet to trivet_writer;

do $$
declare
    f record;
begin
    for f in select p.oid::regprocedure as name, p.provolatile <> 'v' as reads,
                    p.proname in ('save_preset', 'drop_preset') as presets
             from pg_proc p where p.pronamespace = 'trivet'::regnamespace
    loop
        execute format('grant execute on function %s to %s', f.name,
                       case when f.reads then 'trivet_reader' when f.presets then 'trivet_analyst' else 'trivet_writer' end);
    end loop;
end
$$;

-- Changing an owner locks the table against readers, so only those that are not the writer's yet.
do $$
declare
    t regclass;
begin
    if not pg_has_role(current_user, 'trivet_writer', 'member') then
        execute format('grant trivet_writer to %I', current_user); -- or the tables could not be handed over
    end if;
    for t in select c.oid from pg_class c
             where c.relnamespace = 'trivet'::regnamespace and c.relkind in ('r', 'p')
               and c.relowner <> 'trivet_writer'::regrole
    loop
        execute format('alter table %s owner to trivet_writer', t);
    end loop;
end
$$;
