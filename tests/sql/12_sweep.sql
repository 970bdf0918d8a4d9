-- trivet.sweep and the values of parameters: every cell against trivet.user_item itself.
begin;
set local jit = off; -- compiling the plans of some hundred small queries takes longer than running them
set local client_min_messages = warning;
select plan(45);

create function pg_temp.cells_differ(query text) returns setof text language plpgsql as $$
declare
    c record;
    n record;
begin
    for c in execute query loop
        select count(*) as row_count, count(distinct f.userid) as users, count(distinct f.movieid) as items into n
        from trivet.filter_parameters(c.parameters) p, trivet.user_item(p.min_users_for_item, p.min_items_for_user,
            p.max_items_for_user, p.max_row_number, p.rated_since, p.rated_until, p.genres, p.min_rating, p.sample_users) f;
        if (c.row_count, c.users, c.items) is distinct from (n.row_count, n.users, n.items) then
            return next format('%s: %s', n, c);
        end if;
    end loop;
end $$;

-- 30 users and 25 items in a triangle with holes, some pairs twice.
delete from trivet.rating;
delete from trivet.item;
insert into trivet.item (item_id, title, genres) select i, 'item ' || i, case i % 3 when 0 then '{Drama}' when 1 then '{Comedy}' else '{Comedy,Drama}' end::text[] from generate_series(1, 25) i;
insert into trivet.rating (user_id, item_id, value, rated_at)
    select u, i, 1 + (u * i) % 5, timestamptz '2020-01-01' + (u + i) * interval '1 day'
    from generate_series(1, 30) u, generate_series(1, 25) i where u + i <= 32 and (u * 7 + i * 5) % 4 > 0
    union all select u, u % 5 + 1, 5, null from generate_series(1, 30, 3) u;

select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''min_users_for_item'', ''{0,1,5,10,17,100}'', ''max_items_for_user'', ''{3,5,10,20,100}'')')$$, 'item and user threshold');
select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''min_users_for_item'', ''{0,1,5,10,17,100}'', ''min_items_for_user'', ''{0,3,5,10,20}'', max_items_for_user => 21)')$$, 'item threshold and least items');
select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''min_items_for_user'', ''{0,3,5,9,10}'', ''max_items_for_user'', ''{10,12,20,100}'', 4)')$$, 'both bounds of a user');
select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''min_users_for_item'', ''{0,1,5,10,17}'', ''max_items_for_user'', ''{3,5,10,20,100}'', max_row_number => 40)')$$, 'where the limit cuts');
select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''min_items_for_user'', ''{0,3,5}'', ''max_items_for_user'', ''{10,12,20,100}'', 4, max_row_number => 33)')$$, 'where it cuts between both bounds of a user');
select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''max_row_number'', ''{1,2,10,50,1000}'', ''min_users_for_item'', ''{0,9}'', max_items_for_user => 100)')$$, 'the limit itself');
select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''rated_since'', ''{NULL,2020-01-10,2020-01-20,2030-01-01}'', ''rated_until'', ''{NULL,2020-01-25}'', 2)')$$, 'times');
select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''genres'', array[null, ''{Drama}'', ''{Comedy,Drama}'', ''{None}''], ''min_items_for_user'', ''{0,4}'', 2)')$$, 'genres and least items');
select is_empty($$select * from pg_temp.cells_differ('select * from trivet.sweep(''min_rating'', ''{NULL,3,5,6}'', ''sample_users'', ''{1,0.5}'', 2)')$$, 'rating and sample');

select is((select count(*) from trivet.sweep('min_users_for_item', '{0,1,2}', 'max_items_for_user', '{3,4}')), 6::bigint, 'one row a combination');
select is((select count(*) from trivet.sweep('min_users_for_item', '{0,1,2}')), 3::bigint, 'one parameter alone');
select is((select count(*) from trivet.sweep('min_users_for_item', '{1,1}', 'max_items_for_user', '{4,4,4}')), 6::bigint, 'values that repeat');
select results_eq($$select x_place, y_place, x_value, y_value from trivet.sweep('min_users_for_item', '{7,1}', 'max_items_for_user', '{9,4}')$$,
    $$values (1, 1, '7', '9'), (1, 2, '7', '4'), (2, 1, '1', '9'), (2, 2, '1', '4')$$, 'in the order of the values');
select results_eq($$select y_place, y_value from trivet.sweep('min_users_for_item', '{7}')$$, 'values (null::int, null::text)', 'without y');
select results_eq($$select x_value, row_count is null, users is null, parameters ->> 'max_items_for_user' from trivet.sweep('max_items_for_user', '{2,3}')$$,
    $$values ('2', true, true, '2'), ('3', false, false, '3')$$, 'a maximum below the minimum is no filter: its cell is null');
