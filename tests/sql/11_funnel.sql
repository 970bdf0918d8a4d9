-- trivet.funnel: every step against counts made here, both sides of what it says, empty tables.
begin;
select plan(32);

-- User u rates items 1..n(u): item i is rated by everybody with n(u) >= i. User 9 rates only item 50.
create temp table small (u bigint, n int);
insert into small values (1, 2), (2, 3), (3, 5), (4, 6), (70, 12);
delete from trivet.rating;
delete from trivet.item;
insert into trivet.rating (user_id, item_id, value, rated_at)
    select u, i, 1 + (u + i) % 5, timestamptz '2020-01-01' + i * interval '1 day' from small, generate_series(1, n) i
    union all select 9, 50, 3, timestamptz '2020-01-01';
insert into trivet.item (item_id, title, genres) select i, 'item ' || i, case when i <= 3 then '{Drama}' else '{}' end::text[] from generate_series(1, 12) i;

create temp view steps as select step, name, row_count, users, items from trivet.funnel(1, 3, 6);
select results_eq('select * from steps', $$values
    (1, 'all', 29::bigint, 6::bigint, 13::bigint), (2, 'time', 29, 6, 13), (3, 'min_rating', 29, 6, 13), (4, 'genres', 29, 6, 13),
    (5, 'item cut', 22, 5, 6), (6, 'user cut', 14, 3, 6), (7, 'sample', 14, 3, 6), (8, 'pairs', 14, 3, 6),
    (9, 'row limit', 14, 3, 6), (10, 'users learned from', 14, 3, 6), (11, 'users folded in', 8, 2, 6),
    (12, 'users not reached', 1, 1, 1)$$, 'every step');
select results_eq('select removed_rows, removed_users, removed_items from trivet.funnel(1, 3, 6) where step between 4 and 7', $$values
    (0::bigint, 0::bigint, 0::bigint), (7, 1, 7), (8, 2, 0), (0, 0, 0)$$, 'what each removed');
select is((select sum(removed_rows) from trivet.funnel(1, 3, 6)), 15::numeric, 'the removals add up to the difference');
select ok((select bool_and(removed_rows is null and removed_users is null and removed_items is null) from trivet.funnel(1, 3, 6) where step > 9), 'steps that divide the users remove nothing');
select is((select sum(users) from trivet.funnel(1, 3, 6) where step > 9), 6::numeric, 'learned from, folded in and not reached are all users');
select is((select round(density::numeric, 6) from trivet.funnel(1, 3, 6) where step = 9), round(14 / 18.0, 6), 'density');
select is((select density from trivet.funnel(1, 3, 6) where step = 12), 1::float8, 'density of one cell');

-- Both sides of each threshold.
select is((select items from trivet.funnel(2, 3, 6) where step = 5), 5::bigint, 'item 6 has 2 rating rows, not more than 2');
select is((select users from trivet.funnel(1, 4, 6) where step = 6), 2::bigint, 'user 2 has 3 rating rows, fewer than 4');
select is((select users from trivet.funnel(1, 3, 5) where step = 6), 2::bigint, 'user 4 has 6 rating rows, more than 5');
select is((select users_below_minimum from trivet.funnel(1, 3, 6) where step = 6), 0::bigint, 'nobody fell below the minimum');
select is((select users_below_minimum from trivet.funnel(3, 4, 6) where step = 6), 2::bigint, 'items 1..3 remain, so users 3 and 4 have 3 of at least 4');
select is((select users_below_minimum from trivet.funnel(1, 1, 6) where step = 6), 1::bigint, 'user 9 is kept by the user cut, and has nothing left');
select is((select users from trivet.funnel(1, 1, 6) where step = 6), 4::bigint, 'and is not among the users of the result');

-- The row limit.
select results_eq('select limit_cut from trivet.funnel(1, 3, 6, 14) where step = 9', 'values (false)', 'a limit of all pairs does not cut');
select results_eq('select row_count, users, items, limit_cut, note from trivet.funnel(1, 3, 6, 13) where step = 9', $$values (13::bigint, 3::bigint, 5::bigint, true, 'cut: kept 13 of 14 pairs, only users 2 to 4 are learned'::text)$$, 'one less cuts');
select results_eq('select row_count, users, items from trivet.funnel(1, 3, 6, 3) where step = 10', 'values (3::bigint, 1::bigint, 3::bigint)', 'a limit at the end of a user');
select results_eq('select row_count, users, items from trivet.funnel(1, 3, 6, 4) where step = 10', 'values (4::bigint, 2::bigint, 3::bigint)', 'a limit after the first pair of the next');
select is((select limit_cut from trivet.funnel() where step = 8), null, 'the other steps do not speak of the limit');

-- Conditions on rows: one step each, and what evidence they leave.
select results_eq($$select row_count from trivet.funnel(0, 0, 100, rated_since => '2020-01-03', genres => '{Drama}', min_rating => 3) where step <= 4$$,
    $$select count(*) from trivet.rating union all select count(*) from trivet.rating where rated_at >= '2020-01-03'
      union all select count(*) from trivet.rating where rated_at >= '2020-01-03' and value >= 3
      union all select count(*) from trivet.rating where rated_at >= '2020-01-03' and value >= 3 and item_id <= 3$$, 'time, min_rating, genres');
select is((select users from trivet.funnel(0, 0, 100, rated_until => '2020-01-03') where step = 11), 0::bigint, 'before the third day everybody has rated item 1');
select results_eq($$select step, users from trivet.funnel(0, 0, 100, rated_until => '2020-01-02', min_rating => 3) where step >= 10$$,
    $$select 10, count(distinct user_id) from trivet.rating where rated_at < '2020-01-02' and value >= 3
      union all select 11, count(distinct user_id) from trivet.rating r where value >= 3 and item_id in (50) and user_id <> 9
      union all select 12, 5::bigint$$, 'who rated item 50 is learned, all others have no item of the model');

-- Repeated pairs.
insert into trivet.rating (user_id, item_id, value) values (2, 1, 5), (2, 1, 5);
select results_eq('select row_count, removed_rows from trivet.funnel(1, 3, 6) where step in (7, 8)', 'values (16::bigint, 0::bigint), (14, 2)', 'averaging removes repeated rows');

-- It agrees with the filter, with a sample, too.
select results_eq('select row_count, users, items from trivet.funnel(1, 2, 6, sample_users => 0.5) where step = 9',
    'select count(*), count(distinct userid), count(distinct movieid) from trivet.user_item(1, 2, 6, sample_users => 0.5)', 'the same as user_item');
select is((select parameters from trivet.funnel(1, 2, 6, sample_users => 0.5) where step = 3), trivet.filter_values(1, 2, 6, sample_users => 0.5), 'each row carries its parameters');
select results_eq('table trivet.funnel', 'select * from trivet.funnel()', 'the view is the function at its defaults');

-- Bad values and empty tables.
select throws_like('select * from trivet.funnel(null)', 'min_users_for_item is null%', 'null is named');
select throws_like('select * from trivet.funnel(0, 4, 3)', 'max_items_for_user is 3%', 'max below min is named');
select throws_like('select * from trivet.funnel(sample_users => 2)', 'sample_users is 2%', 'a sample above 1 is named');
delete from trivet.rating;
set transaction_read_only = on;
select is((select count(*) from trivet.funnel()), 12::bigint, 'an empty table has all steps, and the transaction may be read-only');
select ok((select bool_and(row_count = 0 and users = 0 and items = 0 and density is null) from trivet.funnel()), 'all of them zero');
select ok(not (select limit_cut from trivet.funnel() where step = 9), 'and no limit cuts');
select * from finish();
rollback;
