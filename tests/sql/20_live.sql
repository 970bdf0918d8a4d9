-- Live ratings: all or nothing, one row a pair, counted, and seen or not seen by a training.
begin;
select plan(70);

delete from trivet.rating;
delete from trivet.item;
insert into trivet.item (item_id, title) values (1, 'One'), (2, 'Two'), (3, 'Three'), (4, 'Four');
insert into trivet.load (state, name, source, row_count) values ('complete', 'a', 'a', 5);
select is((select count(*) from trivet.load), 1::bigint, 'one load');
create table trivet.rating_load_1 partition of trivet.rating for values in (1);
insert into trivet.rating (user_id, item_id, value, load_id) values
    (7, 1, 3, 1), (7, 2, 4, 1), (7, 2, 5, 1), (8, 1, 0.5, 1), (8, 9, 5, 1);
create function pg_temp.rows_of(who bigint) returns table (item_id bigint, value real, live bool) language sql as
    $$ select item_id, value, load_id is null from trivet.rating where user_id = who order by item_id, value $$;

-- The scale: of the loads, looked up once.
select results_eq('select * from trivet.known_scale()', 'values (0.5::real, 5::real)', 'the scale of the data');
select results_eq('select low, high from trivet.load', 'values (0.5::real, 5::real)', 'is kept with the load');

-- A new user, with the id 0.
select results_eq($$select rev, changed, refused, reason, low, high from trivet.rate(0, '{3,1}', '{4.5,2}')$$,
    $$values (1::bigint, '{1,3}'::bigint[], null::bigint, null::text, 0.5::real, 5::real)$$, 'a list is accepted');
select results_eq('select * from pg_temp.rows_of(0)', 'values (1::bigint, 2::real, true), (3, 4.5, true)', 'and stands there');
select ok((select bool_and(rated_at = now()) from trivet.rating where user_id = 0), 'with its time');
select results_eq($$select rev, changed from trivet.rate(0, '{3,1}', '{4.5,2}')$$, $$values (1::bigint, '{}'::bigint[])$$,
    'a repeat changes nothing');
select results_eq($$select rev, changed from trivet.rate(0, '{3,1}', '{5,2}')$$, $$values (2::bigint, '{3}'::bigint[])$$,
    'one that differs changes');
select results_eq('select * from pg_temp.rows_of(0)', 'values (1::bigint, 2::real, true), (3, 5, true)', 'and takes the old one''s place');

-- Loaded ratings are replaced, too, however often they stand there, and whatever their value: what is said live is the
-- user's word, which no later load replaces.
select is((select changed from trivet.rate(7, '{1,2}', '{3,4}')), '{1,2}', 'a loaded rating of that value becomes a live one');
select results_eq('select * from pg_temp.rows_of(7)', 'values (1::bigint, 3::real, true), (2, 4, true)', 'two loaded ones become one');

-- All or nothing.
select results_eq($$select rev, refused, reason from trivet.rate(8, '{2,3}', '{4,5.5}')$$, $$values (null::bigint, 3::bigint, 'scale')$$,
    'off the scale: the item is named');
select results_eq($$select refused, reason from trivet.rate(8, '{2,3}', '{0,5}')$$, $$values (2::bigint, 'scale')$$, 'below it');
select results_eq($$select refused, reason from trivet.rate(8, '{2,77,9}', '{4,4,4}')$$, $$values (77::bigint, 'unknown')$$,
    'an item that is not listed is unknown');
select results_eq($$select refused, reason from trivet.rate(8, '{2,77,9}', '{4,4,4}', '{77}')$$, $$values (77::bigint, 'unknown')$$,
    'also if only that one is in doubt');
select results_eq($$select refused, reason from trivet.rate(8, '{2,9}', '{4,nan}')$$, $$values (9::bigint, 'scale')$$, 'NaN is on no scale');
select results_eq('select * from pg_temp.rows_of(8)', 'values (1::bigint, 0.5::real, false), (9, 5, false)', 'nothing of it was written');
select is_empty('select * from trivet.user_change where user_id = 8', 'nor counted');
select is((select refused from trivet.rate(8, '{9}', '{4}', '{}')), null, 'a caller who knows an item need not have it looked up');

