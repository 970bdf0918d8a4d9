-- 091_page_login: the login of trivet-serve's pages /lab and /models. It reads, and nothing else; no statement of its runs
-- long.
--
-- The settings of the role guard the database even where a client forgets to; an administrator's own values, set
-- later with ALTER ROLE, stay. It has no password: pg_hba.conf decides from where it may come, and
--     alter role trivet_page password '...';
-- where that asks for one.

do $$
begin
    if not exists (select from pg_roles where rolname = 'trivet_page') then
        create role trivet_page login in role trivet_reader;
        alter role trivet_page set default_transaction_read_only = on;
        alter role trivet_page set statement_timeout = '30s';
        comment on role trivet_page is 'trivet: login of the pages /lab and /models; a reader whose statements end after 30 s';
    end if;
end
$$;
