-- Reports on the data: each finding with one thing wrong and one just right, and its query.
begin;
set local jit = off;
select plan(34);

delete from trivet.rating;
delete from trivet.item;
create function pg_temp.found(what text) returns bigint language sql as $$ select row_count from trivet.quality() where finding = what $$;
create function pg_temp.query_of(what text) returns text language sql as $$ select query from trivet.quality() where finding = what $$;

-- An empty database.
select is((select sum(row_count) from trivet.quality()), 0::numeric, 'nothing is odd about nothing');
select is((select count(*) from trivet.quality()), 12::bigint, 'every finding is told, found or not');
select is_empty('select * from trivet.rating_scale()', 'no scale of nothing');
select results_eq('select pairs, row_count, surplus from trivet.duplicates()', 'values (0::bigint, 0::bigint, 0::bigint), (0, 0, 0)', 'no duplicates of nothing');

insert into trivet.item (item_id, title, genres, imdb_id, tmdb_id) values
    (1, 'One', '{Drama}', 'tt1', 1), (2, 'Two', '{Drama}', 'tt2', 2), (3, 'Two', '{Drama}', 'tt3', 3),
    (4, 'Four', '{}', 'tt1', 3), (5, ' ', null, null, null), (6, null, '{War}', null, null);
insert into trivet.rating (user_id, item_id, value, rated_at) values
    (1, 1, 3, now()), (1, 2, 3, now()), (1, 3, 3, now()), (1, 4, 3, now()), (1, 5, 3, now() + interval '1 hour'),
    (2, 1, 3, now()), (2, 2, 3, now()), (2, 3, 3, now()), (2, 4, 3, now()),
    (3, 1, 3, now()), (3, 2, 3, now()), (3, 3, 3, now()), (3, 4, 3, now()), (3, 5, 4, now()),
    (4, 7, 1, null), (4, 7, 1, now()), (5, 1, 1, now()), (5, 1, 2, now()), (5, 1, 3, now());

select is(pg_temp.found('rated items without a description'), 1::bigint, 'item 7 is not described');
select results_eq(pg_temp.query_of('rated items without a description'), 'values (7::bigint, 2::bigint)', 'and its query shows it');
select is(pg_temp.found('described items without a rating'), 1::bigint, 'item 6 is not rated');
select is(pg_temp.found('described items without a title'), 2::bigint, 'null and blank titles');
select is(pg_temp.found('described items without genres'), 2::bigint, 'null and no genres');
select results_eq(pg_temp.query_of('titles that several items have'), $$values ('Two'::text, '{2,3}'::bigint[])$$, 'titles twice');
select results_eq(pg_temp.query_of('IMDb numbers that several items have'), $$values ('tt1'::text, '{1,4}'::bigint[])$$, 'IMDb numbers twice');
select results_eq(pg_temp.query_of('TMDB numbers that several items have'), $$values (3::bigint, '{3,4}'::bigint[])$$, 'TMDB numbers twice');
select results_eq(pg_temp.query_of('users with one constant rating'), 'values (1::bigint, 3::real, 5::bigint)', 'five of one value, but not four, and not five of two');
select is(pg_temp.found('pairs that stand more than once'), 2::bigint, 'repeated pairs');
select is(pg_temp.found('rating rows dated in the future'), 1::bigint, 'an hour ahead, but not now');
select is(pg_temp.found('rating rows without a date'), 1::bigint, 'no date');
select is(pg_temp.found('rating rows with a value that is no number'), 0::bigint, 'numbers only');
insert into trivet.rating (user_id, item_id, value) values (6, 1, 'NaN'), (6, 2, '-Infinity');
select is(pg_temp.found('rating rows with a value that is no number'), 2::bigint, 'NaN and infinite');
select is((select count(*) from trivet.quality() q where q.meaning is null or q.query is null), 0::bigint, 'each with its meaning and query');
select results_eq('table trivet.quality', 'select * from trivet.quality()', 'the view');
delete from trivet.rating where user_id = 6;

-- Duplicates.
select results_eq('select pairs, row_count, surplus from trivet.duplicates()', 'values (1::bigint, 2::bigint, 1::bigint), (1, 3, 2)', 'the same value twice, and three values');
select results_eq((select query from trivet.duplicates() limit 1), $$values (4::bigint, 7::bigint, 2::bigint, '{1,1}'::real[])$$, 'query of the same');
select results_eq(format('select user_id, item_id, row_count from (%s) q', (select query from trivet.duplicates() offset 1)), 'values (5::bigint, 1::bigint, 3::bigint)', 'query of the different');
select results_eq('table trivet.duplicates', 'select * from trivet.duplicates()', 'the view');
delete from trivet.rating where user_id = 5 and value > 1;
select is((select sum(pairs) from trivet.duplicates()), 1::numeric, 'one row alone is no duplicate');

-- The scale.
select results_eq('select low, high, row_count, cumulative_share from trivet.rating_scale()', 'values (1::real, 1::real, 3::bigint, 3 / 17.0::float8), (3, 3, 13, 16 / 17.0::float8), (4, 4, 1, 1)', 'one row a value');
select is((select sum(share) from trivet.rating_scale()), 1::float8, 'shares add up');
select results_eq((select format('select count(*) from (%s) q', query) from trivet.rating_scale() where low = 3), 'values (13::bigint)', 'its query shows the rows');
delete from trivet.rating;
insert into trivet.rating (user_id, item_id, value) select 1, i, i / 10.0 from generate_series(1, 20) i;
select is((select count(*) from trivet.rating_scale()), 20::bigint, '20 values are shown one by one');
select ok((select bool_and((select count(*) from trivet.rating where value = s.low) = s.row_count) from trivet.rating_scale() s), 'also those that are no exact binary fractions');
insert into trivet.rating (user_id, item_id, value) select 2, i, i from generate_series(1, 980) i;
select is((select count(*) from trivet.rating_scale()), 20::bigint, 'more fall in 20 classes');
select ok((select bool_and(row_count between 48 and 52) and sum(row_count) = 1000 and bool_and(low <= high) from trivet.rating_scale()), 'of about as many rows, none lost');
select results_eq('table trivet.rating_scale', 'select * from trivet.rating_scale()', 'the view');
create function pg_temp.count_of(query text) returns bigint language plpgsql as $$ declare n bigint; begin execute format('select count(*) from (%s) q', query) into n; return n; end $$;
select ok((select bool_and(pg_temp.count_of(query) = row_count) from trivet.rating_scale()), 'each class has its query');
select * from finish();
rollback;
