-- Activity, and why one item or user is not in the result: in agreement with the funnel.
begin;
set local jit = off; -- compiling the plans of some hundred small queries takes longer than running them
select plan(47);

-- User u rates items 1..n(u): item i is rated by everybody with n(u) >= i. User 9 rates only item 50.
create temp table small (u bigint, n int);
insert into small values (1, 2), (2, 3), (3, 5), (4, 6), (70, 12);
delete from trivet.rating;
delete from trivet.item;
insert into trivet.rating (user_id, item_id, value, rated_at)
    select u, i, 1 + (u + i) % 5, timestamptz '2020-01-01' + i * interval '1 day' from small, generate_series(1, n) i
    union all select 9, 50, 3, timestamptz '2020-01-01';
insert into trivet.item (item_id, title, genres) select i, 'item ' || i, case when i <= 3 then '{Drama}' else '{}' end::text[] from generate_series(1, 13) i;

select results_eq('select count, how_many, round(cumulative_share::numeric, 4), round(share_of_rows::numeric, 4), kept from trivet.activity_of_users(1, 3, 6)', $$values
    (1::bigint, 1::bigint, 0.1667, 0.0345, false), (2, 1, 0.3333, 0.1034, false), (3, 1, 0.5000, 0.2069, true), (5, 1, 0.6667, 0.3793, true), (6, 1, 0.8333, 0.5862, true), (12, 1, 1.0000, 1.0000, false)$$, 'users');
select results_eq('select count, how_many, kept from trivet.activity_of_items(1, 3, 6)', $$values
    (1::bigint, 7::bigint, false), (2, 1, true), (3, 2, true), (4, 1, true), (5, 2, true)$$, 'items');
select is((select count from trivet.activity_of_users() where 0.5 = any (quantiles)), 3::bigint, 'the median of six is the third');
select is((select array_agg(q order by q) from trivet.activity_of_users(), unnest(quantiles) q), '{0,0.01,0.05,0.1,0.25,0.5,0.75,0.9,0.95,0.99,1}'::float8[], 'every quantile stands in one row');
select is((select array_agg(count order by q) from trivet.activity_of_items(), unnest(quantiles) q),
    (select percentile_disc('{0,0.01,0.05,0.1,0.25,0.5,0.75,0.9,0.95,0.99,1}'::float8[]) within group (order by n) from (select count(*) as n from trivet.rating group by item_id) t), 'as Postgres computes them');
select results_eq($$select count, how_many from trivet.activity_of_users(genres => '{Drama}')$$, 'values (2::bigint, 1::bigint), (3, 4)', 'conditions on rows hold');
select results_eq('table trivet.activity_of_users', 'select * from trivet.activity_of_users()', 'the view of users');
select results_eq('table trivet.activity_of_items', 'select * from trivet.activity_of_items()', 'the view of items');
select throws_like('select * from trivet.activity_of_users(-1)', 'min_users_for_item is -1%', 'a bad value is named');
select throws_like('select * from trivet.activity_of_items(null)', 'min_users_for_item is null%', 'null is named');

-- Items.
select results_eq('select * from trivet.why_item(6, 1, 3, 6)', $$values (6::bigint, 'item 6'::text, true, null::int, null::text, 1::bigint, null::bigint, 'kept, with 1 pairs'::text)$$, 'item 6 has 2 rating rows, one of them of a kept user');
select results_eq('select kept, step, name, counted, threshold, reason from trivet.why_item(6, 2, 3, 6)', $$values (false, 5, 'item cut'::text, 2::bigint, 2::bigint, 'it has 2 rating rows, not more than 2 (min_users_for_item)'::text)$$, 'not more than 2');
select results_eq('select step, name, counted, reason from trivet.why_item(12, 0, 3, 6)', $$values (6, 'user cut'::text, 0::bigint, 'none of its 1 rating rows is of a user with 3 to 6 rating rows'::text)$$, 'only the heaviest user rated it');
select results_eq('select step, counted, threshold from trivet.why_item(6, 1, 3, 6, 13)', 'values (9, 0::bigint, 13::bigint)', 'the last pair is beyond the limit');
select is((select step from trivet.why_item(6, 1, 3, 6, 14)), null, 'and within it with one row more');
select results_eq('select step, name, reason from trivet.why_item(13)', $$values (1, 'all'::text, 'nobody rated it'::text)$$, 'an item that nobody rated');
select results_eq('select step, title, reason from trivet.why_item(99)', $$values (1, null::text, 'there is no such item'::text)$$, 'an item nobody knows');
select results_eq($$select step, name from trivet.why_item(6, 0, 0, 100, rated_since => '2020-01-07 00:00:01')$$, $$values (2, 'time'::text)$$, 'just too old');
select is((select step from trivet.why_item(6, 0, 0, 100, rated_since => '2020-01-07')), null, 'old enough');
select results_eq('select step, name, counted from trivet.why_item(50, 0, 0, 100, min_rating => 3.5)', $$values (3, 'min_rating'::text, 0::bigint)$$, 'rated too low');
select results_eq($$select step, name, reason from trivet.why_item(4, 0, 0, 100, genres => '{Drama,War}')$$, $$values (4, 'genres'::text, 'it has none of the genres Drama, War'::text)$$, 'no genre');
select throws_like('select * from trivet.why_item(1, 0, 4, 3)', 'max_items_for_user is 3%', 'a bad value is named');
select is((select step from trivet.why_item(null)), 1, 'no id: nobody rated it');

