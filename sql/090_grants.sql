-- 090_grants: who may do what. Runs after everything it speaks of; nothing is open to PUBLIC but one question. What comes of it is a table in
-- the tests, tests/rights.txt: every object, every role, every right.
--
--   trivet_reader   selects, and calls the functions that only read: those declared STABLE or IMMUTABLE
--   trivet_analyst  a reader who saves and drops presets
--   trivet_writer   an analyst who loads ratings and trains: writes rows of all tables, and makes nothing in the schema
--   trivet_owner    owns everything; no login belongs to it but an administrator's who is no superuser. Who owns a table
--                   or a function decides what runs when others write to the one or call the other, and these may be superusers.
--
-- People and programs get logins of their own: create role ann login in role trivet_analyst.

do $$
declare
    o record;
begin
    if not pg_has_role(current_user, 'trivet_owner', 'member') then
        execute format('grant trivet_owner to %I', current_user); -- or nothing could be handed over
    end if;
    if not pg_has_role('trivet_owner', 'pg_read_all_stats', 'member') then
        begin
            grant pg_read_all_stats to trivet_owner; -- for trivet.lock_holder
        exception when insufficient_privilege then
            raise notice 'trivet.lock_holder cannot tell what programs of other logins call themselves';
        end;
    end if;
    -- Changing an owner locks a table against readers, so only what is not the owner's yet. Sequences of columns follow their
    -- tables.
    for o in select 'schema' as kind, 'trivet' as name from pg_namespace n
             where n.nspname = 'trivet' and n.nspowner <> 'trivet_owner'::regrole
             union all
             select case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, c.oid::regclass::text
             from pg_class c
             where c.relnamespace = 'trivet'::regnamespace and c.relkind in ('r', 'p', 'v', 'S') and c.relowner <> 'trivet_owner'::regrole
               and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and c.relkind = 'S'
                                                         and d.deptype in ('a', 'i') and d.refclassid = 'pg_class'::regclass)
             union all
             select 'type', t.oid::regtype::text from pg_type t join pg_class c on c.oid = t.typrelid
             where t.typnamespace = 'trivet'::regnamespace and c.relkind = 'c' and t.typowner <> 'trivet_owner'::regrole
             union all
             select 'function', p.oid::regprocedure::text from pg_proc p
             where p.pronamespace = 'trivet'::regnamespace and p.proowner <> 'trivet_owner'::regrole
    loop
        execute format('alter %s %s owner to trivet_owner', o.kind, o.name);
    end loop;
end
$$;

revoke all on all functions in schema trivet from public, trivet_reader, trivet_analyst, trivet_writer;
revoke all on all tables in schema trivet from public, trivet_reader, trivet_analyst, trivet_writer;
revoke all on all sequences in schema trivet from public, trivet_reader, trivet_analyst, trivet_writer;
revoke all on schema trivet from public, trivet_reader, trivet_analyst, trivet_writer;
alter default privileges in schema trivet revoke select on tables from trivet_reader; -- an older trivet granted it

grant usage on schema trivet to trivet_reader;
grant select on all tables in schema trivet to trivet_reader;
grant select on public.ratings, public.movies, public.links, public.tags to trivet_reader;
grant insert, update, delete on trivet.preset to trivet_analyst;
grant usage, update on sequence trivet.code_live to trivet_writer;

do $$
declare
    t regclass;
    f record;
begin
    for t in select c.oid from pg_class c
             where c.relnamespace = 'trivet'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'schema_version'
    loop
        execute format('grant insert, update, delete, truncate on %s to trivet_writer', t);
    end loop;
    for f in select p.oid::regprocedure as name, p.provolatile <> 'v' as reads,
                    p.proname in ('save_preset', 'save_preset_of', 'drop_preset') as presets
             from pg_proc p where p.pronamespace = 'trivet'::regnamespace and p.prorettype <> 'trigger'::regtype
    loop
        execute format('grant execute on function %s to %s', f.name,
                       case when f.reads then 'trivet_reader' when f.presets then 'trivet_analyst' else 'trivet_writer' end);
    end loop;
end
$$;

-- Who may read public.ratings and nothing else asks it by that view (001_schema).
grant execute on function trivet.check_snapshot() to public;
