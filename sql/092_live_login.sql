-- 092_live_login: the login with which trivet-serve writes ratings. It reads, calls the few functions that write them,
-- and has no right on any table.
--
-- Like trivet_page (sql/091_page_login.sql) it has no password, and an administrator's own settings stay.

do $$
declare
    f regprocedure;
begin
    if not exists (select from pg_roles where rolname = 'trivet_live') then
        create role trivet_live login in role trivet_reader;
        alter role trivet_live set statement_timeout = '10s';
        comment on role trivet_live is 'trivet: login of trivet-serve for new ratings; a reader who may call trivet.rate and what goes with it';
    end if;
    revoke all on all functions in schema trivet from trivet_live;
    -- They run as the owner of the tables, so that their caller needs no right on these.
    foreach f in array array['trivet.known_scale()', 'trivet.rate(bigint, bigint[], real[], bigint[], bigint)',
                             'trivet.rate_as(text, bigint[], real[], bigint[], bigint)',
                             'trivet.play_as(text, bigint[], real[], bigint[], bigint)', 'trivet.unrate(bigint, bigint, bigint)',
                             'trivet.unrate_as(text, bigint, bigint)',
                             'trivet.similar_applied(bigint, bigint[], bigint)', 'trivet.similar_again(bigint, bigint)',
                             'trivet.similar_end(bigint[], bigint, bigint[])',
                             'trivet.users_folded(bigint[], bigint[], bigint)', 'trivet.users_not_folded(bigint[], bigint[], boolean, bigint)',
                             'trivet.items_counted(bigint[], bigint[], bigint)']::regprocedure[] loop
        execute format('grant execute on function %s to trivet_live', f);
    end loop;
end
$$;
