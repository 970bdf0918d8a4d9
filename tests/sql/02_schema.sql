-- Schema: comments on everything, the old names, roles, versions, the reports.
begin;
select plan(19);

delete from trivet.rating;
delete from trivet.tag;
delete from trivet.item;
insert into trivet.item (item_id, title, year, genres, imdb_id, tmdb_id, extra)
    values (1, 'Toy Story (1995)', 1995, '{Animation,Comedy}', 'tt0114709', 862, '{"runtime": 81}'), (2, 'Unknown', null, null, null, null, null);
insert into trivet.rating (user_id, item_id, value, rated_at) values (10, 1, 4.5, to_timestamp(1000)), (10, 3, 2, null);
insert into trivet.tag values (10, 1, 'fun', to_timestamp(2000));

select results_eq('select * from public.ratings order by movieid', $$values (10::bigint, 1::bigint, 4.5::real, 1000::bigint), (10, 3, 2, null)$$, 'view ratings');
select results_eq('select * from public.movies order by movieid', $$values (1::bigint, 'Toy Story (1995)'::text, 'Animation|Comedy'::text), (2, 'Unknown', '(no genres listed)')$$, 'view movies');
select results_eq('select * from public.links', $$values (1::bigint, '0114709'::text, 862::bigint)$$, 'view links keeps leading zeros');
select results_eq('select * from public.tags', $$values (10::bigint, 1::bigint, 'fun'::text, 2000::bigint)$$, 'view tags');
select results_eq('select item_id, document::jsonb from trivet.item_document order by item_id', $$values
    (1::bigint, '{"_id": 1, "title": "Toy Story (1995)", "year": 1995, "genres": ["Animation", "Comedy"], "imdb_id": "tt0114709", "tmdb_id": 862, "n": 1, "mean": 4.5, "runtime": 81}'::jsonb),
    (2, '{"_id": 2, "title": "Unknown", "year": null, "genres": [], "imdb_id": null, "tmdb_id": null, "n": 0, "mean": null}'),
    (3, '{"_id": 3, "title": null, "year": null, "genres": [], "imdb_id": null, "tmdb_id": null, "n": 1, "mean": 2}')$$, 'a document an item, listed or only rated');

-- The workshop's sparsity: 4,571 users with ids up to 7,954 and 4,745 items with ids up to 171,763.
delete from trivet.rating;
insert into trivet.rating (user_id, item_id, value)
    select case when n = 4570 then 7954 else n end, case when n = 4570 then 171763 else n end, 3 from generate_series(0, 4570) n
    union all select 0, n, 3 from generate_series(5000, 5000 + 4745 - 4571 - 1) n;
select results_eq('select users, items, user_ids, item_ids, round(users_without_activity::numeric, 7), round(items_without_views::numeric, 7) from trivet.sparsity(0, 0, 1000)',
    'values (4571::bigint, 4745::bigint, 7955::bigint, 171764::bigint, 0.4253928::numeric, 0.9723749::numeric)', 'the workshop''s sparsity report');
select is((select round(density::numeric, 9) from trivet.sparsity(0, 0, 1000)), round((4571 + 174) / (4571 * 4745)::numeric, 9), 'density of the dense matrix');
select is((select count(*) from trivet.sparsity), 1::bigint, 'the view without parameters');

-- Empty tables.
delete from trivet.rating;
select is_empty('select * from trivet.user_item()', 'nothing from nothing');
select results_eq('select row_count, users, density from trivet.sparsity()', 'values (0::bigint, 0::bigint, null::float8)', 'sparsity of nothing');
select is((select step from trivet.why_empty()), 'trivet.rating has no rows', 'why_empty of nothing');
select is_empty('select * from trivet.example_users()', 'no example users of nothing');

-- why_empty names the step, and its suggestion holds.
insert into trivet.rating (user_id, item_id, value) select u, i, 3 from generate_series(1, 5) u, generate_series(1, 4) i;
select results_eq('select * from trivet.why_empty(10)', $$values ('the item cut: no item has more than 10 rating rows, the most rated has 5'::text, '--set min_users_for_item=4'::text)$$, 'the item cut');
select isnt_empty('select * from trivet.user_item(4)', 'and the suggestion keeps something');
select results_eq('select * from trivet.why_empty(0, 1, 3)', $$values ('the user cut: no user has 1 to 3 rating rows'::text, '--set max_items_for_user=4'::text)$$, 'the user cut');

-- Comments on everything that is ours.
select is_empty($$select c.relname, a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where n.nspname = 'trivet' and c.relkind in ('r', 'p') and not c.relispartition and col_description(c.oid, a.attnum) is null and c.relname not like 'rating\_load\_%'$$, 'every column of every table has a comment');
select is_empty($$select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where (n.nspname = 'trivet' or (n.nspname = 'public' and relname in ('ratings', 'movies', 'links', 'tags'))) and c.relkind in ('r', 'p', 'v') and relname not like 'rating\_load\_%' and obj_description(c.oid, 'pg_class') is null$$, 'every table and view has a comment');
select is_empty($$select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'trivet' and obj_description(p.oid, 'pg_proc') is null$$, 'every function has a comment');
select is_empty($$select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where n.nspname = 'trivet' and a.grantee = 0 and p.proname <> 'check_snapshot'$$, 'nothing is executable by everybody but the question of a view that everybody may be given');

select * from finish();
rollback;