-- Taking back.
select results_eq('select rev, removed from trivet.unrate(7, 2)', 'values (2::bigint, 1::bigint)', 'a rating is taken back');
select results_eq('select removed from trivet.unrate(7, 2)', 'values (0::bigint)', 'once');
select results_eq('select rev, removed from trivet.unrate(7, 1)', 'values (3::bigint, 1::bigint)', 'a loaded one, too');
select results_eq('select rev, removed from trivet.unrate(99, 1)', 'values (null::bigint, 0::bigint)', 'of somebody unknown: nothing');
select is_empty('select * from trivet.user_change where user_id = 99', 'who stays unknown');

-- The queue.
select results_eq('select user_id, rev, folded_rev from trivet.user_change order by 1',
    'values (0::bigint, 2::bigint, 0::bigint), (7, 3, 0), (8, 1, 0)', 'changes are counted');
select lives_ok($$select trivet.users_folded('{7,0}', '{3,1}')$$, 'documents were written');
select results_eq('select user_id, folded_rev from trivet.user_change where rev > folded_rev order by 1',
    'values (0::bigint, 1::bigint), (8, 0)', 'who still waits');
select lives_ok($$select trivet.users_folded('{7}', '{2}')$$, 'an older note');
select is((select folded_rev from trivet.user_change where user_id = 7), 3::bigint, 'takes nothing back');
select results_eq($$select * from trivet.item_counts('{1,2,3,4}') order by 1$$,
    'values (1::bigint, 3::bigint, 2::bigint, 1.25::float8), (2, 2, 0, null), (3, 2, 1, 5)', 'counts of what changed');
select lives_ok($$select trivet.items_counted('{1,3}', '{3,2}')$$, 'counts were written');
select results_eq('select item_id from trivet.item_change where rev > counted_rev order by 1', 'values (2::bigint), (9)', 'the rest waits');
select is((select document::jsonb -> 'rev' from trivet.item_document where item_id = 1), '3', 'an item''s document knows its rev');

-- What a training saw.
insert into trivet.run (state, filter, source, snapshot) values
    ('live', '{"max_items_for_user": 50, "min_rating": 2.5, "genres": ["a''b", "c"]}', 'trivet.user_item()', pg_current_snapshot());
