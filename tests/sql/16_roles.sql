-- Who may do what, with the three roles themselves.
begin;
select plan(31);

select columns_are('trivet', 'recommendation', array['run_id', 'user_id', 'rank', 'item_id', 'score'], 'the columns of recommendation');
select throws_ok($$insert into trivet.recommendation values (1, 1, 1, 1, 0.5), (1, 1, 1, 2, 0.4)$$, '23505', null, 'one item a place');

-- Called as superuser, so that the test's own functions are at hand; the statement itself runs as the role.
create function pg_temp.as_role(role_name text, statement text) returns text language plpgsql as $$
begin
    execute format('set local role %I', role_name);
    execute statement;
    reset role;
    return 'done';
exception when insufficient_privilege then
    reset role;
    return 'denied';
end $$;

select is(pg_temp.as_role('trivet_reader', 'select count(*) from trivet.rating'), 'done', 'a reader reads ratings');
select is(pg_temp.as_role('trivet_reader', 'select count(*) from public.ratings, public.movies, public.links, public.tags'), 'done', 'and the views of MovieLens'' names');
select is(pg_temp.as_role('trivet_reader', 'select * from trivet.user_item(), trivet.user_item_core(), trivet.funnel(), trivet.evidence()'), 'done', 'filters');
select is(pg_temp.as_role('trivet_reader', $q$select * from trivet.sweep('min_rating', '{1}'), trivet.why_item(1), trivet.why_user(1)$q$), 'done', 'sweeps, asks why');
select is(pg_temp.as_role('trivet_reader', 'select count(*) from trivet.funnel, trivet.sparsity, trivet.activity_of_users, trivet.activity_of_items, trivet.duplicates, trivet.rating_scale, trivet.quality'), 'done', 'sees every report');
select is(pg_temp.as_role('trivet_reader', 'select count(*) from trivet.preset, trivet.recommendation, trivet.run, trivet.load, trivet.item'), 'done', 'and the tables');
select is(pg_temp.as_role('trivet_reader', $q$select trivet.save_preset('a')$q$), 'denied', 'a reader cannot save a preset');
select is(pg_temp.as_role('trivet_reader', $q$insert into trivet.preset (name, "values") values ('a', '{}')$q$), 'denied', 'not directly either');
select is(pg_temp.as_role('trivet_reader', $q$select trivet.drop_preset('a')$q$), 'denied', 'nor drop one');
select is(pg_temp.as_role('trivet_reader', 'insert into trivet.rating values (1, 1, 1)'), 'denied', 'nor rate');
select is(pg_temp.as_role('trivet_reader', 'create table trivet.mine (a int)'), 'denied', 'nor make tables here');

select is(pg_temp.as_role('trivet_analyst', $q$select trivet.save_preset('a', max_items_for_user => 60)$q$), 'done', 'an analyst saves a preset');
select is(pg_temp.as_role('trivet_analyst', $q$select * from trivet.preset_user_item('a'), trivet.items_lost('a', 'a')$q$), 'done', 'uses it');
select is(pg_temp.as_role('trivet_analyst', $q$select trivet.save_preset('a', replace => true)$q$), 'done', 'replaces it');
select is(pg_temp.as_role('trivet_analyst', $q$select trivet.drop_preset('a')$q$), 'done', 'and drops it');
select is(pg_temp.as_role('trivet_analyst', 'update trivet.rating set value = 5'), 'denied', 'an analyst cannot change a rating');
select is(pg_temp.as_role('trivet_analyst', 'insert into trivet.rating values (1, 1, 1)'), 'denied', 'nor add one');
select is(pg_temp.as_role('trivet_analyst', 'delete from trivet.rating_live'), 'denied', 'nor delete one');
select is(pg_temp.as_role('trivet_analyst', 'update public.ratings set rating = 5'), 'denied', 'nor through a view');
select is(pg_temp.as_role('trivet_analyst', 'update trivet.run set state = state'), 'denied', 'nor touch the journal');
select is(pg_temp.as_role('trivet_analyst', 'select trivet.load_clean()'), 'denied', 'nor load');

select is(pg_temp.as_role('trivet_writer', 'insert into trivet.rating values (1, 1, 1)'), 'done', 'a writer rates');
select is(pg_temp.as_role('trivet_writer', 'insert into trivet.recommendation values (1, 1, 1, 1, 0.5)'), 'done', 'recommends');
select is(pg_temp.as_role('trivet_writer', 'select trivet.load_clean(), trivet.load_create(900), trivet.load_index(900, null, null), trivet.load_duplicates(900, 0), trivet.load_attach(900, trivet.current_dataset(), false, 0, 0)'), 'done', 'loads');
select is((select relowner::regrole::text from pg_class where oid = 'trivet.rating_load_900'::regclass), 'trivet_owner', 'into a table that is no writer''s own');
select is(pg_temp.as_role('trivet_writer', $q$select trivet.save_preset('a')$q$), 'done', 'and may do what an analyst may');

select is_empty($$select c.oid::regclass from pg_class c where c.relnamespace = 'trivet'::regnamespace and c.relowner <> 'trivet_owner'::regrole$$, 'all tables are the owner''s');
select is_empty($$select p.oid::regprocedure from pg_proc p where p.pronamespace = 'trivet'::regnamespace and has_function_privilege('trivet_reader', p.oid, 'execute') and p.provolatile = 'v'$$, 'a reader calls nothing that may write');
select is_empty($$select p.oid::regprocedure from pg_proc p where p.pronamespace = 'trivet'::regnamespace and p.prosecdef and not exists (select from unnest(p.proconfig) c where c like 'search_path=%')$$, 'whoever runs with the rights of its owner has its own search path');
select * from finish();
rollback;
