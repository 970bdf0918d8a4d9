-- Presets: saved, read, never overwritten in silence, dropped; what one loses against another.
begin;
set local jit = off;
set local client_min_messages = warning;
select plan(35);

delete from trivet.rating;
delete from trivet.item;
insert into trivet.item (item_id, title, genres) select i, 'item ' || i, case when i <= 3 then '{Drama}' else '{War}' end::text[] from generate_series(1, 12) i;
insert into trivet.rating (user_id, item_id, value, rated_at)
    select u, i, 1 + (u + i) % 5, timestamptz '2020-01-01' + i * interval '1 day'
    from (values (1, 2), (2, 3), (3, 5), (4, 6), (70, 12)) s (u, n), generate_series(1, n) i;

select is(trivet.save_preset('weekend', max_items_for_user => 200), trivet.filter_values(max_items_for_user => 200), 'saving returns all values');
select results_eq('select name, author, note, created_at, "values" from trivet.preset', $$values ('weekend'::text, session_user::text collate "default", null::text, now(), trivet.filter_values(max_items_for_user => 200))$$, 'who, when, what');
select results_eq($$select min_users_for_item, min_items_for_user, max_items_for_user, max_row_number, rated_since, rated_until, genres, min_rating, sample_users from trivet.preset_values('weekend')$$, 'values (10, 3, 200, 100000::bigint, null::timestamptz, null::timestamptz, null::text[], null::real, 1::real)', 'read as typed values');

-- Never in silence.
prepare again as select trivet.save_preset('weekend', max_items_for_user => 300);
select throws_like('again', 'preset "weekend" exists: saved by %', 'an existing name is refused');
select throws_ok('again', '23505', null, 'as a unique violation');
select lives_ok($$select trivet.save_preset('weekend', max_items_for_user => 300, note => 'wider', replace => true)$$, 'replace overwrites it');
select results_eq('select note, "values" ->> ''max_items_for_user'' from trivet.preset', $$values ('wider'::text, '300'::text)$$, 'with its note');
select throws_like($$select trivet.save_preset('weekend', replace => null)$$, 'preset "weekend" exists%', 'null is no yes');

-- All parameters survive.
select lives_ok($$select trivet.save_preset('all', 1, 2, 6, 13, '2020-01-02', '2020-02-01 12:00', '{Drama,"a,b","c \"d\""}', 2.5, 0.1, note => 'everything')$$, 'all parameters');
select results_eq($$select min_users_for_item, min_items_for_user, max_items_for_user, max_row_number, rated_since, rated_until, genres, min_rating, sample_users from trivet.preset_values('all')$$, $$values (1, 2, 6, 13::bigint, timestamptz '2020-01-02', timestamptz '2020-02-01 12:00', array['Drama', 'a,b', 'c "d"'], 2.5::real, 0.1::real)$$, 'come back as they were');
select results_eq($$select * from trivet.preset_user_item('all')$$, $$select * from trivet.user_item(1, 2, 6, 13, '2020-01-02', '2020-02-01 12:00', '{Drama,"a,b","c \"d\""}', 2.5, 0.1)$$, 'and choose the same rows');
select lives_ok($$select trivet.save_preset('few', 1, 3, 6)$$, 'a third');
select results_eq($$select * from trivet.preset_user_item('few')$$, 'select * from trivet.user_item(1, 3, 6)', 'rows of a preset');

-- Bad names and values.
select throws_like($$select trivet.save_preset(null)$$, 'name is null%', 'no name');
select throws_like($$select trivet.save_preset('')$$, 'name is ""%', 'an empty name');
select throws_like($$select trivet.save_preset(' a')$$, 'name is " a"%', 'a space before it');
select throws_like($$select trivet.save_preset('17')$$, 'name is "17"%', 'a number means a run');
select throws_like($$select trivet.save_preset('live')$$, 'name is "live"%', 'live means the live model');
select throws_like($$select trivet.save_preset(E'a\nb')$$, 'name is "a%', 'two lines');
select throws_like($$select trivet.save_preset(repeat('x', 101))$$, 'name is "xxx%', '101 characters');
select lives_ok($$select trivet.save_preset(repeat('x', 100))$$, '100 characters');
select throws_like($$select trivet.save_preset('bad', min_users_for_item => -1)$$, 'min_users_for_item is -1%', 'a bad value is named');
select throws_like($$select trivet.save_preset('bad', sample_users => 2)$$, 'sample_users is 2%', 'a bad sample is named');
select throws_ok($$insert into trivet.preset (name, "values") values ('17', '{}')$$, '23514', null, 'the table itself refuses such names');

-- What b loses.
select lives_ok($$select trivet.save_preset('open', 0, 0, 100)$$, 'wide open');
select lives_ok($$select trivet.save_preset('limit', 1, 3, 6, 13)$$, 'with a limit');
select results_eq($$select movieid, title, rating_rows, pairs, step, name from trivet.items_lost('open', 'limit')$$, $$values
    (6::bigint, 'item 6'::text, 2::bigint, 2::bigint, 9, 'row limit'::text), (7, 'item 7', 1, 1, 5, 'item cut'), (8, 'item 8', 1, 1, 5, 'item cut'),
    (9, 'item 9', 1, 1, 5, 'item cut'), (10, 'item 10', 1, 1, 5, 'item cut'), (11, 'item 11', 1, 1, 5, 'item cut'), (12, 'item 12', 1, 1, 5, 'item cut')$$, 'each with the step that removed it, most rated first');
select is_empty($$select l.movieid from trivet.items_lost('open', 'all') l, trivet.why_item(l.movieid, 1, 2, 6, 13, '2020-01-02', '2020-02-01 12:00', '{Drama,"a,b","c \"d\""}', 2.5, 0.1) w
    where greatest(w.step, 4) is distinct from l.step$$, 'the same step as why_item');
select is_empty($$select * from trivet.items_lost('few', 'open')$$, 'nothing is lost the other way');
select throws_like($$select * from trivet.items_lost('open', 'none')$$, 'there is no preset "none"', 'an unknown preset is named');

-- Where the ratings are many, queries are parallel; checking a value takes a subtransaction, which those cannot start.
set local parallel_setup_cost = 0;
set local parallel_tuple_cost = 0;
set local min_parallel_table_scan_size = 0;
set local min_parallel_index_scan_size = 0;
select lives_ok($$select * from trivet.items_lost('open', 'few')$$, 'items_lost where plans are parallel');
select lives_ok($$select count(*), (select sum(row_count) from trivet.sweep('min_rating', '{1,2}')), (select count(*) from trivet.preset_user_item('all'))
    from trivet.rating r where r.value > 0$$, 'sweep and presets beside a parallel scan');
reset parallel_setup_cost;
reset parallel_tuple_cost;
reset min_parallel_table_scan_size;
reset min_parallel_index_scan_size;

-- Dropped.
select is(trivet.drop_preset('few'), trivet.filter_values(1, 3, 6), 'dropping returns the values');
select throws_like($$select trivet.drop_preset('few')$$, 'there is no preset "few"', 'only once');
select throws_like($$select * from trivet.preset_values('few')$$, 'there is no preset "few"', 'and it is gone');
select * from finish();
rollback;
