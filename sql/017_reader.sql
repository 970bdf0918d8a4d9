-- 017_reader: may a login only read? SQL that people write (fit --source, similar --source) runs only as one that may.
--
-- SET ROLE is no boundary for such SQL, because a function can RESET ROLE; and a READ ONLY transaction is none either,
-- because COPY ... TO PROGRAM changes no table. What a login may become counts like what it is, whether it inherits or
-- would have to SET ROLE. Temporary tables, and schemas of the login's own, are its own business.

create or replace function trivet.too_much_for_a_reader(login name = session_user) returns text
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
    with self as (
        select r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls,
               case when r.rolname = login then format('%I', login) else format('%I may become %I, which', login, r.rolname) end as who
        from pg_roles r where pg_has_role(login, r.oid, 'member')
    ), relation as (
        select c.* from pg_class c where c.relnamespace in ('trivet'::regnamespace, 'public'::regnamespace)
    ), function as (
        select p.* from pg_proc p where p.pronamespace = 'trivet'::regnamespace
    ), too_much (place, what) as (
        select 1, format('%s is a superuser', who) from self where rolsuper
        union all
        select 2, format('%s has the right %s', who, flag)
        from self, lateral (values ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb), ('REPLICATION', rolreplication),
                                   ('BYPASSRLS', rolbypassrls)) f (flag, has)
        where has
        union all
        select 3, format('%I is a member of %s', login, rolname) from self
        where rolname like 'pg\_%'
          and rolname not in ('pg_read_all_data', 'pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables')
        union all
        select 4, format('%s owns schema %I', who, n.nspname) from self join pg_namespace n on n.nspowner = self.oid
        where n.nspname in ('trivet', 'public')
        union all
        select 5, format('%s owns %s', who, c.oid::regclass) from self join relation c on c.relowner = self.oid
        union all
        select 6, format('%s owns function %s', who, p.oid::regprocedure) from self join function p on p.proowner = self.oid
        union all
        select 7, format('%s may create objects in schema %I', who, n.nspname) from self, pg_namespace n
        where n.nspname in ('trivet', 'public') and has_schema_privilege(self.oid, n.oid, 'create')
        union all
        select 8, format('%s may write to %s', who, c.oid::regclass) from self, relation c
        where c.relkind in ('r', 'p', 'v', 'm', 'f')
          and (has_table_privilege(self.oid, c.oid, 'insert, update, delete, truncate, references, trigger')
               or has_any_column_privilege(self.oid, c.oid, 'insert, update, references'))
        union all
        select 9, format('%s may count %s on', who, c.oid::regclass) from self, relation c
        where c.relkind = 'S' and has_sequence_privilege(self.oid, c.oid, 'usage, update')
        union all
        select 10, format('%s may call %s, which writes', who, p.oid::regprocedure) from self, function p
        where p.provolatile = 'v' and has_function_privilege(self.oid, p.oid, 'execute')
    )
    select what from too_much order by place, what limit 1
$$;
comment on function trivet.too_much_for_a_reader(name) is
'The first right of a login that is more than reading ratings, models and reports: what it is, may become, owns, may write or
call; null for a login that can only read. Functions that only read are those declared STABLE or IMMUTABLE.
    select trivet.too_much_for_a_reader(''ann'');';