select results_eq($$select row_count, density, limit_cut from trivet.sweep('min_users_for_item', '{1000}')$$, 'values (0::bigint, null::float8, false)', 'a filter that keeps nothing');
select results_eq($$select round(share_of_rows::numeric, 6), share_of_users from trivet.sweep('min_users_for_item', '{0}', min_items_for_user => 0, max_items_for_user => 100)$$,
    $$select round((count(distinct (user_id, item_id)) / count(*)::float8)::numeric, 6), 1::float8 from trivet.rating$$, 'shares of all rating rows and users');
select is((select parameters from trivet.sweep('min_rating', '{4.5}', genres => '{Drama}')), trivet.filter_values(genres => '{Drama}', min_rating => 4.5), 'each row carries its parameters');

-- Bad values.
select throws_like($$select * from trivet.sweep('min_users', '{1}')$$, 'the filter has no parameter "min_users"', 'wrong name');
select throws_like($$select * from trivet.sweep(null, '{1}')$$, 'x is null%', 'no name');
select throws_like($$select * from trivet.sweep('genres', '{1}', 'genres', '{1}')$$, 'x and y are both "genres"%', 'the same name twice');
select throws_like($$select * from trivet.sweep('min_rating', '{}')$$, 'x_values is null or empty%', 'no values');
select throws_like($$select * from trivet.sweep('min_rating', '{1}', 'max_row_number')$$, 'y_values is null or empty%', 'no values for y');
select throws_like($$select * from trivet.sweep('min_rating', '{1}', y_values => '{1}')$$, 'y_values is given, but y is null%', 'values without a name');
select throws_like($$select * from trivet.sweep('min_users_for_item', '{1,-1}')$$, 'min_users_for_item is "-1", but must be an integer from 0', 'a negative threshold');
select throws_like($$select * from trivet.sweep('min_users_for_item', '{1}', 'max_items_for_user', '{1,NULL}')$$, 'max_items_for_user is null%', 'a null threshold');
select throws_like($$select * from trivet.sweep('min_users_for_item', '{1}', min_items_for_user => -2)$$, 'min_items_for_user is -2%', 'a bad value among the others');
select throws_like($$select * from trivet.sweep('min_users_for_item', '{1}', min_items_for_user => 51)$$, 'max_items_for_user is 50%', 'maximum below minimum among the others');

-- One value, both sides.
select is(trivet.filter_value('min_users_for_item', '0'), '0', 'least threshold');
select is(trivet.filter_value('max_row_number', '1'), '1', 'least row limit');
select is(trivet.filter_value('max_row_number', '9223372036854775807'), '9223372036854775807', 'largest row limit');
select throws_like($$select trivet.filter_value('max_row_number', '0')$$, 'max_row_number is "0"%', 'row limit 0');
select throws_like($$select trivet.filter_value('max_items_for_user', '2147483648')$$, 'max_items_for_user is "2147483648"%', 'beyond an int');
select throws_like($$select trivet.filter_value('max_items_for_user', '1.5')$$, 'max_items_for_user is "1.5"%', 'no integer');
select is(trivet.filter_value('sample_users', '1'), '1', 'everybody');
select throws_like($$select trivet.filter_value('sample_users', '1.01')$$, 'sample_users is "1.01"%', 'more than everybody');
select throws_like($$select trivet.filter_value('sample_users', '0')$$, 'sample_users is "0"%', 'nobody');
select throws_like($$select trivet.filter_value('min_rating', 'NaN')$$, 'min_rating is "NaN"%', 'no number');
select throws_like($$select trivet.filter_value('rated_since', 'soon')$$, 'rated_since is "soon"%', 'no time');
select throws_like($$select trivet.filter_value('genres', 'Drama')$$, 'genres is "Drama"%', 'no list');
select is(trivet.filter_value('genres', null), 'null', 'null where it means no condition');

select results_eq($$select f.min_users_for_item, f.min_items_for_user, f.max_items_for_user, f.max_row_number, f.rated_since, f.rated_until,
    f.genres, f.min_rating, f.sample_users from trivet.filter_parameters('{"genres": ["a b", "c,d", "e\"f"], "max_items_for_user": 7}') f$$,
    $$values (10, 3, 7, 100000::bigint, null::timestamptz, null::timestamptz, array['a b', 'c,d', 'e"f'], null::real, 1::real)$$, 'JSON to typed values, the rest at their defaults');
select throws_like($$select * from trivet.filter_parameters('{"genre": 1}')$$, 'the filter has no parameter "genre"', 'a wrong name in JSON');
select throws_like($$select * from trivet.filter_parameters('[1]')$$, 'the values of a filter must be a JSON object%', 'no object');

delete from trivet.rating;
select results_eq($$select row_count, users, items, density, share_of_rows from trivet.sweep('min_users_for_item', '{0,3}')$$,
    $$values (0::bigint, 0::bigint, 0::bigint, null::float8, null::float8), (0, 0, 0, null, null)$$, 'an empty table');
select * from finish();
rollback;
