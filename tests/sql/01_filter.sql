-- The filter: its semantics at both sides of each boundary, and that Postgres inlines it.
begin;
select plan(31);

-- 12 items, 5 users: user u rates items 1..n(u); item i is rated by everybody with n(u) >= i.
create temp table small (u bigint, n int);
insert into small values (1, 2), (2, 3), (3, 5), (4, 6), (70, 12);
delete from trivet.rating;
insert into trivet.rating (user_id, item_id, value, rated_at)
    select u, i, 1 + (u + i) % 5, timestamptz '2020-01-01' + i * interval '1 day' from small, generate_series(1, n) i;

select is((select count(*) from trivet.user_item(0, 0, 100)), 28::bigint, 'wide open keeps every row');
select is((select array_agg(distinct movieid order by movieid) from trivet.user_item(3, 0, 100)), '{1,2,3}', 'an item needs MORE than min_users_for_item rows');
select is((select array_agg(distinct movieid order by movieid) from trivet.user_item(4, 0, 100)), '{1,2}', 'one more, and item 3 with its 4 rows is out');
select is((select array_agg(distinct userid order by userid) from trivet.user_item(0, 3, 6)), '{2,3,4}', 'a user needs at least min and at most max rows, both inclusive');
select is((select array_agg(distinct userid order by userid) from trivet.user_item(0, 4, 5)), '{3}', 'both bounds one tighter');
select is((select count(*) from trivet.user_item(3, 3, 5)), 6::bigint, 'a kept user can end with fewer rows: both counts are taken before either cut');
select is((select count(*) from trivet.user_item(0, 0, 100, 7)), 7::bigint, 'max_row_number cuts');
select results_eq('select userid, movieid from trivet.user_item(0, 0, 100, 4)', $$values (1::bigint, 1::bigint), (1, 2), (2, 1), (2, 2)$$, 'it cuts in (user, item) order');
select is((select count(*) from trivet.user_item(0, 0, 100, 28)), 28::bigint, 'a limit of all rows cuts none');

-- Repeated pairs: counted as rows, averaged to one pair.
insert into trivet.rating (user_id, item_id, value) values (1, 1, 5), (1, 1, 5);
select is((select rating from trivet.user_item(0, 0, 100) where userid = 1 and movieid = 1), ((3 + 5 + 5) / 3.0)::real, 'a repeated pair is averaged');
select is((select count(*) from trivet.user_item(0, 4, 4) where userid = 1), 2::bigint, 'counts are of rows, so user 1 now has 4');
select is((select array_agg(distinct movieid) from trivet.user_item(6, 0, 100)), '{1}', 'for items, too: item 1 has 7 rows of 5 users');
delete from trivet.rating where rated_at is null;

-- Conditions on rows.
select is((select count(*) from trivet.user_item(0, 0, 100, rated_since => timestamptz '2020-01-01' + interval '3 days')), 18::bigint, 'rated_since is inclusive');
select is((select count(*) from trivet.user_item(0, 0, 100, rated_until => (timestamptz '2020-01-01' + interval '2 days'))), 5::bigint, 'rated_until is exclusive');
select is((select count(*) from trivet.user_item(0, 0, 100, min_rating => 5)), (select count(*) from trivet.rating where value >= 5), 'min_rating is inclusive');
insert into trivet.item (item_id, title, genres) values (1, 'one', '{Drama}'), (2, 'two', '{Comedy,Drama}'), (3, 'three', '{}')
    on conflict (item_id) do update set genres = excluded.genres;
select is((select array_agg(distinct movieid order by movieid) from trivet.user_item(0, 0, 100, genres => '{Comedy}')), '{2}', 'genres: any of');
select is((select array_agg(distinct movieid order by movieid) from trivet.user_item(0, 0, 100, genres => '{Comedy,Drama}')), '{1,2}', 'genres: any of several');
select is((select count(*) from trivet.user_item(0, 0, 100, sample_users => 1)), 28::bigint, 'sample_users 1 keeps all');
select ok((select array_agg(userid) from trivet.user_item(0, 0, 100, sample_users => 0.4)) <@ (select array_agg(userid) from trivet.user_item(0, 0, 100, sample_users => 0.8)), 'a smaller sample is part of a larger one');

-- The workshop's query, as it was written.
select set_eq(
    'select * from trivet.user_item(3, 3, 6, 100000)',
    $$select r.user_id, r.item_id, avg(r.value)::real from trivet.rating r
      join (select item_id from trivet.rating group by 1 having count(*) > 3) i using (item_id)
      join (select user_id from trivet.rating group by 1 having count(*) between 3 and 6) u using (user_id)
      group by 1, 2 limit 100000$$, 'the same rows as join, then group');

-- Evidence: no thresholds, the same conditions on rows.
select is((select count(*) from trivet.evidence()), 28::bigint, 'evidence has no thresholds');
select is((select count(*) from trivet.evidence(min_rating => 5)), (select count(*) from trivet.rating where value >= 5), 'conditions on rows hold in evidence');

-- Bad values name their parameter.
select throws_like('select * from trivet.user_item(-1)', 'min_users_for_item is -1%', 'negative threshold');
select throws_like('select * from trivet.user_item(null)', 'min_users_for_item is null%', 'null threshold');
select throws_like('select * from trivet.user_item(0, 4, 3)', 'max_items_for_user is 3, but must be at least min_items_for_user, which is 4', 'max below min');
select throws_like('select * from trivet.user_item(0, 0, 1, 0)', 'max_row_number is 0%', 'row limit 0');
select throws_like('select * from trivet.user_item(sample_users => 0)', 'sample_users is 0%', 'sample 0');
select throws_like($$select * from trivet.user_item(sample_users => 'NaN')$$, 'sample_users is NaN%', 'sample NaN');

-- Inlined: no Function Scan.
create function pg_temp.plan_of(query text) returns text language plpgsql as $$
declare line text; all_lines text := '';
begin
    for line in execute 'explain ' || query loop all_lines := all_lines || line || E'\n'; end loop;
    return all_lines;
end $$;
select unalike(pg_temp.plan_of('select * from trivet.user_item()'), '%Function Scan%', 'user_item is inlined');
select unalike(pg_temp.plan_of($$select * from trivet.user_item(genres => '{Drama}', rated_since => '2020-01-01', sample_users => 0.5)$$), '%Function Scan%', 'with conditions, too');
select unalike(pg_temp.plan_of('select * from trivet.evidence()'), '%Function Scan%', 'evidence is inlined');

select * from finish();
rollback;
