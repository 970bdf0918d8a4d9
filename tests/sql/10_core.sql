-- trivet.user_item_core: both cuts repeated until nothing changes, on pairs.
begin;
select plan(25);

-- A chain: user u rates items u and u + 1 (users 1..6), and users 11..14 rate all of items 21..24.
delete from trivet.rating;
insert into trivet.rating (user_id, item_id, value, rated_at)
    select u, i, 3, timestamptz '2020-01-01' from generate_series(1, 6) u, generate_series(u, u + 1) i
    union all select u, i, 4, timestamptz '2021-01-01' from generate_series(11, 14) u, generate_series(21, 24) i;

create function pg_temp.users(min_users int, min_items int, max_items int) returns bigint[] language sql as $$
    select array_agg(distinct userid order by userid) from trivet.user_item_core(min_users, min_items, max_items) $$;
create function pg_temp.items(min_users int, min_items int, max_items int) returns bigint[] language sql as $$
    select array_agg(distinct movieid order by movieid) from trivet.user_item_core(min_users, min_items, max_items) $$;

select is((select count(*) from trivet.user_item_core(0, 0, 100)), 28::bigint, 'wide open keeps every pair');
select is(pg_temp.users(1, 0, 100), '{1,2,3,4,5,6,11,12,13,14}', 'more than one user an item: the ends of the chain lose one item each');
select is(pg_temp.items(1, 0, 100), '{2,3,4,5,6,21,22,23,24}', 'and those items go');
select is(pg_temp.users(1, 2, 100), '{11,12,13,14}', 'two items a user: the chain unravels from both ends, round after round');
select is((select array_agg(distinct userid order by userid) from trivet.user_item(1, 2, 100)), '{1,2,3,4,5,6,11,12,13,14}', 'where one pass keeps all of it');
select is(pg_temp.users(3, 4, 100), '{11,12,13,14}', 'an item with 4 users has more than 3, a user with 4 items has 4');
select is(pg_temp.users(4, 4, 100), null, 'but not more than 4');
select is(pg_temp.users(3, 5, 100), null, 'and not 5 items');
select is(pg_temp.users(0, 0, 4), '{1,2,3,4,5,6,11,12,13,14}', 'max_items_for_user is inclusive');
select is(pg_temp.users(0, 0, 3), '{1,2,3,4,5,6}', 'who has more is out');

-- A user above the maximum is out from the start, even where the item cut would leave them fewer.
insert into trivet.rating (user_id, item_id, value) values (11, 99, 1);
select is(pg_temp.users(1, 4, 4), '{12,13,14}', 'item 99 has one user, but user 11 has 5 items before any cut');
select is(pg_temp.users(1, 4, 5), '{11,12,13,14}', 'with 5 allowed user 11 stays with 4');
select is(pg_temp.items(3, 4, 4), null, 'and without user 11 every item has only 3 users');

-- Repeated pairs count once.
insert into trivet.rating (user_id, item_id, value) values (1, 1, 5), (1, 1, 5), (1, 1, 5);
select is(pg_temp.items(1, 0, 100), '{2,3,4,5,6,21,22,23,24}', 'four rating rows of one user are one user');
select is((select array_agg(distinct movieid order by movieid) from trivet.user_item(1, 0, 100)), '{1,2,3,4,5,6,21,22,23,24}', 'where one pass counts rows');
select is(pg_temp.users(0, 3, 100), '{11,12,13,14}', 'and for users');
select is((select rating from trivet.user_item_core(0, 0, 100) where userid = 1 and movieid = 1), ((3 + 5 + 5 + 5) / 4.0)::real, 'the pair is averaged');

-- The other parameters.
select is((select array_agg(distinct userid order by userid) from trivet.user_item_core(0, 0, 100, rated_until => '2020-06-01')), '{1,2,3,4,5,6}', 'conditions on rows come first');
select is((select count(*) from trivet.user_item_core(0, 0, 100, 5)), 5::bigint, 'the row limit cuts last');
select ok((select array_agg(distinct userid) from trivet.user_item_core(0, 0, 100, sample_users => 0.5))
    <@ (select array_agg(userid) from trivet.kept_users(0, 100, sample_users => 0.5)), 'the sample is that of user_item');
select results_eq('select * from trivet.user_item_core(1, 2, 100)', 'select * from trivet.user_item_core(1, 2, 100) order by userid, movieid', 'in (user, item) order');

select throws_like('select * from trivet.user_item_core(-1)', 'min_users_for_item is -1%', 'a bad value is named');
select throws_like('select * from trivet.user_item_core(0, 4, 3)', 'max_items_for_user is 3%', 'max below min is named');
select throws_like('select * from trivet.user_item_core(max_row_number => 0)', 'max_row_number is 0%', 'row limit 0 is named');

delete from trivet.rating;
set transaction_read_only = on;
select is_empty('select * from trivet.user_item_core(0, 0, 100)', 'nothing from nothing, in a read-only transaction');
select * from finish();
rollback;