-- Users.
select results_eq('select * from trivet.why_user(2, 1, 3, 6)', $$values (2::bigint, true, null::int, null::text, 3::bigint, null::bigint, 'learned from, with 3 pairs'::text)$$, 'user 2 is kept');
select results_eq('select step, name, counted, threshold, reason from trivet.why_user(2, 1, 4, 6)', $$values (6, 'user cut'::text, 3::bigint, 4::bigint, 'they have 3 rating rows, fewer than 4 (min_items_for_user)'::text)$$, 'too few');
select results_eq('select step, counted, threshold, reason from trivet.why_user(4, 1, 3, 5)', $$values (6, 6::bigint, 5::bigint, 'they have 6 rating rows, more than 5 (max_items_for_user)'::text)$$, 'too many');
select is((select step from trivet.why_user(4, 1, 3, 6)), null, 'just enough');
select results_eq('select step, name, counted, threshold from trivet.why_user(9, 1, 1, 6)', $$values (5, 'item cut'::text, 0::bigint, 1::bigint)$$, 'only rated an item that is cut');
select results_eq('select step, threshold from trivet.why_user(4, 1, 3, 6, 8)', 'values (9, 8::bigint)', 'beyond the limit');
select is((select step from trivet.why_user(4, 1, 3, 6, 9)), null, 'the first pair within it');
select is((select reason from trivet.why_user(99)), 'they rated nothing', 'nobody');
select is((select step from trivet.why_user(2, 0, 0, 100, rated_until => '2020-01-02')), 2, 'too new');
select is((select step from trivet.why_user(2, 0, 0, 100, rated_until => '2020-01-02 00:00:01')), null, 'new enough');
select is((select step from trivet.why_user(9, 0, 0, 100, min_rating => 4)), 3, 'rated too low');
select is((select reason from trivet.why_user(9, 0, 0, 100, genres => '{Drama}')), 'none of their 1 rating rows is on an item of the genres Drama', 'no genre');
select throws_like('select * from trivet.why_user(1, sample_users => null)', 'sample_users is null%', 'a bad value is named');

-- Both agree with the funnel: step by step as many as it says, for settings that reach every step.
create function pg_temp.disagreements(call text) returns setof text language plpgsql as $$
begin
    return query execute format($q$
        select format('step %%s: funnel %%s users, %%s items', f.step, f.removed_users, f.removed_items)
        from trivet.funnel(%1$s) f
             left join (select w.step, count(*) as n from (select distinct user_id from trivet.rating) u, trivet.why_user(u.user_id, %1$s) w group by 1) u using (step)
             left join (select w.step, count(*) as n from (select distinct item_id from trivet.rating) i, trivet.why_item(i.item_id, %1$s) w group by 1) i using (step)
        where f.step between 2 and 9 and (f.removed_users, f.removed_items) <> (coalesce(u.n, 0), coalesce(i.n, 0))$q$, call);
end $$;
select is_empty($$select * from pg_temp.disagreements('1, 3, 6')$$, 'defaults but the counts');
select is_empty($$select * from pg_temp.disagreements('0, 0, 100')$$, 'wide open');
select is_empty($$select * from pg_temp.disagreements('2, 2, 5, 4')$$, 'with a limit');
select is_empty($$select * from pg_temp.disagreements('1, 1, 12, sample_users => 0.4')$$, 'with a sample');
select is_empty($$select * from pg_temp.disagreements('1, 1, 12, min_rating => 3, genres => ''{Drama}''')$$, 'with conditions');
select is_empty($$select * from pg_temp.disagreements('0, 1, 12, 5, rated_since => ''2020-01-03'', rated_until => ''2020-01-06''')$$, 'with times and a limit');

delete from trivet.rating;
set transaction_read_only = on;
select is_empty('select * from trivet.activity_of_users()', 'no users');
select is_empty('select * from trivet.activity_of_items()', 'no items');
select is((select reason from trivet.why_item(1)), 'nobody rated it', 'an item of an empty table');
select is((select reason from trivet.why_user(1)), 'they rated nothing', 'a user of an empty table');
select is((select kept from trivet.why_user(null)), false, 'no id');
select * from finish();
rollback;