insert into trivet.run (state, evidence) values ('kept', 'SELECT 1, 2, 3');
insert into trivet.run (state) values ('kept');
select alike(trivet.evidence_query(1), 'SELECT user_id, item_id, value FROM trivet.chosen_rows(rated_since => null, genres => ''{a''''b,c}''::text[], min_rating => ''2.5''::real%)',
    'users are folded in from the rows that meet the filter''s conditions');
select is(trivet.evidence_query(2), format('SELECT * FROM (SELECT 1, 2, 3) evidence WHERE trivet.check_dataset(''%s'')', trivet.current_dataset()), 'or from a source of one''s own');
select is(trivet.evidence_query(3), null, 'or nobody knows');
select set_eq('select user_id from trivet.changed_users(3)', 'values (0::bigint), (7), (8)', 'without a snapshot everybody changed');
select set_eq('select item_id from trivet.changed_items(3)', 'values (1::bigint), (2), (3), (9)', 'and every item');
select set_eq('select user_id from trivet.changed_users(1)', 'select user_id from trivet.user_change', 'what this transaction did, a snapshot does not see');

-- Users with codes.
select results_eq($$select user_id, rev from trivet.rate_as('12', '{1}', '{4}')$$, 'values (12::bigint, 1::bigint)', 'a number is itself');
select is((select refused from trivet.rate_as('ann', '{1}', '{40}')), 1::bigint, 'a new code with a rating off the scale');
select is_empty($$select * from trivet.code where code = 'ann'$$, 'stays unknown');
select cmp_ok((select user_id from trivet.rate_as('ann', '{1}', '{4}')), '>=', 8500000000000000, 'with a good one it gets a number');
select results_eq($$select user_id, rev from trivet.rate_as('ann', '{1}', '{5}')$$, $$values (trivet.user_id('ann'), 2::bigint)$$, 'and keeps it');

-- Plays: one more, where the values are counts.
select results_eq($$select user_id, refused, reason from trivet.play_as('30', '{2,1}', '{1,1}')$$, $$values (null::bigint, 2::bigint, 'kind')$$,
    'plays are refused where there are ratings');
select is_empty('select * from trivet.user_change where user_id = 30', 'and nothing is counted');
select is(trivet.holds_counts() is true, false, 'ratings are no counts');
select is((select description -> 'scale' from trivet.data_state()), '{"low": 0.5, "high": 5}', 'a model is told what may be rated');
update trivet.load set format = 'plays-csv', low = 3, high = 40;
select ok(trivet.holds_counts(), 'the load says that values are counts');
delete from trivet.rating;
insert into trivet.rating (user_id, item_id, value, load_id) values (31, 1, 3, 1), (31, 2, 0.5, 1), (31, 2, 4, 1), (31, 3, 16777215, 1);
select results_eq($$select user_id, rev, changed, sums, refused from trivet.play_as('30', '{2,1}', '{1,5}')$$,
    $$values (30::bigint, 1::bigint, '{1,2}'::bigint[], '{1,5}'::real[], null::bigint)$$, 'of somebody new; fewer than anybody in the files');
select results_eq($$select rev, changed, sums from trivet.play_as('30', '{2,1,2}', '{1,2,4}')$$,
    $$values (2::bigint, '{1,2}'::bigint[], '{6,7,6}'::real[])$$, 'a repeat adds again, also in one list');
select results_eq('select * from pg_temp.rows_of(30)', 'values (1::bigint, 7::real, true), (2, 6, true)', 'one row a pair');
select results_eq($$select sums from trivet.play_as('31', '{2,1}', '{1,2}')$$, $$values ('{5.5,5}'::real[])$$, 'to what was loaded, too');
select results_eq('select * from pg_temp.rows_of(31)', 'values (1::bigint, 5::real, true), (2, 5.5, true), (3, 16777215, false)', 'whose rows go');
select results_eq($$select sums from trivet.play_as('31', '{3}', '{1}')$$, $$values ('{16777216}'::real[])$$, 'up to where a real counts');
select results_eq($$select user_id, refused, reason, high from trivet.play_as('31', '{1,3}', '{1,1}')$$,
    $$values (null::bigint, 3::bigint, 'full', 16777216::real)$$, 'and no further, where one more would be none');
select results_eq($$select refused, reason from trivet.play_as('bob', '{2,1,2}', '{16777216,1,1}')$$, $$values (2::bigint, 'full')$$, 'also in one list');
select is_empty($$select * from trivet.code where code = 'bob'$$, 'which makes nobody known');
select results_eq($$select refused, reason from trivet.play_as('31', '{1,2}', '{1,0}')$$, $$values (2::bigint, 'scale')$$, 'no play is none');
select results_eq($$select refused, reason from trivet.play_as('31', '{1,2}', '{1,1.5}')$$, $$values (2::bigint, 'scale')$$, 'nor is half a one');
select results_eq($$select refused, reason from trivet.play_as('31', '{1,2}', '{1,nan}')$$, $$values (2::bigint, 'scale')$$, 'nor NaN');
select results_eq($$select refused, reason from trivet.play_as('31', '{1,2}', '{1,null}')$$, $$values (2::bigint, 'scale')$$, 'nor nothing');
select results_eq($$select refused, reason from trivet.play_as('31', '{1,77}', '{1,1}')$$, $$values (77::bigint, 'unknown')$$, 'an item that is not listed is unknown');
select results_eq('select * from pg_temp.rows_of(31)', 'values (1::bigint, 5::real, true), (2, 5.5, true), (3, 16777216, true)', 'nothing of it was written');
select results_eq($$select changed, low, high from trivet.rate_as('31', '{1}', '{1}')$$, $$values ('{1}'::bigint[], 1::real, 16777216::real)$$, 'a rating sets the count, below and above those of the files');
select results_eq($$select refused, reason from trivet.rate_as('31', '{1}', '{0}')$$, $$values (1::bigint, 'scale')$$, 'to no play it cannot');
select is((select removed from trivet.unrate(31, 1)), 1::bigint, 'but it can be taken back');
select results_eq($$select sums from trivet.play_as('31', '{1}', '{1}')$$, $$values ('{1}'::real[])$$, 'and counts from none then');

select ok(has_function_privilege('trivet_live', 'trivet.rate(bigint, bigint[], real[], bigint[], bigint)', 'execute')
    and not has_table_privilege('trivet_live', 'trivet.rating', 'insert')
    and not has_table_privilege('trivet_live', 'trivet.rating_live', 'insert, update, delete'), 'the server''s login writes through functions only');
select ok(not has_function_privilege('trivet_reader', 'trivet.rate(bigint, bigint[], real[], bigint[], bigint)', 'execute'), 'which a reader may not call');
select * from finish();
rollback;
